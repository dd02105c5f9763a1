"""What is done: a step whose command, inputs and files are those of study.json, and no other."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.scaling.study.plan import Entry, Plan, Sampling
from edittool.scaling.study.record import Record
from edittool.scaling.study.steps import Step, first_steps
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.validation import find_fault

pytestmark = pytest.mark.torch  # hyperparameters are read by their method


class Place:
    """A folder with the files of a step that edits by FT, and the step, whose hyperparameters are in a file."""

    def __init__(self, folder: Path):
        self.folder, self.model, self.hparams = folder / "study", folder / "model", folder / "ft.yaml"
        self.folder.mkdir()
        self.model.mkdir()
        (self.model / "weights").write_text("1")
        preset = Path(__file__).resolve().parents[3] / "editing/methods/presets/ft-codellama-7b.yaml"
        self.hparams.write_text(preset.read_text())
        entry = Entry("ft", "ft", ("instant",), hparams=str(self.hparams))
        self.plan = Plan(Path("plan.yaml"), "0" * 64, "builtin", str(self.model), (entry,), (Sampling("s"),))
        self.bench = load_builtin()
        for path in (*self.step.makes, *self.step.reads):
            path.write_text(f"{path.name}\n")

    @property
    def step(self) -> Step:
        return next(step for step in first_steps(self.plan, self.folder, self.plan.methods) if step.entry)

    def record(self, bench: Bench | None = None) -> Record:
        return Record(self.plan, bench or self.bench, self.folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_step_that_was_noted_is_done_and_the_record_is_valid_and_stays(place: Place) -> None:
    assert not place.record().is_done(place.step)
    place.record().note(place.step)
    path = place.folder / "study.json"
    text = path.read_bytes()
    record = json.loads(text)
    assert find_fault(record, "study") is None
    assert set(record["steps"][0]["outputs"]) == {"ft.instant.s.samples.jsonl", "ft.instant.s.samples.edits.jsonl"}
    assert place.record().is_done(place.step)
    place.record().note(place.step)
    assert path.read_bytes() == text


CHANGED: dict[str, Callable[[Place], object]] = {
    "samples": lambda place: place.step.makes[0].write_text("other\n"),
    "journal": lambda place: place.step.makes[1].unlink(),
    "drafts": lambda place: place.step.reads[0].write_text("other\n"),
    "weights": lambda place: (place.model / "weights").write_text("2"),
    "new_file_of_the_model": lambda place: (place.model / "more").write_text(""),
    "hparams": lambda place: place.hparams.write_text(
        place.hparams.read_text().replace("num_steps: 25", "num_steps: 26")
    ),
    "hparams_gone": lambda place: place.hparams.unlink(),
    "plan": lambda place: setattr(place, "plan", replace(place.plan, dtype="bfloat16")),
    "bench": lambda place: setattr(place, "bench", replace(place.bench, changes={}, problems={}, manifest={})),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_step_is_not_done_once_anything_has_changed(place: Place, what: str) -> None:
    place.record().note(place.step)
    hparams = place.hparams.read_text()
    CHANGED[what](place)
    assert what != "hparams" or place.hparams.read_text() != hparams
    assert not place.record().is_done(place.step)


def test_an_edit_is_not_done_with_other_statistics(place: Place) -> None:
    edit = replace(place.step, needs=("stats", "m", "--samples", "9"))
    place.record().note(edit)
    assert place.record().is_done(edit)
    assert not place.record().is_done(replace(edit, needs=("stats", "m", "--samples", "10")))


def test_what_is_kept_has_its_digest_in_the_end(place: Place) -> None:
    (place.folder / "edits" / "ft").mkdir(parents=True)
    (place.folder / "edits" / "ft" / "one.safetensors").write_text("1")
    (place.folder / "edits" / ".lock").write_text("")
    place.record().finish()
    kept = json.loads((place.folder / "study.json").read_text())["kept"]
    assert kept == {"edits/ft/one.safetensors": hashlib.sha256(b"1").hexdigest()}
    place.record().note(place.step)
    assert json.loads((place.folder / "study.json").read_text())["kept"] == kept


def test_statistics_are_done_where_no_edit_is_left_to_need_them(place: Place) -> None:
    statistics = Step("", ("stats", "m"), serves=(place.step,))
    assert not place.record().is_done(statistics)
    place.record().note(place.step)
    assert place.record().is_done(statistics)
    assert not place.record().is_done(
        replace(statistics, serves=(place.step, replace(place.step, makes=(place.folder / "x",))))
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 1}', '{"schema_version": 2}'])
def test_a_record_that_is_none_is_named(place: Place, text: str) -> None:
    (place.folder / "study.json").write_text(text)
    with pytest.raises(InputError, match=r"study\.json.*Remove it"):
        place.record()
