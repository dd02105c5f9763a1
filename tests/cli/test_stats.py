import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edittool.cli.stats import stats
from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text
from edittool.schemas.errors import EnvironmentFault, InputError

MODULES = [f"model.layers.{layer}.mlp.down_proj" for layer in (0, 1)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = TinySettings(vocabulary=300, layers=2, hidden=16, mlp=16, heads=2, context=64, epochs=1)
    return str(tiny_model(Lessons((Text("def f():\n", "    pass\n"),)), settings, cache=tmp_path_factory.mktemp("c")))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    for i in range(5):
        (folder / f"{i}.py").write_text(f"x = {i}\n" * i)
    (folder / "binary").write_bytes(b"\xff\0")
    return folder


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(stats, [*map(str, arguments), "--device", "cpu"])


def test_twice(model: str, corpus: Path, tmp_path: Path) -> None:
    arguments = [model, "--layers", "1, 0", "--corpus", corpus, "-n", "3", "-o", tmp_path / "out"]
    first = run(*arguments)
    assert first.exit_code == 0, first.output
    lines = [line.split("  ") for line in first.stdout.splitlines()]
    assert [line[0] for line in lines] == MODULES[::-1]
    assert all(line[1].endswith(" tokens") and Path(line[2]).is_file() for line in lines)
    assert Path(lines[0][2]).name == f"{MODULES[1]}_float32_mom2_3.npz"
    assert "1 files are no text" in first.stderr
    assert "2 computed, 0 were there before" in first.stderr
    second = run(*arguments)
    assert second.stdout == first.stdout
    assert "0 computed, 2 were there before" in second.stderr


def test_into_the_cache_and_cut(model: str, corpus: Path) -> None:
    result = run(model, "--layers", "0", "--attention", "--corpus", corpus, "--max-tokens", "9", "--batch-tokens", "20")
    assert result.exit_code == 0, result.output
    assert "all are read" in result.stderr
    assert [line.split("  ")[0] for line in result.stdout.splitlines()] == [
        "model.layers.0.self_attn.o_proj",
        "model.layers.0.mlp.down_proj",
    ]
    assert result.stdout.count("_float32_mom2_t9_100000.npz") == 2


MEMIT = """\
alg_name: MEMIT
layers: [0, 1]
v_num_grad_steps: 2
v_lr: 5e-1
v_weight_decay: 1e-3
clamp_norm_factor: 4
kl_factor: 0.0625
mom2_update_weight: 15000
mom2_n_samples: 4
mom2_dtype: float64
"""


@pytest.mark.parametrize("method", [[], ["--method", "memit"]])
def test_what_an_edit_needs(model: str, corpus: Path, tmp_path: Path, method: list[str]) -> None:
    (tmp_path / "memit.yaml").write_text(MEMIT)
    result = run(model, *method, "--hparams", tmp_path / "memit.yaml", "--corpus", corpus)
    assert result.exit_code == 0, result.output
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    assert [(line[0], Path(line[2]).name) for line in lines] == [
        (module, f"{module}_float64_mom2_4.npz") for module in MODULES
    ]
    assert "the hyperparameters ask for the corpus wikipedia (`mom2_dataset`); code is read" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ([], "either --layers"),
        (["--layers", "0", "--method", "ft"], "either --layers"),
        (["--layers", "0", "--hparams", "ft-tiny"], "either --layers"),
        (["--layers", "0,x"], "no list of layers"),
        (["--layers", ""], "no list of layers"),
        (["--layers", "99"], "no layer 99: its 2 layers"),
        (["--layers", "-1"], "no layer -1"),
        (["--layers", "0", "-n", "0"], "samples must be at least 1"),
        (["--layers", "0", "--corpus", "./nowhere"], "does not exist"),
        (["--method", "nothing"], "no editing method"),
    ],
)
def test_bad_input(model: str, arguments: list[str], fault: str) -> None:
    result = run(model, *arguments)
    assert isinstance(result.exception, InputError), result.output
    assert fault in str(result.exception)
    assert result.stdout == ""


@pytest.mark.parametrize("method", [[], ["--method", "ft"]])
def test_a_method_that_needs_none(model: str, tmp_path: Path, method: list[str]) -> None:
    (tmp_path / "ft.yaml").write_text(
        "alg_name: FT\nlayers: [1]\nnum_steps: 1\nlr: 1\nrewrite_module_tmp: layers.{}.\n"
    )
    result = run(model, *method, "--hparams", tmp_path / "ft.yaml")
    assert isinstance(result.exception, InputError)
    assert "The method ft needs no statistics" in str(result.exception)


def test_a_folder_that_cannot_be_written(model: str, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(model, "--layers", "0", "--corpus", corpus, "-o", tmp_path / "file" / "out")
    assert isinstance(result.exception, EnvironmentFault)
    assert "Choose it with -o" in str(result.exception)


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run("tiny", "--layers", "0")
    assert isinstance(result.exception, EnvironmentFault)
    assert "`edittool stats` needs PyTorch" in str(result.exception)


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from click.testing import CliRunner; "
        "from edittool.cli.stats import stats; print(CliRunner().invoke(stats, ['--help']).output)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "edittool stats tiny --layers" in done.stdout
