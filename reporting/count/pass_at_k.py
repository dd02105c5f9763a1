"""pass@k and the split of a loss. A number that cannot be had is None, or NaN inside an array, never a guess."""

import math

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CRITERIA = ("compile", "partial", "full")
KS = (1, 3, 5)


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Return the unbiased estimate of pass@k for one problem: `c` of its `n` samples passed.

    Chen et al. 2021 (arXiv 2107.03374), equation 1: 1 - C(n-c, k) / C(n, k), as the product of (1 - k/i) over
    i = n-c+1 ... n, which needs no large numbers. None when n < k: so few samples say nothing about k tries.
    Raises ValueError unless 0 <= c <= n and k >= 1.

    >>> pass_at_k(5, 2, 3)  # 1 - C(3, 3) / C(5, 3) = 1 - 1/10
    0.9
    """
    if not 0 <= c <= n or k < 1:
        raise ValueError(f"pass@{k} of {c} passing among {n} samples does not exist")
    if n < k:
        return None
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))


def pass_at_k_each(n: Ints, c: Ints, k: int) -> Floats:
    """Return `pass_at_k` of each pair of `n` and `c`, shape [problems]; NaN where n < k.

    Few pairs are different, so each different one is computed once. Raises ValueError as `pass_at_k` does.
    """
    pairs, places = np.unique(np.stack([n, c]), axis=1, return_inverse=True)
    known = [pass_at_k(int(total), int(passed), k) for total, passed in pairs.T]
    values = np.array([math.nan if value is None else value for value in known], dtype=np.float64)
    return values[np.asarray(places).reshape(-1)]


def split_loss(compile_before: Floats, full_before: Floats, compile_after: Floats, full_after: Floats) -> Floats:
    """Return how a loss in full pass divides between compilation and what comes after; all shapes [...], [..., 2] out.

    Full pass is a product of two factors, full = c * q: the rate c at which programs compile, and the rate
    q = full / c at which those that compile pass. The Shapley value of a factor is the mean of what its change costs
    when it changes first and when it changes last (Shapley 1953, two players):

        compilation  (c0 - c1) * (q0 + q1) / 2
        after        (q0 - q1) * (c0 + c1) / 2

    Their sum is c0 * q0 - c1 * q1, the loss, exactly. Where nothing compiles on one side (c = 0), that side's q is not
    known and the other's stands for it: the loss is then all compilation's. Where nothing compiles on either side,
    nothing is lost, and both parts are 0. Where a rate is NaN, so are both parts.

    Worked: 0.8 compile and 0.6 pass before, 0.4 and 0.2 after: q falls from 0.75 to 0.5, the loss is 0.4, of which
    compilation takes 0.4 * 1.25 / 2 = 0.25 and the rest 0.25 * 1.2 / 2 = 0.15.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after = full_before / compile_before, full_after / compile_after
    before, after = (
        np.where(compile_before == 0, after, before),
        np.where(compile_after == 0, before, after),
    )
    nothing = (compile_before == 0) & (compile_after == 0)
    before, after = np.where(nothing, 0.0, before), np.where(nothing, 0.0, after)
    compilation = (compile_before - compile_after) * (before + after) / 2
    rest = (before - after) * (compile_before + compile_after) / 2
    return np.stack([compilation, rest], axis=-1)
