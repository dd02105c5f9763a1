"""The report: one block for each setting, one row for each subset."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..schemas.bench import SUBSETS, Bench
from ..schemas.problems import Problem
from .metrics import PassAtK, label_shares, mean_pass_at_k, share
from .reading import unknown_task

KS = (1, 3, 5)
ALL = "all"

World = Literal["own", "none", "edited", "all", "other", "either"]
_WORLDS: tuple[World, ...] = ("own", "none", "edited", "all", "other")


@dataclass(frozen=True, slots=True)
class Setting:
    """What tells blocks apart; None where the verdicts do not say. `world` is the kind of world, see `_world`."""

    model: str | None
    method: str | None
    regime: str | None
    step: int | None
    hparams_sha256: str | None
    world: World


@dataclass(frozen=True, slots=True)
class SubsetRow:
    """The numbers of one subset in one setting; shares are 0..1 of the judged samples, None where there are none.

    `unjudged` verdicts (the sandbox failed) are among `samples`, and in no share.
    """

    subset: str
    problems: int
    problems_in_bench: int
    samples: int
    unjudged: int
    compiles: float | None
    partial: float | None
    full: float | None
    pass_at_k: tuple[PassAtK, ...]
    labelled: int
    labels: Mapping[str, float] | None
    labelled_passing: int
    labels_passing: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Block:
    """One setting and its rows: reliability, generalization, specificity, all."""

    setting: Setting
    rows: tuple[SubsetRow, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Every table of one benchmark. `has_changes` is false where no problem has one, and so no label."""

    bench_name: str
    bench_sha256: str
    has_changes: bool
    blocks: tuple[Block, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat JSON object for each setting and subset, as report.schema.json has it."""
        return [asdict(block.setting) | _row_as_json(row) for block in self.blocks for row in block.rows]


def _row_as_json(row: SubsetRow) -> dict[str, Any]:
    return asdict(row) | {"pass_at_k": [asdict(estimate) for estimate in row.pass_at_k]}


@dataclass(slots=True)
class _Counts:
    """What is kept of the verdicts of one setting and subset.

    A unit of pass@k is one problem under one set of edits: in the instant regime a specificity problem is sampled
    under each edited model, and those samples are not tries of one model.
    """

    samples: int = 0
    unjudged: int = 0
    compiles: int = 0
    partial: int = 0
    full: int = 0
    units: dict[tuple[str, tuple[str, ...]], list[int]] = field(default_factory=dict)  # [judged, passed]
    labels: Counter[str] = field(default_factory=Counter)
    labels_passing: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Mapping[str, Any], problem: Problem) -> None:
        self.samples += 1
        unit = self.units.setdefault((problem.task_id, tuple(sorted(verdict.get("edited", ())))), [0, 0])
        if verdict["outcome"] == "sandbox_error":
            self.unjudged += 1
            return
        full = verdict["tests_passed"] >= verdict["tests_total"]
        unit[0] += 1
        unit[1] += full
        self.compiles += verdict["compiles"]
        self.partial += verdict["tests_passed"] >= 1
        self.full += full
        if verdict["label"] is not None:
            self.labels[verdict["label"]] += 1
            self.labels_passing[verdict["label"]] += full

    def row(self, subset: str, problems_in_bench: int) -> SubsetRow:
        judged = self.samples - self.unjudged
        units = [(n, c) for n, c in self.units.values()]
        return SubsetRow(
            subset=subset,
            problems=len({task_id for task_id, _ in self.units}),
            problems_in_bench=problems_in_bench,
            samples=self.samples,
            unjudged=self.unjudged,
            compiles=share(self.compiles, judged),
            partial=share(self.partial, judged),
            full=share(self.full, judged),
            pass_at_k=tuple(mean_pass_at_k(units, k) for k in KS),
            labelled=self.labels.total(),
            labels=label_shares(self.labels),
            labelled_passing=self.labels_passing.total(),
            labels_passing=label_shares(self.labels_passing),
        )


_BySubset = dict[str, _Counts]


def build_report(bench: Bench, verdicts: Iterable[Mapping[str, Any]]) -> Report:
    """Return the tables of valid `verdicts`, each sample once (`reading.VerdictReader` sees to both).

    Verdicts are counted as they come; none is kept. Raises InputError for a task that `bench` does not have.
    """
    settings: dict[Setting, _BySubset] = defaultdict(lambda: defaultdict(_Counts))
    for verdict in verdicts:
        problem = bench.find(verdict["task_id"])
        if problem is None:
            raise unknown_task(verdict, bench)
        by_subset = settings[_setting(verdict, problem, bench)]
        by_subset[problem.subset].add(verdict, problem)
        by_subset[ALL].add(verdict, problem)
    _settle_unchanged(settings)
    blocks = tuple(_block(setting, settings[setting], bench) for setting in sorted(settings, key=_order))
    has_changes = any(problem.change_id is not None for problem in bench.problems.values())
    return Report(bench.name, bench.digest(), has_changes, blocks)


def _setting(verdict: Mapping[str, Any], problem: Problem, bench: Bench) -> Setting:
    step = verdict.get("step")
    return Setting(
        model=verdict.get("model"),
        method=verdict.get("method"),
        regime=verdict.get("regime"),
        step=None if step is None else int(step),
        hparams_sha256=verdict.get("hparams_sha256"),
        world=_world(verdict, problem, bench),
    )


def _world(verdict: Mapping[str, Any], problem: Problem, bench: Bench) -> World:
    """Return the kind of world: the problem's own change active, none though it has one, the edited ones, all, others.

    A problem without a change counts as in its own world with the one change that the model was edited with last: there
    it stands beside the problems of that change. With no change active and an unedited model, its own world and none
    are the same: "either", which `_settle_unchanged` decides.
    """
    own = set() if problem.change_id is None else {problem.change_id}
    edits = verdict.get("edited", ())
    active, edited, newest = set(verdict.get("active_changes", own)), set(edits), set(edits[-1:])
    if not (own or active or edited):
        return "either"
    if active == own or (not own and active == newest and len(newest) == 1):
        return "own"
    if not active:
        return "none"
    if active == bench.changes.keys():
        return "all"
    return "edited" if active == edited else "other"


def _settle_unchanged(settings: dict[Setting, _BySubset]) -> None:
    """Count what an unedited model did on problems without a change in both its worlds, "own" and "none".

    For these problems the two are the same: whichever of them the other problems ran in gets the numbers.
    """
    for setting in [setting for setting in settings if setting.world == "either"]:
        unchanged = settings.pop(setting)
        twins = [replace(setting, world=world) for world in ("own", "none")]
        for twin in [twin for twin in twins if twin in settings] or twins[:1]:
            for subset, counts in unchanged.items():
                _merge(settings[twin][subset], counts)


def _merge(into: _Counts, other: _Counts) -> None:
    """Add `other`, whose problems are others, to `into`."""
    into.samples += other.samples
    into.unjudged += other.unjudged
    into.compiles += other.compiles
    into.partial += other.partial
    into.full += other.full
    into.units |= other.units
    into.labels += other.labels
    into.labels_passing += other.labels_passing


def _block(setting: Setting, by_subset: _BySubset, bench: Bench) -> Block:
    sizes: Counter[str] = Counter(problem.subset for problem in bench.problems.values())
    rows = [by_subset[subset].row(subset, sizes[subset]) for subset in SUBSETS]
    return Block(setting, (*rows, by_subset[ALL].row(ALL, len(bench.problems))))


def _order(setting: Setting) -> tuple[Any, ...]:
    names = (setting.model, setting.method, setting.regime, setting.hparams_sha256)
    return (*((name is not None, name or "") for name in names), setting.step or 0, _WORLDS.index(setting.world))
