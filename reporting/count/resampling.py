"""Intervals and tests by resampling problems: stratified bootstrap, sign-flip test, Holm's correction.

Problems are what is drawn from a population; samples of one problem, and one problem under several edits, stand and
fall together. So both resample whole problems. All arrays have problems along their first axis.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
import numpy.typing as npt

from ..table.table import Estimate
from .pass_at_k import Floats, Ints

LEVEL = 0.95
EXACT = 13  # problems that differ, up to which all 2^n flips are gone through
NOISE = 1e-12  # a sum of differences as small is what rounding left of 0
FLIPS = 9_999
_CHUNK = 1_000  # flips computed at once
_KEPT = 96  # draws kept, for sets of problems of as many shapes: a few megabytes each at most


class Resampler:
    """Draws resamples of problems; the same seed and the same problems give the same draws, whatever came before."""

    def __init__(self, resamples: int, seed: int):
        self._resamples, self._seed = resamples, seed
        self._weights = lru_cache(maxsize=_KEPT)(self._draw_weights)
        self._flips = lru_cache(maxsize=_KEPT)(self._draw_flips)

    def weights(self, strata: Sequence[str]) -> Floats:
        """Return how often each problem is drawn, shape [resamples, problems].

        Each stratum keeps its number of problems. `strata` names the stratum of each problem; those of one stratum
        stand together.
        """
        sizes = tuple(len(list(group)) for _, group in groupby(strata))
        return self._weights(sizes).astype(np.float64)

    def _draw_weights(self, sizes: tuple[int, ...]) -> npt.NDArray[np.uint16]:
        luck = np.random.default_rng([self._seed, *sizes])
        parts = [luck.multinomial(size, np.full(size, 1 / size), size=self._resamples) for size in sizes]
        return np.concatenate(parts, axis=1).astype(np.uint16)

    def ratios(self, strata: Sequence[str], parts: Floats, wholes: Floats) -> list[Estimate]:
        """Return sum(parts) / sum(wholes) of each column with its percentile interval; both are [problems, columns].

        A mean over tries is such a ratio, with 1 for each try in `wholes`. No interval where no stratum has two
        problems that count: one problem says nothing about others.
        """
        if not len(parts):
            return [Estimate(None)] * parts.shape[1]
        weights = self.weights(strata)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = parts.sum(axis=0) / wholes.sum(axis=0)
            drawn = weights @ np.hstack([parts, wholes])
            draws = drawn[:, : parts.shape[1]] / drawn[:, parts.shape[1] :]
        return self.estimates(values, draws, most_in_a_stratum(strata, wholes > 0))

    def estimates(self, values: Floats, draws: Floats, problems: Ints) -> list[Estimate]:
        """Return each of `values` [columns] with the interval of its column of `draws` [resamples, columns].

        No interval where the largest stratum has less than two `problems` [columns] that count.
        """
        bounds = _percentiles(draws)
        return [
            _estimate(value, ends if count > 1 and not np.isnan(ends).any() else None)
            for value, ends, count in zip(values, bounds, problems, strict=True)
        ]

    def p_values(self, differences: Floats) -> list[float | None]:
        """Return the two-sided p-value of each column of paired `differences` [problems, columns], summed per problem.

        Sign-flip test: were there no difference, each problem's would as well have the other sign. p is the share of
        flips whose sum is as far from 0; of all flips up to EXACT problems that differ, else of FLIPS drawn ones and
        the one observed. None where no problem is compared.
        """
        return [self._p_value(column) for column in differences.T] if len(differences) else [None] * len(differences.T)

    def _p_value(self, differences: Floats) -> float:
        moved = differences[np.abs(differences) > NOISE]
        if not len(moved):
            return 1.0
        observed, slack = abs(moved.sum()), 1e-9 * np.abs(moved).sum()
        flips = self._flips(len(moved))
        far = sum(
            int((np.abs(flips[start : start + _CHUNK].astype(np.float64) @ moved) >= observed - slack).sum())
            for start in range(0, len(flips), _CHUNK)
        )
        return far / len(flips) if len(moved) <= EXACT else (far + 1) / (len(flips) + 1)

    def _draw_flips(self, problems: int) -> npt.NDArray[np.int8]:
        """Return signs, [flips, problems]."""
        if problems <= EXACT:
            bits = np.arange(2**problems)[:, None] >> np.arange(problems)
        else:
            bits = np.random.default_rng([self._seed, problems]).integers(0, 2, (FLIPS, problems), dtype=np.int8)
        return (1 - 2 * (bits & 1)).astype(np.int8)


def most_in_a_stratum(strata: Sequence[str], counting: npt.NDArray[np.bool_]) -> Ints:
    """Return how many problems count in the stratum that has most, of each column of `counting` [problems, columns]."""
    starts = [place for place, name in enumerate(strata) if place == 0 or name != strata[place - 1]]
    most: Ints = np.add.reduceat(counting.astype(np.int64), starts, axis=0).max(axis=0)
    return most


def _percentiles(draws: Floats) -> Floats:
    """Return the bounds of each column of `draws`, [columns, 2], over those that are numbers; NaN where none is."""
    tails = [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2]
    bounds = np.full((draws.shape[1], 2), np.nan)
    whole = np.isfinite(draws).all(axis=0)
    bounds[whole] = np.percentile(draws[:, whole], tails, axis=0).T
    for place in np.flatnonzero(~whole):
        known = draws[np.isfinite(draws[:, place]), place]
        if len(known):
            bounds[place] = np.percentile(known, tails)
    return bounds


def _estimate(value: float, bounds: Floats | None) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None)
    low, high = (None, None) if bounds is None else (float(bound) + 0.0 for bound in bounds)
    return Estimate(float(value) + 0.0, low, high)  # + 0.0: no cell says -0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return `p_values` corrected for their number (Holm 1979), which holds whatever they have to do with one another.

    The i-th smallest of m is multiplied by m - i + 1, is at least what came before it, and at most 1. None stays None
    and does not count.

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (value, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * value))
        corrected[place] = highest
    return corrected
