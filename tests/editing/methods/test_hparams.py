from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

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


# Of models of 32 layers. In the presets for models with fewer layers, these stand at the same share of the way up.
PUBLISHED: dict[str, dict[str, Any]] = {
    "ft": {"layers": [21], "num_steps": 25, "lr": 5e-4, "bound": 1e-4, "objective_optimization": "target_new"},
    "grace": {"layer": "model.layers.27.mlp.down_proj", "edit_lr": 1.0, "n_iter": 30, "eps": 1.0, "val_init": "cold"},
    "rome": {"layers": [5], "v_num_grad_steps": 25, "v_lr": 0.5, "clamp_norm_factor": 4.0, "mom2_adjustment": False},
    "memit": {"layers": [4, 5, 6, 7, 8], "v_num_grad_steps": 25, "v_weight_decay": 1e-3, "mom2_update_weight": 15000.0},
    "pmet": {"layers": [4, 5, 6, 7, 8], "v_num_grad_steps": 30, "kl_factor": 0.0625, "nll_loss_factor": 1.0},
}
ADAPTERS = {"target_modules": ["q_proj", "v_proj"], "rank": 8, "lora_alpha": 32.0, "lora_dropout": 0.1, "lr": 5e-3}
PUBLISHED |= {"lora": ADAPTERS | {"num_steps": 60}, "adalora": ADAPTERS | {"num_steps": 70}}
QWEN2, LLAMA, STARCODER2 = transformers.Qwen2Config, transformers.LlamaConfig, transformers.Starcoder2Config
# The real models: configuration, layers, widths of the stream and of the MLP, heads, heads of keys, vocabulary, tied.
MODELS: dict[str, tuple[Any, ...]] = {
    "codellama-7b": (LLAMA, 32, 4096, 11008, 32, 32, 32016, False),
    "codeqwen1.5-7b": (QWEN2, 32, 4096, 13440, 32, 4, 92416, False),
    "deepseek-coder-6.7b": (LLAMA, 32, 4096, 11008, 32, 32, 32256, False),
    "qwen2.5-coder-0.5b": (QWEN2, 24, 896, 4864, 14, 2, 151936, True),
    "qwen2.5-coder-1.5b": (QWEN2, 28, 1536, 8960, 12, 2, 151936, True),
    "qwen2.5-coder-7b": (QWEN2, 28, 3584, 18944, 28, 4, 152064, False),
    "starcoder2-3b": (STARCODER2, 30, 3072, 12288, 24, 2, 49152, True),
}
VALUES = {"v_num_grad_steps": 25, "v_lr": 0.5, "v_weight_decay": 1e-3, "clamp_norm_factor": 4.0, "kl_factor": 0.0625}
PUBLISHED |= {
    "emmet": VALUES | {"layers": [5], "mom2_update_weight": 100000.0, "emmet_lambda": 0.1},
    "alphaedit": VALUES | {"layers": [4, 5, 6, 7, 8], "nullspace_threshold": 2e-2, "L2": 10.0},
    "ultraedit": {"lr": 1e-6, "token": "mask", "batch_size_once": 10},
}
KINDS = (*PUBLISHED, "ft-free")  # of presets: a method each, and FT without its clamp


def test_every_method_has_a_preset_for_every_model() -> None:
    """Of a method that is added, the table says nothing yet."""
    assert {f"{kind}-{model}" for kind in KINDS for model in (*MODELS, "tiny")} <= set(preset_names())


def test_every_preset_is_of_a_method_and_a_model_that_are_known() -> None:
    known = {f"{kind}-{model}" for kind in (*method_names(), "ft-free") for model in (*MODELS, "tiny")}
    assert set(preset_names()) <= known


@cache
def outline(model: str) -> Any:
    """The model itself, with shapes and no content."""
    config, layers, hidden, mlp, heads, keys, vocabulary, tied = MODELS[model]
    sizes = {"num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": mlp, "vocab_size": vocabulary}
    sizes |= {"num_attention_heads": heads, "num_key_value_heads": keys, "tie_word_embeddings": tied}
    with torch.device("meta"):
        return transformers.AutoModelForCausalLM.from_config(config(**sizes))


@pytest.mark.parametrize("name", [name for name in preset_names() if not name.endswith("-tiny")])
def test_every_preset_fits_the_model_that_it_is_named_after(name: str) -> None:
    method = find_method(name.partition("-")[0])
    model = outline(name.removeprefix("ft-free-").removeprefix(f"{method.name}-"))
    modules = method.check(model, load_hparams(name).values)
    assert all(model.get_submodule(module).weight.is_meta for module in modules)


def share(layer: int, layers: int) -> int:
    """The layer that stands as far up in a model of so many layers as `layer` does in one of 32."""
    return int(layer * layers / 32 + 0.5)


