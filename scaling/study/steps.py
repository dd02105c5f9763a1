"""The steps of a study: its plan as commands of edittool, in their order, with the files that each reads and makes."""

import hashlib
import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...editing.methods.hparams import read_hparams
from ...editing.methods.table import find_method
from ...schemas.errors import InputError
from .plan import UNEDITED, Entry, Plan, Sampling


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a study, by its arguments, and what it does in words.

    `makes` are the files (a report: the folder) that it writes, the first of which is always there when it is done;
    `reads` are the files of the study that it reads. `entry` is the method that it is of; None where it serves all.
    `serves`: of statistics, the edits that need them; they make no file that the study knows. `needs`: of an edit, the
    arguments of the step that computes its statistics.
    """

    title: str
    arguments: tuple[str, ...]
    makes: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    entry: Entry | None = None
    serves: tuple["Step", ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return which command of edittool it is."""
        return self.arguments[0]

    @property
    def command(self) -> str:
        """Return it as one types it into a shell."""
        return shlex.join(("edittool", *self.arguments))


def first_steps(plan: Plan, folder: Path, entries: Sequence[Entry]) -> list[Step]:
    """Return the steps that sample and judge the unedited model and each of `entries`, in the order to run them in."""
    steps = [step for sampling in plan.samplings for step in _unedited(plan, folder, sampling)]
    for entry in entries:
        pairs = [(regime, sampling) for regime in entry.regimes for sampling in plan.samplings]
        own = [step for regime, sampling in pairs for step in _edited(plan, folder, entry, regime, sampling)]
        _add_statistics(steps, entry, [step for step in own if step.needs])
        steps += own
    return steps


def last_steps(plan: Plan, folder: Path, missing: Collection[Path]) -> list[Step]:
    """Return the steps that stand on all methods: the unedited model in the worlds of the edits, and the reports.

    `missing` are files of edited models that there are not: what belongs to them is left out.
    """
    kept = [
        (sampling, [one for one in _all_files(plan, folder, sampling) if not {one.samples, one.verdicts} & {*missing}])
        for sampling in plan.samplings
    ]
    worlds = [_same_worlds(plan, folder, sampling, files) for sampling, files in kept if files]
    return worlds + [_report(plan, folder, sampling, files, missing) for sampling, files in kept]


def report_folder(plan: Plan, folder: Path, sampling: Sampling) -> Path:
    """Return where the report of `sampling` stands: samples of two temperatures are never in one table."""
    return folder / "report" if len(plan.samplings) == 1 else folder / "report" / sampling.name


@dataclass(frozen=True, slots=True)
class _Files:
    """What belongs to one method in one regime and one sampling, or to the unedited model in one sampling.

    `journal` is that of the command which learned the edits, where there are any.
    """

    stem: Path
    journal: Path | None = None

    @property
    def samples(self) -> Path:
        return self._called("samples.jsonl")

    @property
    def verdicts(self) -> Path:
        return self._called("verdicts.jsonl")

    @property
    def without_change(self) -> Path:
        return self._called("no-change.verdicts.jsonl")

    @property
    def same_worlds(self) -> Path:
        return self._called("same-worlds.verdicts.jsonl")

    def _called(self, end: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}.{end}")


def _files_unedited(folder: Path, sampling: Sampling) -> _Files:
    return _Files(folder / f"{UNEDITED}.{sampling.name}")


def _files(plan: Plan, folder: Path, entry: Entry, regime: str, sampling: Sampling) -> _Files:
    files = _Files(folder / f"{entry.name}.{regime}.{sampling.name}")
    if find_method(entry.method).told:
        return files
    learning = folder / f"{entry.name}.{regime}.{_learning(plan, sampling).name}"
    return replace(files, journal=learning.with_name(f"{learning.name}.samples.edits.jsonl"))  # as `edittool edit` does


def _learning(plan: Plan, sampling: Sampling) -> Sampling:
    """Return the sampling whose commands learn the edits of `sampling`: the first that finds none saved."""
    if not plan.save_edits:
        return sampling
    return next(one for one in plan.samplings if (one.seed or 0) == (sampling.seed or 0))


def _all_files(plan: Plan, folder: Path, sampling: Sampling) -> list[_Files]:
    return [_files(plan, folder, entry, regime, sampling) for entry in plan.methods for regime in entry.regimes]


def _unedited(plan: Plan, folder: Path, sampling: Sampling) -> Iterator[Step]:
    files = _files_unedited(folder, sampling)
    edit = ("edit", plan.bench, "-o", str(files.samples), *_options(plan, sampling, method="none"))
    yield Step(_said("The unedited model answers", plan, sampling), edit, (files.samples,))
    judge = ("judge", plan.bench, str(files.samples), "--world", "none", "-o", str(files.without_change))
    title = "The unedited model with no change active: can it program at all?"
    yield Step(title, judge + _judging(plan), (files.without_change,), (files.samples,))


_REGIMES = {
    "instant": "{} teaches one change at a time, and the model answers again",
    "sequential": "{} teaches one change on top of the other",
    "batch": "{} teaches all changes at once",
}


