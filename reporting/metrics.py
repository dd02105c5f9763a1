"""The numbers of the tables: pass@k, shares, and label shares. A number that cannot be had is None, never NaN."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LABELS = ("correct_adoption", "misuse", "workaround", "no_adoption")


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Return the unbiased estimate of pass@k for one problem: `c` of its `n` samples passed.

    Chen et al. 2021, equation 1: 1 - C(n-c, k) / C(n, k), as the product of (1 - k/i) over i = n-c+1 ... n, which
    needs no large numbers. None when n < k: so few samples say nothing about k tries.
    Raises ValueError unless 0 <= c <= n and k >= 1.
    """
    if not 0 <= c <= n or k < 1:
        raise ValueError(f"pass@{k} of {c} passing among {n} samples does not exist")
    if n < k:
        return None
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k averaged over problems: `value` in 0..1 or None, over `problems`; `too_few` had fewer than k samples."""

    k: int
    value: float | None
    problems: int
    too_few: int


def mean_pass_at_k(counts: Iterable[tuple[int, int]], k: int) -> PassAtK:
    """Return the mean of pass@k over `counts`, one (samples, passing samples) for each problem."""
    estimates = [pass_at_k(n, c, k) for n, c in counts]
    known = [estimate for estimate in estimates if estimate is not None]
    value = math.fsum(known) / len(known) if known else None
    return PassAtK(k, value, len(known), len(estimates) - len(known))


def share(part: int, whole: int) -> float | None:
    """Return part / whole, or None of nothing."""
    return part / whole if whole else None


def label_shares(counts: Mapping[str, int]) -> dict[str, float] | None:
    """Return the share of each of LABELS in `counts`, or None where nothing is labelled."""
    total = sum(counts.get(label, 0) for label in LABELS)
    return {label: counts.get(label, 0) / total for label in LABELS} if total else None