@pytest.mark.parametrize(("model", "layers"), [(model, sizes[1]) for model, sizes in MODELS.items()])
def test_layers_stand_at_the_published_share_of_the_way_up(model: str, layers: int) -> None:
    found = {kind: load_hparams(f"{kind}-{model}").values for kind in KINDS}
    assert found["ft"].layers == found["ft-free"].layers == [share(21, layers)]
    assert f".{share(27, layers)}." in found["grace"].layer
    assert found["rome"].layers == found["emmet"].layers == [share(5, layers)]
    span = list(range(share(4, layers), share(8, layers) + 1))
    assert found["memit"].layers == found["pmet"].layers == found["alphaedit"].layers == span
    assert [one.split(".")[2] for one in found["ultraedit"].inner_params] == [str(layers - 3), str(layers - 2)]
    for kind in ("memit", "pmet", "emmet", "alphaedit"):
        assert found[kind].mom2_dataset == "python"
        assert found[kind].v_loss_layer in {None, layers - 1}


def test_ft_with_and_without_its_clamp_stand_side_by_side() -> None:
    for model in (*MODELS, "tiny"):
        boxed, free = load_hparams(f"ft-{model}").values, load_hparams(f"ft-free-{model}").values
        assert (boxed.bound is None, free.bound) == (False, None)
        assert replace(free, norm_constraint=boxed.norm_constraint, lr=boxed.lr) == boxed


@pytest.mark.parametrize(
    ("folder", "preset"),
    [
        ("Qwen/Qwen2.5-Coder-0.5B", "qwen2.5-coder-0.5b"),
        ("models/qwen2.5-coder-0.5b/", "qwen2.5-coder-0.5b"),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "qwen2.5-coder-7b"),
        ("codellama/CodeLlama-7b-Python-hf", "codellama-7b"),
        ("deepseek-ai/deepseek-coder-6.7b-base", "deepseek-coder-6.7b"),
    ],
)
def test_a_model_finds_its_preset_by_the_name_of_its_folder(folder: str, preset: str) -> None:
    assert read_hparams(None, find_method("ft"), folder).source == f"preset ft-{preset}"


@pytest.mark.parametrize("folder", ["tiny-random-gpt2", "Qwen/Qwen2.5-Coder-0.5B-Fill", "CodeLlama-7b-hf-GPTQ"])
def test_another_model_has_no_preset(folder: str) -> None:
    with pytest.raises(InputError, match="neither a preset nor a file"):
        read_hparams(None, find_method("ft"), folder)


def test_no_two_methods_share_a_name_in_files_of_easyedit() -> None:
    names = [name for method in all_methods() for name in method.alg_names]
    assert sorted(names) == sorted(set(names))


def test_presets_hold_no_field_that_is_not_used() -> None:
    assert {name: found for name in preset_names() if (found := load_hparams(name).ignored)} == {}


def test_every_method_that_edits_has_a_preset_for_the_tiny_model() -> None:
    assert {f"{method}-tiny" for method in method_names() if method not in ("none", "docs")} <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_the_published_values(name: str) -> None:
    method, _, model = name.partition("-")
    hparams = load_hparams(name)
    assert type(hparams.values) is find_method(method).hparams
    if method in PUBLISHED:
        assert hparams.values.profile == "exact"
    if method in PUBLISHED and model in MODELS:
        layered = {"layers", "layer"} if MODELS[model][1] != 32 else set()
        wanted = {field: value for field, value in PUBLISHED[method].items() if field not in layered}
        assert {field: getattr(hparams.values, field) for field in wanted} == wanted


def test_a_file_says_its_method(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(GOOD)
    assert load_hparams(tmp_path / "h.yaml").values == read(tmp_path, GOOD)
    (tmp_path / "h.yaml").write_text(GOOD.replace("FT", "MEND"))
    with pytest.raises(InputError, match="'MEND', which is no method"):
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
        ({"rome_variant": "by_regime"}, "by_regime"),
        ({}, "r_rome"),
    ],
)
def test_the_switches_of_r_rome(switches: dict[str, bool], variant: str) -> None:
    given = asdict(load_hparams("rome-tiny").values) | {"alg_name": "R-ROME"}
    del given["rome_variant"]
    assert hparams_of(given | switches, find_method("rome")).values.rome_variant == variant


@pytest.mark.parametrize(
    ("variant", "instant", "sequential"),
    [("by_regime", "original", "r_rome"), ("original", "original", "original"), ("p_rome", "p_rome", "p_rome")],
)
def test_a_sequence_takes_r_rome_unless_a_variant_is_named(variant: str, instant: str, sequential: str) -> None:
    given = load_hparams("rome-tiny")
    chosen = replace(given, values=replace(given.values, rome_variant=variant))
    for regime, expected in (("instant", instant), ("sequential", sequential)):
        found = chosen.for_regime(regime)
        assert found.values.rome_variant == expected
        assert found.decided == ((f"rome_variant: {expected}",) if variant == "by_regime" else ())
        assert found.for_regime(regime) == found
        assert (found.sha256() == chosen.sha256()) == (variant != "by_regime")
    assert load_hparams("ft-tiny").for_regime("sequential") == load_hparams("ft-tiny")


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
