"""Integer programmes with several objectives, the first one most important, solved to the optimum by HiGHS."""

from collections.abc import Iterable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Terms = Iterable[tuple[int, int]]  # coefficient and variable

# No time limit and no gap: only an optimum does not depend on how fast the machine is.
_OPTIONS = {"mip_rel_gap": 0.0}


class InfeasibleError(Exception):
    """No values satisfy all constraints."""


class Programme:
    """Collects integer variables, which are at least 0, and linear constraints on them."""

    def __init__(self) -> None:
        self._upper: list[float] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self._entries: list[tuple[int, int, int]] = []  # coefficient, constraint, variable

    def variable(self, upper: int = 1) -> int:
        """Add a variable between 0 and `upper` and return its number."""
        self._upper.append(upper)
        return len(self._upper) - 1

    def require(self, terms: Terms, *, low: float = -np.inf, high: float = np.inf) -> None:
        """Keep the sum of the terms between `low` and `high`."""
        self._entries += [(coefficient, len(self._low), variable) for coefficient, variable in terms]
        self._low.append(low)
        self._high.append(high)

    def minimise(self, *objectives: Terms) -> list[int]:
        """Return the values of the variables at which the first objective is least, among these the second, and so on.

        Raises InfeasibleError.
        """
        values = [0] * len(self._upper)
        for terms in map(list, objectives):
            values = self._solve(terms)
            self.require(terms, high=sum(coefficient * values[variable] for coefficient, variable in terms))
        return values

    def _solve(self, objective: list[tuple[int, int]]) -> list[int]:
        costs = np.zeros(len(self._upper))
        for coefficient, variable in objective:
            costs[variable] += coefficient
        result = milp(
            costs,
            integrality=np.ones_like(costs),
            bounds=Bounds(0, np.array(self._upper)),
            constraints=LinearConstraint(self._matrix(), self._low, self._high),
            options=_OPTIONS,
        )
        if result.status == 2:
            raise InfeasibleError
        if result.status != 0:
            raise RuntimeError(f"HiGHS did not reach the optimum: {result.message}")
        return [round(value) for value in result.x]

    def _matrix(self) -> csr_array:
        shape = (len(self._low), len(self._upper))
        coefficients, rows, columns = zip(*self._entries, strict=True) if self._entries else ((), (), ())
        return csr_array((np.array(coefficients, dtype=float), (rows, columns)), shape=shape)
