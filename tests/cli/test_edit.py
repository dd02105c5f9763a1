import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edittool.cli.edit import edit
from edittool.editing.tiny import Lessons, Text, TinySettings, tiny_model
from edittool.schemas.errors import EnvironmentFault, InputError

FT = """\
layers: [1]
num_steps: 2
lr: 1e-2
rewrite_module_tmp: model.layers.{}.mlp.down_proj
profile: exact
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = TinySettings(vocabulary=300, layers=2, hidden=16, mlp=16, heads=2, context=1024, epochs=1)
    return str(tiny_model(Lessons((Text("def f():\n", "    pass\n"),)), settings, cache=tmp_path_factory.mktemp("c")))


def run(out: Path, *arguments: str) -> Result:
    options = ["builtin", "-o", str(out), "-n", "1", "--max-new-tokens", "4", "--device", "cpu", *arguments]
    return CliRunner().invoke(edit, options)


def test_edit_twice(model: str, tmp_path: Path) -> None:
    (tmp_path / "ft.yaml").write_text(FT)
    out = tmp_path / "s.jsonl"
    arguments = ["--model", model, "--hparams", str(tmp_path / "ft.yaml"), "--changes", "math.sqrt, sorted"]
    arguments += ["--specificity-per-change", "2", "--save-edits", str(tmp_path / "edits")]
    first = run(out, *arguments)
    assert first.exit_code == 0, first.output
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(found) == 10
    assert {tuple(row["edited"]) for row in found} == {("math.sqrt",), ("sorted",)}
    assert {path.name for path in (tmp_path / "edits").iterdir()} == {"math.sqrt.safetensors", "sorted.safetensors"}
    assert "10 new samples" in first.stderr
    assert first.stdout == ""
    assert "0 new samples (10 were there before)" in run(out, *arguments).stderr


def test_the_unedited_model(model: str, tmp_path: Path) -> None:
    result = run(tmp_path / "s.jsonl", "--model", model, "--method", "none", "--max-new-tokens", "1")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "s.jsonl").read_text().splitlines()) == 60


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--method", "rome"], "no editing method 'rome'"),
        (["--changes", "nope"], "no change 'nope'"),
        (["--changes", " , "], "names no change"),
        (["--temperature", "0", "-n", "3"], "-n 1"),
        (["--method", "none", "--regime", "instant"], "do not go together"),
        (["--hparams", "nothing.yaml"], "ft-tiny"),
    ],
)
def test_bad_input_is_told_before_a_model_is_loaded(tmp_path: Path, arguments: list[str], fault: str) -> None:
    result = run(tmp_path / "s.jsonl", "--model", "tiny", *arguments)
    assert isinstance(result.exception, InputError)
    assert fault in str(result.exception)
    assert not (tmp_path / "s.jsonl").exists()


def test_without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(tmp_path / "s.jsonl", "--model", "tiny")
    assert isinstance(result.exception, EnvironmentFault)
    assert "pip install 'edittool[edit]'" in str(result.exception)


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from click.testing import CliRunner; "
        "from edittool.cli.edit import edit; print(CliRunner().invoke(edit, ['--help']).output)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--specificity-per-change" in done.stdout
    assert "edittool edit builtin -o baseline.jsonl" in done.stdout
