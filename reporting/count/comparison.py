"""Observations grouped for counting: tries of one model at one problem in one world, each beside its baseline."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from ...schemas.bench import SUBSETS
from ...schemas.verdicts import CALLED, LABELS
from ..options import Options
from ..read.settings import Setting
from ..read.verdict_frame import Observations
from ..table.table import Estimate
from .pass_at_k import CRITERIA, Floats
from .resampling import Resampler, most_in_a_stratum

ALL = "all"

Against = Literal["same world", "no change"]
"""The worlds of a baseline: that of the edited model's program, or one with no change, where the old API still is."""

BASELINES: tuple[Against, ...] = ("same world", "no change")

# One unit is a problem tried under one set of edits in one world: in the instant regime a specificity problem is
# sampled under each edited model, and those samples are not tries of one model.
UNIT = ("problem", "subset", "task", "change", "active", "edited")
_BASE = tuple(f"base_{name}" for name in ("n", *CRITERIA, "labelled", "correct_adoption"))


@dataclass(frozen=True, slots=True)
class Named:
    """A setting, its place in the observations, and the name of its method that tells it from the others."""

    place: int
    setting: Setting
    name: str


class Study:
    """Observations, how they are resampled, and what is counted of them."""

    def __init__(self, observations: Observations, options: Options):
        self.bench, self.options = observations.bench, options
        self.observations, self.frame = observations, observations.frame
        self.resampler = Resampler(options.resamples, options.seed)
        self._by_setting = {int(key[0]): part for key, part in self.frame.partition_by("setting", as_dict=True).items()}

    @cached_property
    def settings(self) -> tuple[Named, ...]:
        """Return all settings in order."""
        names = names_of(self.observations.settings)
        return tuple(Named(place, s, names[s]) for place, s in enumerate(self.observations.settings))

    @cached_property
    def single(self) -> tuple[Named, ...]:
        """Return the settings that are no step of a sequence."""
        return tuple(named for named in self.settings if not named.setting.in_sequence)

    @cached_property
    def sequences(self) -> dict[Setting, list[Named]]:
        """Return the steps of each sequence of edits, in their order."""
        found: dict[Setting, list[Named]] = {}
        for named in self.settings:
            if named.setting.in_sequence:
                found.setdefault(named.setting.series, []).append(named)
        return found

    @cached_property
    def ends(self) -> tuple[Named, ...]:
        """Return the settings with each sequence represented by its last step."""
        last = {steps[-1].place for steps in self.sequences.values()}
        return tuple(n for n in self.settings if not n.setting.in_sequence or n.place in last)

    def rows(self, named: Named) -> pl.DataFrame:
        """Return the observations of a setting."""
        return self._by_setting[named.place]

    def units(self, named: Named) -> pl.DataFrame:
        """Return the units of a setting: the columns UNIT, `n` judged samples, and how many meet each criterion.

        `labelled` and `passing` are the samples that have a label, and those of them that passed; each label has a
        column, and one of those that passed (`passed_LABEL`). `called` are those of which is known how they called the
        replacement; each way has a column.
        """
        return self._units(named.place)

    def _units(self, place: int) -> pl.DataFrame:
        if place not in self._counted:
            self._counted[place] = count_units(self._by_setting[place])
        return self._counted[place]

    @cached_property
    def _counted(self) -> dict[int, pl.DataFrame]:
        return {}

    def is_compared(self, setting: Setting) -> bool:
        """Tell whether there should be a baseline for `setting`."""
        other = self.options.baseline not in (None, setting.model)
        return setting.edited or setting.told or other

    def baseline_model(self, setting: Setting) -> str | None:
        """Return the name of the unedited model that `setting` is held against."""
        return self.options.baseline or setting.model

    def has_baseline(self, setting: Setting) -> bool:
        """Tell whether there is any verdict of the unedited model."""
        return not self._baseline(setting).is_empty()

    def _baseline(self, setting: Setting) -> pl.DataFrame:
        """Return the units of the unedited model by task and world, their counts in the columns `base_...`.

        It was asked in the style of `setting`. Where the verdicts of either do not say that, any style will do, and so
        it will for a model that --baseline names and that was asked in no such style: a reader chose to compare them.
        """
        model = self.baseline_model(setting)
        key = (model, setting.style)
        if key not in self._baselines:
            unedited = [n for n in self.settings if n.setting.model == model and self._is_unedited(n.setting)]
            alike = [n for n in unedited if setting.style is None or n.setting.style in (None, setting.style)]
            chosen = alike or (unedited if self.options.baseline else [])
            places = [named.place for named in chosen]
            rows = self.frame.filter(pl.col("setting").is_in(places), pl.col("judged")).unique("verdict")
            counts = [
                pl.len().alias("base_n"),
                *(pl.col(name).sum().alias(f"base_{name}") for name in CRITERIA),
                pl.col("label").is_not_null().sum().alias("base_labelled"),
                (pl.col("label") == "correct_adoption").sum().alias("base_correct_adoption"),
            ]
            self._baselines[key] = rows.group_by("task", "active").agg(counts).cast(dict.fromkeys(_BASE, pl.Int64))
        return self._baselines[key]

    @cached_property
    def _baselines(self) -> dict[tuple[str | None, str | None], pl.DataFrame]:
        return {}

    @staticmethod
    def _is_unedited(setting: Setting) -> bool:
        return not (setting.edited or setting.told)

    def solved(self, setting: Setting) -> frozenset[str] | None:
        """Return the tasks that the unedited model of `setting` passes with no change active; None where none ran so.

        It passes a task where at least half of its judged samples do.
        """
        base = self._baseline(setting).filter(pl.col("active") == self._no_change)
        if base.is_empty():
            return None
        return frozenset(base.filter(2 * pl.col("base_full") >= pl.col("base_n"))["task"])

    def pairs(self, named: Named, against: Against) -> pl.DataFrame:
        """Return the units of a setting that have a baseline, with its counts in `base_n`, `base_compile`, ...

        A problem without a change whose baseline was not judged in the world of the edit is held against the baseline
        with no change active; `stand_in` marks these units. Its reference uses no changed API, so the two are mostly
        the same.
        """
        key = (named.place, against)
        if key not in self._paired:
            self._paired[key] = self._pair(named, against)
        return self._paired[key]

    @cached_property
    def _paired(self) -> dict[tuple[int, Against], pl.DataFrame]:
        return {}

    def _pair(self, named: Named, against: Against) -> pl.DataFrame:
        base = self._baseline(named.setting)
        units = self.units(named).filter(pl.col("n") > 0)
        nothing = self._no_change
        unchanged = base.filter(pl.col("active") == nothing).drop("active")
        plain = units.join(unchanged, on="task", how="inner", maintain_order="left")
        if against == "no change":
            return plain.with_columns(stand_in=pl.lit(False))
        same = units.join(base, on=["task", "active"], how="inner", maintain_order="left")
        paired = same.select("problem", "active", "edited")
        rest = plain.filter(pl.col("change").is_null()).join(paired, on=paired.columns, how="anti")
        both = [same.with_columns(stand_in=pl.lit(False)), rest.with_columns(stand_in=pl.lit(True))]
        return _sorted(pl.concat(both))

    @cached_property
    def _no_change(self) -> int:
        sets = self.observations.sets
        return sets.index(()) if () in sets else len(sets)

    def means(self, units: pl.DataFrame, values: Mapping[str, Floats]) -> dict[str, Estimate]:
        """Return the mean of each of `values` [units] over units, NaN left out, with its interval over problems."""
        known = {name: ~np.isnan(column) for name, column in values.items()}
        parts = {name: np.where(known[name], column, 0.0) for name, column in values.items()}
        return self.ratios(units, {name: (parts[name], known[name].astype(np.float64)) for name in values})

    def ratios(self, units: pl.DataFrame, values: Mapping[str, tuple[Floats, Floats]]) -> dict[str, Estimate]:
        """Return sum(part) / sum(whole) of each pair (part, whole) of `values`, [units] both, with its interval."""
        parts, wholes = zip(*values.values(), strict=True)
        strata, sums = self.by_problem(units, np.stack([*parts, *wholes], axis=1))
        estimates = self.resampler.ratios(strata, sums[:, : len(values)], sums[:, len(values) :])
        return dict(zip(values, estimates, strict=True))

    def adoption_change(self, pairs: pl.DataFrame) -> Estimate:
        """Return the share of correct adoption less that of the baseline, in points, with its interval over problems.

        Both are shares of the labelled samples of the units of `pairs` where both sides have some.
        """
        both = pairs.filter(pl.col("labelled") > 0, pl.col("base_labelled") > 0)
        names = ("correct_adoption", "labelled", "base_correct_adoption", "base_labelled")
        strata, sums = self.by_problem(both, np.stack([numbers(both, name) for name in names], axis=1))
        if not len(sums):
            return Estimate(None)
        drawn = [sums.sum(axis=0)[None, :], self.resampler.weights(strata) @ sums]
        with np.errstate(divide="ignore", invalid="ignore"):
            value, draws = (100 * (d[:, [0]] / d[:, [1]] - d[:, [2]] / d[:, [3]]) for d in drawn)
        (change,) = self.resampler.estimates(value[0], draws, most_in_a_stratum(strata, sums[:, [1]] > 0))
        return change

    def by_problem(self, units: pl.DataFrame, values: Floats) -> tuple[list[str], Floats]:
        """Return the subset of each problem of `units`, and the sums of `values` [units, columns] over its units."""
        problems = units["problem"].to_numpy()  # in order, see `_sorted`
        starts = np.flatnonzero(np.diff(problems, prepend=-1)) if len(problems) else np.zeros(0, dtype=np.int64)
        sums = np.add.reduceat(values, starts, axis=0) if len(starts) else np.zeros((0, values.shape[1]))
        return [self._subsets[problem] for problem in problems[starts]], sums

    @cached_property
    def _subsets(self) -> list[str]:
        """Return the subset of each problem, by its rank."""
        return sorted(problem.subset for problem in self.bench.problems.values())


