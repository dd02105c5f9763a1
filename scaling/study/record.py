"""The record of a study, FOLDER/study.json: for each step that is done, what it read and what it wrote, as digests."""

import contextlib
import hashlib
import json
import platform
import shlex
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ...editing.methods.hparams import read_hparams
from ...editing.methods.table import find_method
from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.validation import read_object
from ...schemas.whole_files import replace_file, write_faults
from .plan import Plan
from .steps import Step

NAME = "study.json"
KEPT = ("edits", "stats")  # folders that steps fill and take from, each file of which says what it is of
LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "peft", "vllm")


class Record:
    """What is done of the study of `plan` in `folder`. Raises InputError for a study.json that is none."""

    def __init__(self, plan: Plan, bench: Bench, folder: Path):
        self.path = folder / NAME
        self._plan, self._bench, self._folder = plan, bench, folder
        self._model_sha256 = cache(lambda: _model_sha256(plan.model))
        found = _read(self.path)
        self._steps = {row["name"]: row for row in found["steps"]}
        self._kept: dict[str, str] = found["kept"]

    def is_done(self, step: Step) -> bool:
        """Tell whether `step` was done by the same command with the same inputs, and its files are as it left them.

        Statistics are done where every edit is that needs them. Hyperparameters that cannot be read are not done: the
        command says what is wrong with them.
        """
        if step.serves:
            return all(map(self.is_done, step.serves))
        row = self._steps.get(self._name(step.makes[0]))
        try:
            return row is not None and row == self._row(step)
        except InputError:
            return False

    def note(self, step: Step) -> None:
        """Write down that `step` is done. Raises EnvironmentFault when the disk refuses."""
        if step.makes:
            self._steps[self._name(step.makes[0])] = self._row(step)
            self._save()

    def finish(self) -> None:
        """Write down what else the study keeps, now that no step is left. Raises EnvironmentFault as `note` does."""
        with write_faults(self._folder):
            files = [file for place in KEPT for file in _files(self._folder / place) if not file.name.startswith(".")]
            self._kept = {self._name(file): _file_sha256(file) for file in files}
        self._save()

    def _save(self) -> None:
        """Write study.json, unless it says the same already."""
        text = json.dumps(self._to_json(), indent=2) + "\n"
        with write_faults(self.path):
            if not self.path.exists() or self.path.read_text(encoding="ascii", errors="replace") != text:
                replace_file(self.path, [text])

    def _to_json(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "plan": {"file": self._plan.path.name, "sha256": self._plan.sha256},
            "bench": {"name": self._bench.name, "sha256": self._bench.digest()},
            "model": {"name": self._plan.model, "sha256": self._model_sha256()},
            "versions": _versions(),
            "steps": list(self._steps.values()),
            "kept": self._kept,
        }

    def _row(self, step: Step) -> dict[str, Any]:
        """Return what study.json has of `step` once it is done, with its files as they are now."""
        return {
            "name": self._name(step.makes[0]),
            "command": list(step.arguments),
            "inputs": self._inputs(step),
            "outputs": self._outputs(step),
        }

    def _inputs(self, step: Step) -> dict[str, str]:
        """Return what decides the result of `step` besides its command: files, by digest, and the version."""
        inputs = {"edittool": version("edittool"), "bench": self._bench.digest()}
        if step.kind == "edit":
            inputs |= {"model": self._model_sha256() or self._plan.model}
        if step.kind == "edit" and step.entry is not None:
            hparams = read_hparams(step.entry.hparams, find_method(step.entry.method), self._plan.model)
            inputs |= {"hparams": hparams.sha256()}
        if step.needs:
            inputs |= {"statistics": shlex.join(step.needs)}
        return inputs | {self._name(path): _file_sha256(path) for path in step.reads if path.exists()}

    def _outputs(self, step: Step) -> dict[str, str]:
        files = [file for made in step.makes for file in _files(made)]
        return {self._name(file): _file_sha256(file) for file in files}

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def _read(path: Path) -> dict[str, Any]:
    """Return the record at `path`, of nothing done where there is none. Raises InputError where it is no record."""
    try:
        return read_object(path, "study", _REMEDY)
    except FileNotFoundError:
        return {"steps": [], "kept": {}}


_REMEDY = "Remove it: every step then looks at what it finds, and goes on from there."


def _files(made: Path) -> list[Path]:
    """Return the files that there are of a file or a folder, sorted."""
    if made.is_dir():
        return sorted(path for path in made.rglob("*") if path.is_file())
    return [made] if made.exists() else []


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _model_sha256(name: str) -> str | None:
    """Return SHA-256 over the names and contents of a model's files; None where `name` is no folder's."""
    folder = Path(name)
    if name == "tiny" or not folder.is_dir():
        return None
    listed = [f"{_file_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    return hashlib.sha256("".join(listed).encode("utf-8", "surrogateescape")).hexdigest()


def _versions() -> dict[str, str]:
    found = {"edittool": version("edittool"), "python": platform.python_version()}
    for name in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
