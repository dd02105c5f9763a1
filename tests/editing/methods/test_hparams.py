from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from edittool.editing.methods import ft
from edittool.editing.methods.ft import FtHparams
from edittool.editing.methods.hparams import hparams_of, load_hparams, preset_names, read_hparams
from edittool.editing.methods.table import Method, all_methods, find_method, method_names
from edittool.schemas.errors import InputError

GOOD = """\
alg_name: FT
layers: [21]
num_steps: 25
lr: 5e-4
rewrite_module_tmp: model.layers.{}.mlp.down_proj
norm_constraint: 1e-4
kl_factor: 0
"""


def read(tmp_path: Path, text: str) -> FtHparams:
    (tmp_path / "h.yaml").write_text(text)
    return read_hparams(str(tmp_path / "h.yaml"), find_method("ft")).values


def test_numbers_that_yaml_leaves_as_text(tmp_path: Path) -> None:
    values = read(tmp_path, GOOD)
    assert (values.lr, values.norm_constraint, values.bound) == (5e-4, 1e-4, 1e-4)
    assert values.profile == "easyedit"


@pytest.mark.parametrize("written", ["0", "1", "false", "'3'"])
def test_an_integer_or_false_is_no_bound(tmp_path: Path, written: str) -> None:
    assert read(tmp_path, GOOD.replace("1e-4", written)).bound is None


def test_unknown_fields_are_noted(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(GOOD)
    assert read_hparams(str(tmp_path / "h.yaml"), find_method("ft")).ignored == ("kl_factor",)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("num_steps: 25", "num_steps: many", "h.yaml: field num_steps must be an integer, not 'many'"),
        ("num_steps: 25", "num_steps: 0", "field num_steps must be at least 1"),
        ("num_steps: 25", "num_steps: true", "field num_steps must be an integer, not True"),
        ("layers: [21]", "layers: 21", "field layers must be a list"),
        ("layers: [21]", "layers: [a]", r"field layers\[0\] must be an integer"),
        ("lr: 5e-4", "lr: -1", "field lr must be a number from 0 up"),
        ("lr: 5e-4", "lr: .nan", "field lr must be a number from 0 up"),
        ("lr: 5e-4\n", "", 'lacks the field "lr"'),
        ("alg_name: FT", "alg_name: ROME", "alg_name.*ROME"),
        ("kl_factor: 0", "profile: other", "profile must be one of"),
        ("layers: [21]", "layers: [21", r"h.yaml, line \d+: broken YAML"),
    ],
)
def test_faults_name_file_and_field(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError, match=fault):
        read(tmp_path, GOOD.replace(old, new))


def test_missing_presets_and_files() -> None:
    with pytest.raises(InputError, match="ft-codellama-7b"):
        read_hparams("ft-nothing", find_method("ft"))
    with pytest.raises(InputError, match="ft-tiny"):
        read_hparams(None, find_method("ft"), "some/model")


PUBLISHED = {
    "ft": {"layers": [21], "num_steps": 25, "lr": 5e-4, "bound": 1e-4, "objective_optimization": "target_new"},
    "grace": {"layer": "model.layers.27.mlp.down_proj", "edit_lr": 1.0, "n_iter": 30, "eps": 1.0, "val_init": "cold"},
    "rome": {"layers": [5], "v_num_grad_steps": 25, "v_lr": 0.5, "clamp_norm_factor": 4.0, "mom2_adjustment": False},
    "memit": {"layers": [4, 5, 6, 7, 8], "v_num_grad_steps": 25, "v_weight_decay": 1e-3, "mom2_update_weight": 15000.0},
    "pmet": {"layers": [4, 5, 6, 7, 8], "v_num_grad_steps": 30, "kl_factor": 0.0625, "nll_loss_factor": 1.0},
}
MODELS = ("codellama-7b", "codeqwen1.5-7b", "deepseek-coder-6.7b", "tiny")


def test_every_method_has_a_preset_for_every_model() -> None:
    assert {f"{method}-{model}" for method in PUBLISHED for model in MODELS} <= set(preset_names())


def test_every_preset_is_of_a_method_and_a_model_that_are_known() -> None:
    known = {f"{method}-{model}" for method in method_names() for model in MODELS}
    assert set(preset_names()) <= known


def test_no_two_methods_share_a_name_in_files_of_easyedit() -> None:
    names = [name for method in all_methods() for name in method.alg_names]
    assert sorted(names) == sorted(set(names))


