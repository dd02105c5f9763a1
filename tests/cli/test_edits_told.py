"""What stderr says of each edit: not much where there are many."""

from dataclasses import replace

import pytest
import torch

from edittool.cli.shared.edits_told import FEW, MOST, EditsTold
from edittool.editing.edits.edit import Edit
from edittool.editing.edits.sizes import Sizes
from edittool.editing.runs.journal import MadeEdit
from edittool.editing.success.measure import Measured
from edittool.editing.success.record import EditRecord

from ..editing.short_runs import INSTANT

BEFORE = Measured(4, 20, 3.73, 0.0, 0, 9.0)


def made(learned: int, edit: Edit | None = None) -> MadeEdit:
    record = EditRecord(("sorted",), BEFORE, replace(BEFORE, nll=3.56, learned=learned), Sizes())
    return MadeEdit("sorted", "sorted (edit 3)", edit or Edit("ft", {"weight": torch.ones(2, 2)}), record)


class TestEditsTold:
    def test_each_of_a_few_has_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        hear = EditsTold(INSTANT, FEW)
        for learned in (4, 1, 0, 0):
            hear(made(learned))
        lines = capsys.readouterr().err.splitlines()
        assert lines[:2] == [
            "sorted (edit 3): 4 of 4 targets learned, NLL 3.73 -> 3.56",
            "sorted (edit 3): 1 of 4 targets learned, NLL 3.73 -> 3.56",
        ]
        assert lines[2].startswith(
            "sorted (edit 3): 0 of 4 targets learned, NLL 3.73 -> 3.56. The edit did not take. Try "
        )
        assert "larger num_steps (2) or lr (0.05)" in lines[2]
        assert lines[3:] == ["sorted (edit 3): 0 of 4 targets learned, NLL 3.73 -> 3.56"]

    def test_of_many_only_those_that_did_not_take(self, capsys: pytest.CaptureFixture[str]) -> None:
        hear = EditsTold(INSTANT, 78)
        for _ in range(39):
            hear(made(4))
            hear(made(0))
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == MOST + 1
        assert all("0 of 4 targets learned" in line for line in lines[:-1])
        assert lines[-1] == "more edits did not take: see `edit` in the rows of samples"


def test_one_that_was_undone_has_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    EditsTold(INSTANT, 1)(made(0, Edit("ft", {})))
    assert capsys.readouterr().err == "sorted (edit 3): 0 of 4 targets learned, NLL 3.73 -> 3.56\n"
