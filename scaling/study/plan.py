"""The plan of a study: a YAML file, checked, with the defaults of the commands left to the commands."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ...benchmark.own.yaml_nodes import Lines, read_yaml_mapping
from ...editing.methods.hparams import preset_names
from ...editing.methods.table import method_names
from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.validation import find_placed_fault

UNEDITED = "unedited"  # what the files of the unedited model are called


@dataclass(frozen=True, slots=True)
class Sampling:
    """One way of sampling, by its name; None where the command's default is taken."""

    name: str
    n: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_new_tokens: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A method of the study with its settings, by its name. `hparams` is a preset's name or a file's path."""

    name: str
    method: str
    regimes: tuple[str, ...]
    hparams: str | None = None
    requests: str | None = None
    requests_per_change: int | None = None
    subject: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A study: one model, `methods` and `samplings`, on one benchmark.

    `bench` and `model` are as the commands take them. `seeds` of the file are in `samplings` already. `lines` has the
    line of each value of the file, for errors that are found later.
    """

    path: Path
    sha256: str
    bench: str
    model: str
    methods: tuple[Entry, ...]
    samplings: tuple[Sampling, ...]
    changes: tuple[str, ...] | None = None
    steps: tuple[int, ...] | None = None
    specificity_per_change: int | None = None
    chat: bool = False
    extract: str | None = None
    batch_size: int | None = None
    dtype: str | None = None
    device: str | None = None
    engine: str | None = None
    save_edits: bool = False
    stats: Mapping[str, Any] = field(default_factory=dict)
    judge: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    lines: Lines = field(default_factory=dict, repr=False, compare=False)

    def check_changes(self, bench: Bench) -> None:
        """Raise InputError, naming the plan's line, for a change that `bench` does not have."""
        for number, change_id in enumerate(self.changes or ()):
            if change_id not in bench.changes:
                near = _near(change_id, bench.changes, f"`edittool bench show {self.bench}` lists its changes.")
                where = _at(self.path, self.lines, "changes", number)
                raise InputError(f"{where}: the benchmark {bench.name} has no change {change_id!r}. {near}")

    def only(self, names: Sequence[str]) -> tuple[Entry, ...]:
        """Return the methods called `names`, in the plan's order. Raises InputError for a name that no method has."""
        known = [entry.name for entry in self.methods]
        for name in names:
            if name not in known:
                near = _near(name, known, f"Its methods: {', '.join(known)}.")
                raise InputError(f"{self.path} has no method called {name!r}. {near}")
        return tuple(entry for entry in self.methods if entry.name in names)


def read_plan(path: Path, *, bench: str | None = None, model: str | None = None) -> Plan:
    """Return the plan in the YAML file `path`; `bench` and `model`, where given, stand in place of the file's.

    Raises InputError, naming file, line and field, for what the schema `plan` refuses, an unknown method, two methods
    or samplings of one name, and fields that do not go together. Changes are held against a benchmark later: see
    `Plan.check_changes`.
    """
    data, lines = read_yaml_mapping(path)
    if found := find_placed_fault(data, "plan"):
        fault, place = found
        raise InputError(f"{_at(path, lines, *place)}: {fault}. Correct it; docs/formats.md has all fields.")
    _check_seeds(path, data, lines)
    regimes = tuple(dict.fromkeys(data.get("regimes", ["instant"])))
    _check_methods(path, data, lines)
    methods = tuple(_entry(path, row, regimes) for row in data["methods"])
    samplings = tuple(Sampling(**row) for row in data.get("samplings", [{"name": "sampled"}]))
    _check_names(path, lines, "methods", [entry.name for entry in methods], {UNEDITED})
    _check_names(path, lines, "samplings", [sampling.name for sampling in samplings], set())
    if "steps" in data and not any("sequential" in entry.regimes for entry in methods):
        raise InputError(f"{_at(path, lines, 'steps')}: steps are for the regime sequential, which no method has here.")
    kept = {name: data[name] for name in _AS_THEY_ARE if name in data}
    return Plan(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        bench=bench or _bench(path, _needed(path, data, "bench")),
        model=model or _folder(path, _needed(path, data, "model")),
        methods=methods,
        samplings=tuple(_with_seeds(samplings, data.get("seeds"))),
        changes=tuple(data["changes"]) if "changes" in data else None,
        steps=tuple(data["steps"]) if "steps" in data else None,
        stats=_placed_stats(path, data.get("stats", {})),
        references=tuple(data.get("reference", ())),
        lines=lines,
        **kept,
    )


