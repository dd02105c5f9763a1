from pathlib import Path

import pytest

from edittool.editing.ft import FtHparams
from edittool.editing.hparams import preset_names, read_hparams
from edittool.editing.methods import METHODS, Method, find_method, table
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
    return read_hparams(str(tmp_path / "h.yaml"), METHODS["ft"]).values


def test_numbers_that_yaml_leaves_as_text(tmp_path: Path) -> None:
    values = read(tmp_path, GOOD)
    assert (values.lr, values.norm_constraint, values.bound) == (5e-4, 1e-4, 1e-4)
    assert values.profile == "easyedit"


@pytest.mark.parametrize("written", ["0", "1", "false", "'3'"])
def test_an_integer_or_false_is_no_bound(tmp_path: Path, written: str) -> None:
    assert read(tmp_path, GOOD.replace("1e-4", written)).bound is None


def test_unknown_fields_are_noted(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(GOOD)
    assert read_hparams(str(tmp_path / "h.yaml"), METHODS["ft"]).ignored == ("kl_factor",)


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
        read_hparams("ft-nothing", METHODS["ft"])
    with pytest.raises(InputError, match="ft-tiny"):
        read_hparams(None, METHODS["ft"], "some/model")


@pytest.mark.parametrize("name", preset_names())
def test_presets(name: str) -> None:
    hparams = read_hparams(name, find_method(name.split("-")[0]))
    assert hparams.values.bound is not None
    if name != "ft-tiny":
        assert (hparams.values.layers, hparams.values.lr, hparams.values.bound) == ([21], 5e-4, 1e-4)


def test_the_hash_is_of_the_values(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        (tmp_path / "h.yaml").write_text(text)
        return read_hparams(str(tmp_path / "h.yaml"), METHODS["ft"]).sha256()

    assert digest(GOOD) == digest(GOOD.replace("5e-4", "0.0005") + "batch_size: 1\n")
    assert digest(GOOD) != digest(GOOD.replace("5e-4", "6e-4"))


def test_the_unedited_model_needs_none() -> None:
    assert read_hparams(None, METHODS["none"]).ignored == ()


def test_methods_have_one_name_each() -> None:
    with pytest.raises(ValueError, match="'x'"):
        table([Method("x", FtHparams, METHODS["ft"].teach)] * 2)
    with pytest.raises(InputError, match="none, ft"):
        find_method("unheard")
