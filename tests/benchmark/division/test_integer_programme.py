"""Integer programmes: optima in the order of the objectives, against trying everything."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.benchmark.division.integer_programme import InfeasibleError, Programme

COEFFICIENTS = st.tuples(*[st.integers(-3, 3)] * 3)


def total(coefficients, values):
    return sum(coefficient * value for coefficient, value in zip(coefficients, values, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(COEFFICIENTS, st.integers(-4, 6)), max_size=3), st.lists(COEFFICIENTS, min_size=1, max_size=3)
)
def test_the_first_objective_is_least_then_the_second(constraints, objectives):
    feasible = [
        values
        for values in product(range(3), repeat=3)
        if all(total(terms, values) <= high for terms, high in constraints)
    ]
    programme = Programme()
    variables = [programme.variable(upper=2) for _ in range(3)]
    for coefficients, high in constraints:
        programme.require(list(zip(coefficients, variables, strict=True)), high=high)
    goals = [list(zip(coefficients, variables, strict=True)) for coefficients in objectives]
    if not feasible:
        with pytest.raises(InfeasibleError):
            programme.minimise(*goals)
        return
    values = tuple(programme.minimise(*goals))
    best = min([total(goal, candidate) for goal in objectives] for candidate in feasible)
    assert values in feasible
    assert [total(goal, values) for goal in objectives] == best


def test_large_weights_are_told_apart_to_the_last_unit():
    programme = Programme()
    variables = [programme.variable() for _ in range(400)]
    programme.require([(1, variable) for variable in variables], low=200)
    weights = [2**20 - index for index in range(400)]
    values = programme.minimise(list(zip(weights, variables, strict=True)))
    assert values == [0] * 200 + [1] * 200
