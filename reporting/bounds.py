"""Bounds for CI: what a metric has to be at least, and what came of it."""

from dataclasses import dataclass

from ..schemas.bench import SUBSETS
from ..schemas.errors import InputError

ALL = "all"
METRICS: dict[str, str] = {
    "adopted": "correct adoption, of the labelled samples",
    "adopted_of_passing": "correct adoption, of the labelled samples that passed",
    "compiles": "compile@1",
    "partial": "partial@1: at least one test",
    "passed": "full@1: all tests (pass@1)",
    "pass@3": "full@3",
    "pass@5": "full@5",
}
NOISE = 1e-12  # what rounding may leave of a value that is the bound


@dataclass(frozen=True, slots=True)
class Bound:
    """`metric` of `subset` ("all": of all problems) has to be `least` or more, a share from 0 to 1."""

    metric: str
    subset: str
    least: float

    def __str__(self) -> str:
        return self.metric if self.subset == ALL else f"{self.subset}.{self.metric}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of `bound` for one setting: the `value`, or None and the `reason` why there is none."""

    bound: Bound
    model: str | None
    method: str
    regime: str | None
    world: str
    step: int | None
    value: float | None
    reason: str | None

    @property
    def held(self) -> bool:
        """Tell whether the value is there and not below the bound."""
        return self.value is not None and self.value >= self.bound.least - NOISE

    def __str__(self) -> str:
        setting = [f"model {self.model or 'without a name'}", f"method {self.method}"]
        setting += [f"regime {self.regime}"] if self.regime else []
        setting += [f"world {self.world}"] if self.world != "own" else []
        setting += [f"{self.step} edits"] if self.step is not None and self.step > 1 else []
        found = f"no value, for {self.reason}" if self.value is None else _told_apart(self.value, self.bound.least)
        return f"{self.bound} >= {self.bound.least:g}: {found} ({', '.join(setting)})"


def _told_apart(value: float, least: float) -> str:
    """Return `value` with as many digits as tell it from the bound that it is under."""
    short = f"{value:.4f}"
    return short if (float(short) < least) == (value < least) else repr(value)


def parse_bound(text: str) -> Bound:
    """Return the bound that `[SUBSET.]METRIC=VALUE` says. Raises InputError, which lists the metrics."""
    name, equals, value = text.partition("=")
    subset, dot, metric = name.strip().rpartition(".")
    if not equals:
        raise InputError(f"--fail-under {text!r} has no =. Write METRIC=VALUE, for example adopted=0.5.")
    if dot and subset not in (*SUBSETS, ALL):
        raise InputError(f"--fail-under {text!r}: there is no subset {subset!r}. There are: {', '.join(SUBSETS)}.")
    if metric not in METRICS:
        known = "; ".join(f"{name} ({words})" for name, words in METRICS.items())
        raise InputError(f"--fail-under {text!r}: there is no metric {metric!r}. There are: {known}.")
    if subset == "specificity" and metric.startswith("adopted"):
        raise InputError(f"--fail-under {text!r}: no change belongs to specificity, so nothing is adopted there.")
    return Bound(metric, subset or ALL, _share(text, value))


def _share(text: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        raise InputError(
            f"--fail-under {text!r}: {value.strip()!r} is no number. Write a share, such as 0.5."
        ) from None
    if not 0 <= share <= 1:
        raise InputError(f"--fail-under {text!r}: a bound is a share from 0 to 1; 50 % is 0.5.")
    return share
