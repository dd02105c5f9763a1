"""Verdicts as columns."""

import weakref

import pytest

from edittool.reporting.read.verdict_frame import SCHEMA, observe
from edittool.schemas.errors import InputError
from edittool.schemas.verdicts import Verdict


def row_of(bench, verdict):
    (row,) = observe(bench, [Verdict.from_row(verdict)]).frame.iter_rows(named=True)
    return row


class TestFacts:
    @pytest.mark.parametrize(("passed", "facts"), [(0, (False, False)), (1, (True, False)), (2, (True, True))])
    def test_partial_is_one_test_and_full_is_all(self, bench, verdict, passed, facts):
        row = row_of(bench, verdict("rel/0", passed))
        assert (row["partial"], row["full"]) == facts

    def test_a_program_that_compiles_and_passes_nothing_is_not_partial(self, bench, verdict):
        row = row_of(bench, verdict("rel/0", 0, compiles=True))
        assert (row["compile"], row["partial"], row["full"]) == (True, False, False)

    def test_of_what_was_not_judged_there_are_none(self, bench, verdict):
        """Not even those that another tool has written down of it."""
        fields = {"outcome": "sandbox_error", "compiles": True, "label_detail": "clean"}
        row = row_of(bench, verdict("rel/0", 2, "correct_adoption", **fields))
        assert (row["judged"], row["compile"], row["partial"], row["full"]) == (False,) * 4
        assert (row["failure"], row["label"], row["detail"]) == (None, None, None)

    def test_problem_subset_and_change_are_the_benchmarks(self, bench, verdict):
        row = row_of(bench, verdict("gen/1", 0) | {"task_id": "GEN/1"})
        assert (row["task"], row["subset"], row["change"]) == ("gen/1", "generalization", "max")

    def test_a_detail_may_hold_what_utf8_cannot(self, bench, verdict):
        assert row_of(bench, verdict("rel/0", 2, "workaround", label_detail="\ud800x"))["detail"] == "\\ud800x"

    def test_whole_numbers_may_be_written_as_1_0(self, bench, verdict):
        found = observe(bench, [Verdict.from_row(verdict("rel/0", 2, step=1.0, sample_index=3.0))])
        assert (found.settings[0].step, found.frame["index"].to_list()) == (1, [3])


def test_sets_of_changes_have_one_order_whatever_that_of_the_verdicts(bench, verdict):
    worlds = (["max"], [], ["len", "max"], ["len"])
    verdicts = [verdict("spe/0", 2, active_changes=world, edited=world[:1]) for world in worlds]
    for order in (verdicts, verdicts[::-1]):
        found = observe(bench, map(Verdict.from_row, order))
        assert found.sets == ((), ("len",), ("len", "max"), ("max",))
        worlds_found = {found.sets[place] for place in found.frame["active"]}
        assert worlds_found == {tuple(world) for world in worlds}


def test_of_no_verdicts_are_empty_columns(bench):
    found = observe(bench, [])
    assert (found.frame.columns, len(found.frame), found.settings) == (list(SCHEMA), 0, ())


def test_an_unknown_task_is_refused(bench, verdict):
    with pytest.raises(InputError, match="the task 'X/1' is not in the benchmark 'small'"):
        observe(bench, [Verdict.from_row(verdict("X/1", 2))])


class Row(dict):
    """A dict that can be referred to weakly."""


def test_verdicts_are_counted_as_they_come_and_not_kept(bench, verdict):
    references, most_alive = [], 0

    def stream():
        nonlocal most_alive
        for _ in range(50):
            row = Row(verdict("rel/0", 2))
            references.append(weakref.ref(row))
            yield Verdict.from_row(row)
            most_alive = max(most_alive, sum(reference() is not None for reference in references))

    observe(bench, stream())
    assert most_alive <= 2