_AS_THEY_ARE = (
    "specificity_per_change",
    "chat",
    "extract",
    "batch_size",
    "dtype",
    "device",
    "engine",
    "save_edits",
    "judge",
)


def _at(path: Path, lines: Lines, *place: str | int) -> str:
    """Return file and line of the value at `place`, or of the nearest that holds it."""
    while place not in lines:
        place = place[:-1]
    return f"{path}, line {lines[place]}"


def _near(name: str, known: Any, otherwise: str) -> str:
    found = get_close_matches(name, list(known), n=1)
    return f"Is {found[0]!r} meant?" if found else otherwise


def _needed(path: Path, data: Mapping[str, Any], name: str) -> str:
    if name not in data:
        raise InputError(f'{path} lacks the field "{name}". Add a line `{name}: ...`, or give --{name}.')
    value: str = data[name]
    return value


def _check_seeds(path: Path, data: Mapping[str, Any], lines: Lines) -> None:
    for number, row in enumerate(data.get("samplings", ())):
        if "seeds" in data and "seed" in row:
            where = _at(path, lines, "samplings", number, "seed")
            raise InputError(f"{where}: a sampling has no seed of its own beside `seeds`. Leave one of them out.")


def _check_methods(path: Path, data: Mapping[str, Any], lines: Lines) -> None:
    known = [name for name in method_names() if name != "none"]
    for number, row in enumerate(data["methods"]):
        where = _at(path, lines, "methods", number, "method")
        if row["method"] == "none":
            raise InputError(f"{where}: the unedited model is in every study. Remove the method none.")
        if row["method"] not in known:
            near = _near(row["method"], known, f"Choose one of: {', '.join(known)}.")
            raise InputError(f"{where}: there is no editing method {row['method']!r}. {near}")


def _entry(path: Path, row: Mapping[str, Any], regimes: tuple[str, ...]) -> Entry:
    hparams = row.get("hparams")
    if hparams is not None and hparams not in preset_names():
        hparams = str(path.parent / hparams)
    own = {
        "name": row.get("name", row["method"]),
        "hparams": hparams,
        "regimes": tuple(dict.fromkeys(row.get("regimes", regimes))),
    }
    return Entry(**{**row, **own})


def _check_names(path: Path, lines: Lines, field: str, names: Sequence[str], taken: set[str]) -> None:
    for number, name in enumerate(names):
        if name in taken:
            whose = "the unedited model's" if name == UNEDITED else "another's"
            where = _at(path, lines, field, number)
            raise InputError(f"{where}: the name {name!r} is {whose} already. Give it another `name`.")
        taken = {*taken, name}


def _with_seeds(samplings: Sequence[Sampling], seeds: Sequence[int] | None) -> list[Sampling]:
    if seeds is None:
        return list(samplings)
    chosen = dict.fromkeys(seeds)
    return [replace(one, name=f"{one.name}-seed{seed}", seed=seed) for one in samplings for seed in chosen]


def _bench(path: Path, name: str) -> str:
    return name if name == "builtin" else str(path.parent / name)


def _folder(path: Path, name: str) -> str:
    """Return the folder `name` beside the plan where there is one; else it is an id, or `tiny`."""
    beside = path.parent / name
    return str(beside) if name != "tiny" and beside.is_dir() else name


def _placed_stats(path: Path, stats: Mapping[str, Any]) -> dict[str, Any]:
    placed = dict(stats)
    if "corpus" in stats and (path.parent / stats["corpus"]).exists() and stats["corpus"] != "python":
        placed["corpus"] = str(path.parent / stats["corpus"])
    if "folder" in stats:
        placed["folder"] = path.parent / stats["folder"]
    return placed
