from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.metrics import label_shares, mean_pass_at_k, pass_at_k, share

counts = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


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


class TestMean:
    def test_is_over_problems_and_not_over_samples(self):
        assert mean_pass_at_k([(1, 1), (9, 0)], 1).value == 0.5

    def test_leaves_out_problems_with_too_few_samples_and_counts_them(self):
        mean = mean_pass_at_k([(5, 5), (3, 3), (5, 0), (0, 0)], 5)
        assert (mean.value, mean.problems, mean.too_few) == (0.5, 2, 2)

    def test_is_none_where_no_problem_has_enough(self):
        mean = mean_pass_at_k([(2, 2)], 3)
        assert (mean.value, mean.problems, mean.too_few) == (None, 0, 1)


def test_a_share_of_nothing_is_none():
    assert share(0, 0) is None
    assert share(1, 4) == 0.25


def test_label_shares_sum_to_one_and_have_every_label():
    shares = label_shares({"misuse": 3, "workaround": 1})
    assert shares == {"correct_adoption": 0.0, "misuse": 0.75, "workaround": 0.25, "no_adoption": 0.0}
    assert label_shares({}) is None
