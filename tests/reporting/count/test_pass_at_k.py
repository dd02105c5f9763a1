import math
from fractions import Fraction
from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.count.pass_at_k import pass_at_k, pass_at_k_each, split_loss

counts = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
shares = st.floats(0, 1)


class TestPassAtK:
    @given(counts)
    def test_is_the_share_of_all_choices_of_k_samples_with_a_passing_one(self, numbers):
        n, c, k = numbers
        choices = list(combinations([True] * c + [False] * (n - c), k))
        expected = sum(map(any, choices)) / len(choices)
        assert pass_at_k(n, c, k) == pytest.approx(expected, abs=1e-12)

    @given(st.integers(0, 50))
    def test_at_one_is_the_share_of_passing_samples(self, c):
        assert pass_at_k(50, c, 1) == pytest.approx(c / 50)

    @pytest.mark.parametrize(("n", "k"), [(0, 1), (2, 3), (4, 5)])
    def test_is_none_with_fewer_samples_than_tries(self, n, k):
        assert pass_at_k(n, n, k) is None

    def test_is_stable_for_many_samples(self):
        exact = 1 - comb(100_000 - 3, 100) / comb(100_000, 100)
        assert pass_at_k(100_000, 3, 100) == pytest.approx(exact, rel=1e-9)

    def test_is_exact_at_the_ends(self):
        assert pass_at_k(10, 0, 5) == 0.0
        assert pass_at_k(10, 10, 5) == 1.0
        assert pass_at_k(10, 6, 5) == 1.0

    @pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
    def test_impossible_counts_are_refused(self, n, c, k):
        with pytest.raises(ValueError, match="does not exist"):
            pass_at_k(n, c, k)


class TestPassAtKOfManyProblems:
    @given(st.lists(st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))), st.integers(1, 7))
    def test_is_that_of_each(self, pairs, k):
        n, c = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        expected = [pass_at_k(total, passed, k) for total, passed in pairs]
        assert [None if math.isnan(value) else value for value in pass_at_k_each(n, c, k)] == expected

    def test_refuses_impossible_counts_too(self):
        with pytest.raises(ValueError, match="does not exist"):
            pass_at_k_each(np.array([2]), np.array([3]), 1)


def split(*rates):
    return tuple(float(part) for part in split_loss(*(np.array(rate) for rate in rates)))


@st.composite
def sides(draw):
    """Draw rates of compiling and of passing, which no more can than compile."""
    compiles = draw(shares)
    return compiles, compiles * draw(shares)


class TestSplitOfALoss:
    def test_is_the_worked_example(self):
        assert split(0.8, 0.6, 0.4, 0.2) == pytest.approx((0.25, 0.15), abs=1e-15)

    @given(sides(), sides())
    def test_sums_to_the_loss(self, before, after):
        assert sum(split(*before, *after)) == pytest.approx(before[1] - after[1], abs=1e-12)

    @given(sides(), sides())
    def test_of_the_way_back_is_the_negative(self, before, after):
        there, back = split(*before, *after), split(*after, *before)
        assert there == pytest.approx(tuple(-part for part in back), abs=1e-12)

    @given(*[st.fractions(Fraction(1, 100), 1, max_denominator=100)] * 4)
    def test_is_the_mean_over_both_orders_in_which_the_factors_can_change(self, c0, q0, c1, q1):
        factors = {"compilation": (c0, c1), "after": (q0, q1)}
        costs = dict.fromkeys(factors, Fraction(0))
        for order in permutations(factors):
            state = {name: before for name, (before, _) in factors.items()}
            for name in order:
                product = math.prod(state.values())
                state[name] = factors[name][1]
                costs[name] += (product - math.prod(state.values())) / 2
        found = split(float(c0), float(c0 * q0), float(c1), float(c1 * q1))
        assert found == pytest.approx(tuple(map(float, costs.values())), abs=1e-12)

    @given(sides())
    def test_is_all_compilations_where_nothing_compiles_on_one_side(self, side):
        assert split(*side, 0.0, 0.0) == pytest.approx((side[1], 0.0), abs=1e-12)
        assert split(0.0, 0.0, *side) == pytest.approx((-side[1], 0.0), abs=1e-12)

    def test_is_nothing_where_nothing_compiles_on_either_side(self):
        assert split(0.0, 0.0, 0.0, 0.0) == (0.0, 0.0)

    @given(sides())
    def test_is_nothing_where_nothing_changes(self, side):
        assert split(*side, *side) == (0.0, 0.0)

    def test_is_all_of_what_comes_after_where_the_same_compile(self):
        assert split(0.5, 0.4, 0.5, 0.1) == pytest.approx((0.0, 0.3), abs=1e-15)

    def test_of_many_is_that_of_each(self):
        rates = np.array([[0.8, 0.6, 0.4, 0.2], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
        assert split_loss(*rates.T).tolist() == [list(split(*row)) for row in rates]

    def test_of_an_unknown_rate_is_unknown(self):
        assert all(map(math.isnan, split(math.nan, 0.5, 0.5, 0.5)))