def test_every_method_that_edits_has_a_preset_for_the_tiny_model() -> None:
    assert {f"{method}-tiny" for method in method_names() if method != "none"} <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_the_published_values(name: str) -> None:
    method, _, model = name.partition("-")
    hparams = load_hparams(name)
    assert type(hparams.values) is find_method(method).hparams
    if method in PUBLISHED:
        assert hparams.values.profile == "exact"
    if method in PUBLISHED and model != "tiny":
        assert {field: getattr(hparams.values, field) for field in PUBLISHED[method]} == PUBLISHED[method]


def test_a_file_says_its_method(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(GOOD)
    assert load_hparams(tmp_path / "h.yaml").values == read(tmp_path, GOOD)
    (tmp_path / "h.yaml").write_text(GOOD.replace("FT", "LORA"))
    with pytest.raises(InputError, match="'LORA', which is no method"):
        load_hparams(tmp_path / "h.yaml")


@pytest.mark.parametrize(
    ("method", "wrong", "meant"),
    [
        ("ft", "norm_constrain", "norm_constraint"),
        ("rome", "mom2_adjustmnt", "mom2_adjustment"),
        ("memit", "fact_tokens", "fact_token"),
        ("pmet", "nll_los_factor", "nll_loss_factor"),
        ("grace", "eps_expnd", "eps_expand"),
    ],
)
def test_a_misspelt_field_is_told(method: str, wrong: str, meant: str) -> None:
    given = asdict(load_hparams(f"{method}-tiny").values)
    with pytest.raises(InputError, match=f'no field "{wrong}". Is "{meant}" meant'):
        hparams_of({wrong if name == meant else name: value for name, value in given.items()}, find_method(method))


def test_the_fields_of_other_methods_are_passed_over() -> None:
    given = asdict(load_hparams("ft-tiny").values) | {"kl_factor": 0, "max_length": 40, "device": 0, "fp16": True}
    assert hparams_of(given, find_method("ft")).ignored == ("kl_factor", "max_length")


@pytest.mark.parametrize(
    ("switches", "variant"),
    [
        ({"enable_random_prefix_keys": True, "enable_prompt_keys": False}, "r_rome"),
        ({"enable_random_prefix_keys": False, "enable_prompt_keys": True}, "p_rome"),
        ({"enable_random_prefix_keys": False, "original_implementation": True}, "original"),
        ({"rome_variant": "original"}, "original"),
        ({}, "r_rome"),
    ],
)
def test_the_switches_of_r_rome(switches: dict[str, bool], variant: str) -> None:
    given = asdict(load_hparams("rome-tiny").values) | {"alg_name": "R-ROME"}
    del given["rome_variant"]
    assert hparams_of(given | switches, find_method("rome")).values.rome_variant == variant


@pytest.mark.parametrize(
    ("method", "field", "value", "fault"),
    [
        ("rome", "layers", [3, 2], "layers must be numbers in ascending order"),
        ("rome", "context_template_length_params", [[10]], r"context_template_length_params has pairs"),
        ("memit", "mom2_update_weight", 0, "mom2_update_weight must be above 0"),
        ("memit", "fact_token", "last", "for ROME alone"),
        ("pmet", "rewrite_module_tmps", [], "rewrite_module_tmps must name"),
        ("pmet", "rewrite_module_tmps", "mlp", "rewrite_module_tmps must be a list"),
        ("pmet", "v_num_grad_steps", 0, "v_num_grad_steps must be at least 1"),
    ],
)
def test_values_without_meaning(method: str, field: str, value: Any, fault: str) -> None:
    given = asdict(load_hparams(f"{method}-tiny").values) | {field: value}
    with pytest.raises(InputError, match=fault):
        hparams_of(given, find_method(method))


def test_the_hash_is_of_the_values(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        (tmp_path / "h.yaml").write_text(text)
        return read_hparams(str(tmp_path / "h.yaml"), find_method("ft")).sha256()

    assert digest(GOOD) == digest(GOOD.replace("5e-4", "0.0005") + "batch_size: 1\n")
    assert digest(GOOD) != digest(GOOD.replace("5e-4", "6e-4"))


def test_the_unedited_model_needs_none() -> None:
    assert read_hparams(None, find_method("none")).ignored == ()


def test_methods_are_called_as_their_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"none", *PUBLISHED} <= set(method_names()) == {method.name for method in all_methods()}
    monkeypatch.setattr(ft, "METHOD", Method("x", FtHparams, find_method("ft").teach))
    with pytest.raises(ValueError, match="declares a method called 'x'"):
        find_method("ft")


@pytest.mark.parametrize("name", ["unheard", "table", "hparams", "../ft", ""])
def test_what_is_no_method(name: str) -> None:
    with pytest.raises(InputError, match="ft, grace"):
        find_method(name)