def count_units(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the units of the observations `rows`, see `Study.units`, in a fixed order."""
    labelled, full = pl.col("label").is_not_null(), pl.col("full")
    counts = {
        "samples": pl.len(),
        "n": pl.col("judged").sum(),
        **{name: pl.col(name).sum() for name in CRITERIA},
        "labelled": labelled.sum(),
        "passing": (labelled & full).sum(),
        **{label: (pl.col("label") == label).sum() for label in LABELS},
        "called": (labelled & pl.col("called").is_not_null()).sum(),
        **{called: (labelled & (pl.col("called") == called)).sum() for called in CALLED},
        **{f"passed_{label}": ((pl.col("label") == label) & full).sum() for label in LABELS},
    }
    units = rows.group_by(UNIT).agg(expression.cast(pl.Int64).alias(name) for name, expression in counts.items())
    return _sorted(units)


def _sorted(units: pl.DataFrame) -> pl.DataFrame:
    return units.sort("problem", "active", "edited")


def by_subset(units: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each subset with its units, and all of them."""
    for subset in SUBSETS:
        yield subset, units.filter(pl.col("subset") == subset)
    yield ALL, units


def numbers(units: pl.DataFrame, name: str) -> Floats:
    """Return a column of `units` as numbers, shape [units]."""
    return units[name].to_numpy().astype(np.float64)


def rates(units: pl.DataFrame, prefix: str = "") -> Floats:
    """Return pass@1 of each criterion for each unit, shape [units, 3]: the share of its samples that meet it."""
    counts = np.stack([numbers(units, f"{prefix}{name}") for name in CRITERIA], axis=1)
    n = numbers(units, f"{prefix}n")[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares: Floats = counts / n
    return shares


def by_criterion(values: Floats, suffix: str) -> dict[str, Floats]:
    """Return the columns of `values` [units, 3], as `rates` has them, named "compile_at_1" with the suffix "_at_1"."""
    return {f"{name}{suffix}": column for name, column in zip(CRITERIA, values.T, strict=True)}


def names_of(settings: Collection[Setting]) -> dict[Setting, str]:
    """Return how the method of each setting is called: by its name, and by what tells it from others of that name."""
    groups: dict[tuple[str | None, ...], set[Setting]] = {}
    for setting in settings:
        groups.setdefault(_group(setting), set()).add(_apart(setting))
    return {setting: _name(setting, groups[_group(setting)]) for setting in settings}


def _group(setting: Setting) -> tuple[str | None, ...]:
    """Return what tells settings apart in other columns of a table, and the word for the method."""
    return (setting.model, _word(setting), setting.regime, setting.world)


def _word(setting: Setting) -> str:
    if setting.told:
        return "documentation in the prompt"
    if not setting.edited:
        return "unedited"
    unknown = setting.regime == "sequential" and not setting.in_sequence
    return (setting.method or "?") + (", step unknown" if unknown else "")


def _apart(setting: Setting) -> Setting:
    """Return `setting` as names tell it from others: the steps of one sequence have one name."""
    return setting.series if setting.in_sequence else setting


def _name(setting: Setting, alike: set[Setting]) -> str:
    facts = {
        "target": setting.target,
        "subject": setting.subject,
        "requests": setting.requests,
        "style": setting.style or "not named",
        "hparams": (setting.hparams_sha256 or "none")[:8],
        "edits": _apart(setting).step,
        "method": setting.method or "not named",
    }
    fields = {"hparams": "hparams_sha256", "edits": "step"}
    differ = [name for name in facts if len({getattr(one, fields.get(name, name)) for one in alike}) > 1]
    facts_in_words = ", ".join(f"{name} {facts[name]}" for name in differ)
    return f"{_word(setting)} ({facts_in_words})" if differ else _word(setting)
