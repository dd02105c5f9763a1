import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from edittool.reporting.count.resampling import EXACT, FLIPS, Resampler, holm, most_in_a_stratum
from edittool.reporting.table.table import Estimate

ONE = ["all"]


def column(*values):
    return np.array(values, dtype=np.float64)[:, None]


def p_value(resampler, values):
    (found,) = resampler.p_values(column(*values))
    return found


class TestDraws:
    @given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 5))
    def test_keep_the_size_of_each_stratum(self, sizes, seed):
        strata = [name for name, size in enumerate(sizes) for _ in range(size)]
        weights = Resampler(50, seed).weights([f"s{name}" for name in strata])
        for name, size in enumerate(sizes):
            assert (weights[:, np.array(strata) == name].sum(axis=1) == size).all()

    def test_of_the_same_seed_are_the_same_whatever_was_drawn_before(self):
        strata = ["a"] * 4 + ["b"] * 6
        fresh, used = Resampler(100, 7), Resampler(100, 7)
        for size in (3, 30, 11):
            used.weights(ONE * size)
            used.p_values(np.arange(1.0, size + 1)[:, None])
        assert (fresh.weights(strata) == used.weights(strata)).all()
        differences = np.random.default_rng(0).normal(size=(40, 2))
        assert fresh.p_values(differences) == used.p_values(differences)

    def test_of_another_seed_are_others(self):
        assert (Resampler(100, 0).weights(ONE * 9) != Resampler(100, 1).weights(ONE * 9)).any()

    def test_give_every_problem_the_same_chance(self):
        weights = Resampler(20_000, 0).weights(["a"] * 3 + ["b"] * 5)
        assert weights.mean(axis=0) == pytest.approx(np.ones(8), abs=0.05)


class TestIntervals:
    def test_are_the_percentiles_of_the_ratios_of_the_draws(self):
        parts, wholes, strata = column(1, 0, 2, 3), column(1, 2, 2, 4), ["a", "a", "b", "b"]
        (found,) = (resampler := Resampler(500, 0)).ratios(strata, parts, wholes)
        draws = [
            sum(w * p for w, p in zip(row, parts[:, 0], strict=True))
            / sum(w * n for w, n in zip(row, wholes[:, 0], strict=True))
            for row in resampler.weights(strata).tolist()
        ]
        assert found.value == 6 / 9
        assert (found.low, found.high) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=1e-12)

    def test_cover_the_truth_about_as_often_as_they_say(self):
        """500 samples of 60 problems from a population whose mean is known, under one estimate each."""
        luck = np.random.default_rng(0)
        inside = 0
        for seed in range(500):
            chances = luck.beta(2, 3, size=60)  # mean 0.4
            passed = luck.binomial(5, chances) / 5
            (found,) = Resampler(400, seed).ratios(ONE * 60, passed[:, None], np.ones((60, 1)))
            inside += found.low <= 0.4 <= found.high
        assert 0.92 <= inside / 500 <= 0.98

    def test_cover_the_truth_where_the_units_of_a_problem_are_alike(self):
        """Eight units of a problem that are the same say no more than one: the interval must not shrink with them."""
        luck = np.random.default_rng(1)
        passed = luck.binomial(5, luck.beta(2, 3, size=30)) / 5
        once = Resampler(1000, 0).ratios(ONE * 30, passed[:, None], np.ones((30, 1)))
        often = Resampler(1000, 0).ratios(ONE * 30, 8 * passed[:, None], 8 * np.ones((30, 1)))
        assert once[0].low == pytest.approx(often[0].low)
        assert once[0].high == pytest.approx(often[0].high)

    def test_there_is_none_of_one_problem(self):
        assert Resampler(100, 0).ratios(ONE, column(1), column(2)) == [Estimate(0.5)]

    def test_there_is_none_where_one_problem_counts(self):
        assert Resampler(100, 0).ratios(ONE * 3, column(1, 0, 0), column(2, 0, 0)) == [Estimate(0.5)]

    def test_there_is_none_of_one_problem_in_each_stratum(self):
        """Every resample would be the sample itself, and an interval without width would look like certainty."""
        assert Resampler(100, 0).ratios(["a", "b"], column(1, 0), column(1, 1)) == [Estimate(0.5)]

    def test_of_nothing_are_nothing(self):
        nothing = np.zeros((0, 2))
        assert Resampler(100, 0).ratios([], nothing, nothing) == [Estimate(None)] * 2
        assert Resampler(100, 0).ratios(ONE * 2, column(0, 0), column(0, 0)) == [Estimate(None)]

    def test_leave_out_the_draws_that_say_nothing(self):
        (found,) = Resampler(300, 0).ratios(ONE * 4, column(1, 0, 0, 0), column(1, 1, 0, 0))
        assert found == Estimate(0.5, 0.0, 1.0)

    def test_have_no_width_where_all_problems_are_the_same(self):
        (found,) = Resampler(100, 0).ratios(ONE * 5, column(*[1] * 5), column(*[2] * 5))
        assert found == Estimate(0.5, 0.5, 0.5)

    @given(
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12),
        st.integers(0, 3),
    )
    def test_lie_within_what_the_problems_can_give(self, rows, seed):
        rows.sort()
        wholes = column(*[max(part, whole) for _, part, whole in rows])
        parts = column(*[min(part, whole) for _, part, whole in rows])
        (found,) = Resampler(60, seed).ratios([stratum for stratum, _, _ in rows], parts, wholes)
        if found.low is not None:
            assert 0 <= found.low <= found.high <= 1

    def test_count_problems_by_stratum(self):
        counting = np.array([[True, False], [True, True], [True, False]])
        assert most_in_a_stratum(["a", "a", "b"], counting).tolist() == [2, 1]