def _edited(plan: Plan, folder: Path, entry: Entry, regime: str, sampling: Sampling) -> Iterator[Step]:
    files, drafts = _files(plan, folder, entry, regime, sampling), _files_unedited(folder, sampling).samples
    needs = _statistics(plan, folder, entry)
    more: dict[str, Any] = {
        "hparams": entry.hparams,
        "requests": entry.requests,
        "requests_per_change": entry.requests_per_change,
        "subject": entry.subject,
        "steps": _listed(plan.steps) if regime == "sequential" else None,
        "stats": _statistics_folder(plan, folder) if needs else None,
        "save_edits": _saved(folder, entry, regime, sampling) if plan.save_edits and files.journal else None,
        "drafts": drafts if plan.engine != "vllm" else None,
    }
    options = _options(plan, sampling, method=entry.method, regime=regime, **more)
    edit = ("edit", plan.bench, "-o", str(files.samples), *options)
    words = _REGIMES[regime] if files.journal else "{} documents the changes in the prompt instead of an edit"
    title = _said(words.format(entry.name), plan, sampling)
    reads = (drafts,) if plan.engine != "vllm" else ()
    learned = (files.journal,) if files.journal and _learning(plan, sampling) == sampling else ()
    makes = (files.samples, *learned)
    yield Step(title, edit, makes, reads, entry, needs=needs)
    judge = ("judge", plan.bench, str(files.samples), "-o", str(files.verdicts), *_judging(plan))
    yield Step("Its programs, each in its change's world", judge, (files.verdicts,), (files.samples,), entry)


def _saved(folder: Path, entry: Entry, regime: str, sampling: Sampling) -> Path:
    """Return where edits are kept: the seed decides what they are, and no more of the sampling does."""
    return folder / "edits" / f"{entry.name}.{regime}.seed{sampling.seed or 0}"


def _statistics(plan: Plan, folder: Path, entry: Entry) -> tuple[str, ...]:
    """Return the arguments of the command that computes the statistics that `entry` needs; none where it needs none."""
    try:
        hparams = read_hparams(entry.hparams, find_method(entry.method), plan.model)
    except InputError:  # the edit says what is wrong with them
        return ()
    if not hparams.needs_statistics:
        return ()
    options = {
        "method": entry.method,
        "hparams": entry.hparams,
        "corpus": plan.stats.get("corpus"),
        "samples": plan.stats.get("samples"),
        "max_tokens": plan.stats.get("max_tokens"),
        "output": _statistics_folder(plan, folder),
        "dtype": plan.dtype,
        "device": plan.device,
        "bench": plan.bench if plan.model == "tiny" else None,
    }
    return ("stats", plan.model, *_written(options))


def _statistics_folder(plan: Plan, folder: Path) -> Path | None:
    """Return where statistics are kept; None for the cache, where those of the command's defaults may be already.

    Where the plan says how they are computed, they have a folder that none of others can get into.
    """
    if "folder" in plan.stats or not plan.stats:
        return plan.stats.get("folder")
    settings = json.dumps(plan.stats, sort_keys=True)
    return folder / "stats" / hashlib.sha256(settings.encode("utf-8")).hexdigest()[:8]


def _add_statistics(steps: list[Step], entry: Entry, edits: Sequence[Step]) -> None:
    """Add the step that computes what `edits` need of the model to `steps`; one that is there serves them too."""
    if not edits:
        return
    for place, step in enumerate(steps):
        if step.arguments == edits[0].needs:
            steps[place] = replace(step, serves=(*step.serves, *edits))
            return
    title = f"What {entry.name} has to know of the model"
    steps.append(Step(title, edits[0].needs, entry=entry, serves=tuple(edits)))


def _same_worlds(plan: Plan, folder: Path, sampling: Sampling, edited: Sequence[_Files]) -> Step:
    files, samples = _files_unedited(folder, sampling), tuple(one.samples for one in edited)
    worlds = [word for path in samples for word in ("--worlds-of", str(path))]
    judge = ("judge", plan.bench, str(files.samples), *worlds, "-o", str(files.same_worlds), *_judging(plan))
    title = _said("The unedited model once the old API is gone, in the worlds of the edits", plan, sampling)
    return Step(title, judge, (files.same_worlds,), (files.samples, *samples))


def _report(plan: Plan, folder: Path, sampling: Sampling, edited: Sequence[_Files], missing: Collection[Path]) -> Step:
    unedited, place = _files_unedited(folder, sampling), report_folder(plan, folder, sampling)
    baselines = (unedited.without_change, *([unedited.same_worlds] if edited else []))
    verdicts = (*baselines, *(one.verdicts for one in edited))
    journals = tuple(one.journal for one in edited if one.journal and one.journal not in missing)
    options = [word for path in journals for word in ("--edits", str(path))]
    options += [word for name in plan.references for word in ("--reference", name)]
    report = ("report", plan.bench, *map(str, verdicts), *options, "-o", str(place))
    return Step(_said("Did editing teach the new API?", plan, sampling), report, (place,), (*verdicts, *journals))


def _said(title: str, plan: Plan, sampling: Sampling) -> str:
    return title if len(plan.samplings) == 1 else f"{title} ({sampling.name})"


def _options(plan: Plan, sampling: Sampling, **more: Any) -> tuple[str, ...]:
    """Return the options of `edittool edit` that all models of a study have in common, and `more`."""
    common = {
        "model": plan.model,
        **more,
        "changes": _listed(plan.changes),
        "specificity_per_change": plan.specificity_per_change,
        "samples": sampling.n,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_new_tokens": sampling.max_new_tokens,
        "seed": sampling.seed,
        "chat": plan.chat,
        "extract": plan.extract,
        "batch_size": plan.batch_size,
        "dtype": plan.dtype,
        "device": plan.device,
        "engine": plan.engine,
    }
    return _written(common)


def _judging(plan: Plan) -> tuple[str, ...]:
    return _written(plan.judge)


def _written(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return options as words of a command line: True is a switch, and what is None or False is left out."""
    words: list[str] = []
    for name, value in options.items():
        if value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return tuple(words)


def _listed(values: Sequence[object] | None) -> str | None:
    return None if values is None else ",".join(map(str, values))
