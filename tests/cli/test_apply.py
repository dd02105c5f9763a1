import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from transformers import AutoModelForCausalLM, AutoTokenizer

from edittool.cli.apply import apply
from edittool.editing.edits.checkpoints import write_checkpoint
from edittool.editing.edits.codebook import Entries, Entry
from edittool.editing.edits.edit import Edit
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import file_digest

from ..disks import small_disk

IDS = torch.arange(3, 40)[None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = TinySettings(vocabulary=300, layers=2, hidden=16, mlp=16, heads=2, epochs=1)
    return str(tiny_model(Lessons((Text("def f():\n", "    pass\n"),)), settings, cache=tmp_path_factory.mktemp("c")))


def save_edit(path: Path, layer: int, **about: str) -> Path:
    """Save an edit of a tiny model's layer, as `edittool edit` would."""
    name = f"model.layers.{layer}.mlp.down_proj.weight"
    delta = torch.randn(16, 16, generator=torch.Generator().manual_seed(layer))
    Edit("ft", {name: delta}).save(path, about)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(apply, [str(argument) for argument in arguments])


def logits_of(folder: Path, **options: Any) -> torch.Tensor:
    loaded: Any = AutoModelForCausalLM.from_pretrained(folder, **options)
    with torch.no_grad():
        return loaded(IDS).logits


def test_the_folder_is_the_edited_model(model: str, tmp_path: Path) -> None:
    edits = [save_edit(tmp_path / f"{layer}.safetensors", layer, model=model, dtype="float32") for layer in (1, 0)]
    out = tmp_path / "made" / "edited"
    result = run(model, *edits, "-o", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "made for the model" not in result.stderr
    loaded, tokenizer = load_model(model, "cpu")
    for path in edits:
        Edit.load(path).apply(loaded)
    with torch.no_grad():
        assert torch.equal(logits_of(out), loaded(IDS).logits)
    assert not torch.equal(logits_of(out), logits_of(Path(model)))
    text = "def f():\n    pass\n"
    assert AutoTokenizer.from_pretrained(out)(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert [path.name for path in out.parent.iterdir()] == ["edited"]


def test_the_folder_says_what_made_it(model: str, tmp_path: Path) -> None:
    path = save_edit(tmp_path / "a.safetensors", 0, model="org/model", dtype="bfloat16", edited='["len"]')
    result = run(model, path, "-o", tmp_path / "edited")
    assert result.exit_code == 0, result.output
    note = json.loads((tmp_path / "edited" / "edittool.json").read_text())
    assert (note["model"], note["dtype"]) == (model, "bfloat16")
    (made,) = note["edits"]
    assert (made["file"], made["sha256"]) == ("a.safetensors", file_digest(path))
    assert (made["metadata"]["method"], made["metadata"]["edited"]) == ("ft", '["len"]')
    assert "was made for the model org/model" in result.stderr
    assert logits_of(tmp_path / "edited", dtype="auto").dtype == torch.bfloat16


def test_the_type_of_the_weights_can_be_chosen(model: str, tmp_path: Path) -> None:
    path = save_edit(tmp_path / "a.safetensors", 0, dtype="bfloat16")
    assert run(model, path, "-o", tmp_path / "edited", "--dtype", "float16").exit_code == 0
    assert logits_of(tmp_path / "edited", dtype="auto").dtype == torch.float16


def test_tied_weights_stay_tied(tmp_path: Path) -> None:
    from ..editing.conftest import make_model

    gpt2 = make_model("gpt2")
    gpt2.save_pretrained(tmp_path / "gpt2")
    lessons = Lessons((Text("def f():\n", "    pass\n"),))
    tiny = tiny_model(lessons, TinySettings(vocabulary=300, layers=1, hidden=8, mlp=8, heads=1, epochs=1))
    AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path / "gpt2")
    edit = Edit("ft", {"transformer.wte.weight": torch.randn(300, 32)})
    edit.save(tmp_path / "a.safetensors", {"model": "gpt2"})
    result = run(tmp_path / "gpt2", tmp_path / "a.safetensors", "-o", tmp_path / "edited")
    assert result.exit_code == 0, result.output
    loaded: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "edited")
    assert loaded.lm_head.weight.data_ptr() == loaded.transformer.wte.weight.data_ptr()
    with torch.no_grad(), edit.apply(gpt2):
        assert torch.equal(loaded(IDS).logits, gpt2(IDS).logits)


def test_an_edit_of_a_sequence_without_those_before_it(model: str, tmp_path: Path) -> None:
    paths = [
        save_edit(tmp_path / f"{n}.safetensors", 0, regime="sequential", edited=json.dumps(["a", "b", "c"][:n]))
        for n in (1, 2, 3)
    ]
    assert "made on top of" not in run(model, *paths, "-o", tmp_path / "all").stderr
    result = run(model, paths[0], paths[2], "-o", tmp_path / "some")
    assert "3.safetensors was made on top of a, b" in result.stderr
    assert "2.safetensors" not in result.stderr


class TestRefusals:
    def test_a_folder_that_holds_something(self, model: str, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / "file").write_text("kept")
        result = run("nowhere/nothing", save_edit(tmp_path / "a.safetensors", 0), "-o", tmp_path / "there")
        assert isinstance(result.exception, InputError)
        assert "is there already" in str(result.exception)
        assert [path.name for path in (tmp_path / "there").iterdir()] == ["file"]

    def test_an_empty_folder_is_none(self, model: str, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert run(model, save_edit(tmp_path / "a.safetensors", 0), "-o", tmp_path / "empty").exit_code == 0
        assert (tmp_path / "empty" / "config.json").is_file()

    @pytest.mark.parametrize(
        ("content", "fault"), [(None, "cannot be read as an edit"), (b"no tensors", "cannot be read as an edit")]
    )
    def test_what_is_no_edit(self, tmp_path: Path, content: bytes | None, fault: str) -> None:
        if content is not None:
            (tmp_path / "a.safetensors").write_bytes(content)
        result = run("tiny", tmp_path / "a.safetensors", "-o", tmp_path / "edited")
        assert isinstance(result.exception, InputError)
        assert fault in str(result.exception)

    def test_tensors_that_are_no_edit(self, model: str, tmp_path: Path) -> None:
        result = run("tiny", Path(model) / "model.safetensors", "-o", tmp_path / "edited")
        assert isinstance(result.exception, InputError)
        assert "not an edit" in str(result.exception)

    def test_an_edit_of_grace(self, tmp_path: Path) -> None:
        entries = Entries((Entry(torch.zeros(16), torch.ones(16), 1.0, 0.0),))
        Edit("grace", {}, codebooks={"model.layers.0.mlp.down_proj": entries}).save(tmp_path / "a.safetensors")
        result = run("tiny", tmp_path / "a.safetensors", "-o", tmp_path / "edited")
        assert isinstance(result.exception, InputError)
        assert "an edit with a codebook" in str(result.exception)

    def test_an_edit_of_another_shape(self, model: str, tmp_path: Path) -> None:
        Edit("ft", {"model.layers.0.mlp.down_proj.weight": torch.zeros(3, 3)}).save(tmp_path / "a.safetensors")
        result = run(model, tmp_path / "a.safetensors", "-o", tmp_path / "edited")
        assert isinstance(result.exception, InputError)
        assert "in shape (3, 3)" in str(result.exception)
        assert not (tmp_path / "edited").exists()

    def test_a_full_disk(self, model: str, tmp_path: Path) -> None:
        edit = save_edit(tmp_path / "a.safetensors", 0)
        with small_disk(tmp_path / "disk", 4096) as disk:
            result = run(model, edit, "-o", disk / "edited")
            assert isinstance(result.exception, EnvironmentFault)
            assert "MiB are free. Free some space" in str(result.exception)
            assert not list(disk.iterdir())

    def test_a_disk_that_is_full_before_the_end(self, model: str, tmp_path: Path) -> None:
        loaded, tokenizer = load_model(model, "cpu")
        with small_disk(tmp_path / "disk", 16 * 1024) as disk:
            with pytest.raises(EnvironmentFault, match=r"edited cannot be written: .*Nothing of it is kept"):
                write_checkpoint(loaded, tokenizer, disk / "edited", {}, [])
            assert not list(disk.iterdir())


def test_an_edit_that_does_not_fit_is_told_before_weights_are_read(model: str, tmp_path: Path) -> None:
    outline = tmp_path / "outline"
    shutil.copytree(model, outline)
    (outline / "model.safetensors").unlink()
    edit = save_edit(tmp_path / "e.safetensors", 7)
    result = run(outline, edit, "-o", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert f"{edit} does not fit" in str(result.exception)
    assert "model.layers.7.mlp.down_proj.weight" in str(result.exception)


def test_a_place_that_cannot_be_written_is_told_before_a_model_is_loaded(model: str, tmp_path: Path) -> None:
    result = run(model, save_edit(tmp_path / "e.safetensors", 0), "-o", "/proc/nothing/out")
    assert isinstance(result.exception, EnvironmentFault)
    assert "loading" not in result.stderr