class TestSignFlips:
    @given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
    @settings(max_examples=60)
    def test_are_all_gone_through_where_problems_are_few(self, values):
        flips = list(product((1, -1), repeat=len(values)))
        far = sum(abs(sum(s * v for s, v in zip(f, values, strict=True))) >= abs(sum(values)) for f in flips)
        assert p_value(Resampler(10, 0), values) == pytest.approx(float(Fraction(far, len(flips))))

    @pytest.mark.parametrize("seed", range(3))
    def test_are_those_of_scipy_where_it_is_exact(self, seed):
        values = np.random.default_rng(seed).normal(0.4, 1, size=EXACT)
        theirs = stats.permutation_test(
            (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        assert p_value(Resampler(10, 0), values) == pytest.approx(theirs.pvalue, abs=1e-12)

    def test_are_drawn_where_problems_are_many_and_come_close(self):
        values = np.random.default_rng(0).normal(0.3, 1, size=EXACT + 5)
        signs = 1 - 2 * (np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1)
        exact = (np.abs(signs @ values) >= abs(values.sum()) - 1e-9).mean()
        assert p_value(Resampler(10, 0), values) == pytest.approx(exact, abs=4 * (exact / FLIPS) ** 0.5)

    def test_that_are_drawn_count_what_was_seen_itself(self):
        assert p_value(Resampler(10, 0), [1.0] * 60) == 1 / (FLIPS + 1)

    def test_give_every_p_the_same_chance_where_there_is_no_difference(self):
        luck = np.random.default_rng(2)
        found = Resampler(10, 0).p_values(luck.normal(size=(20, 600)))
        assert stats.kstest(found, "uniform").pvalue > 0.01

    def test_find_a_difference(self):
        assert p_value(Resampler(10, 0), np.random.default_rng(0).normal(1, 1, size=30)) < 0.001

    def test_of_no_difference_at_all_is_one(self):
        assert p_value(Resampler(10, 0), [0.0] * 5) == 1.0

    def test_of_no_problem_there_is_none(self):
        assert Resampler(10, 0).p_values(np.zeros((0, 3))) == [None, None, None]

    def test_take_what_rounding_leaves_of_nothing_for_nothing(self):
        """(3/5 - 1/5) + (0 - 2/5) is -5.6e-17 in floats; 30 such problems have not changed."""
        left = (3 / 5 - 1 / 5) + (0 - 2 / 5)
        assert left != 0
        assert p_value(Resampler(10, 0), [left] * 30) == 1.0

    def test_do_not_depend_on_the_sign_or_the_scale(self):
        values = np.random.default_rng(3).normal(0.5, 1, size=(25, 1))
        resampler = Resampler(10, 0)
        assert resampler.p_values(values) == resampler.p_values(-values) == resampler.p_values(8 * values)


class TestHolm:
    @pytest.mark.parametrize(
        ("values", "corrected"),
        [
            ([0.01, 0.04, None, 0.03], [0.03, 0.06, None, 0.06]),
            ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
            ([0.2, 0.001], [0.2, 0.002]),
            ([0.5, 0.9], [1.0, 1.0]),
            ([None], [None]),
            ([], []),
        ],
    )
    def test_is_the_worked_example(self, values, corrected):
        assert holm(values) == pytest.approx(corrected)

    @given(st.lists(st.none() | st.floats(0, 1), max_size=12))
    def test_keeps_the_order_and_makes_nothing_smaller(self, values):
        corrected = holm(values)
        assert [value is None for value in corrected] == [value is None for value in values]
        known = sorted((p, q) for p, q in zip(values, corrected, strict=True) if p is not None)
        assert all(p <= q <= 1 for p, q in known)
        assert [q for _, q in known] == sorted(q for _, q in known)

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms())
    def test_does_not_depend_on_the_order(self, values, luck):
        shuffled = luck.sample(range(len(values)), len(values))
        corrected = holm(values)
        assert holm([values[place] for place in shuffled]) == [corrected[place] for place in shuffled]

    def test_is_no_stricter_than_multiplying_by_the_number_and_as_strict_for_the_smallest(self):
        values = [random.Random(0).random() / 10 for _ in range(9)]
        corrected = holm(values)
        assert min(corrected) == 9 * min(values)
        assert all(q <= min(1, 9 * p) for p, q in zip(values, corrected, strict=True))
