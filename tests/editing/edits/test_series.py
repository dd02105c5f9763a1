from typing import Any

import pytest
import torch

from edittool.editing.edits.edit import Edit
from edittool.editing.edits.series import EditSeries


def make_edits(model: Any) -> list[Edit]:
    """Edits of one, of two and of other parameters."""
    names = [name for name, parameter in model.named_parameters() if parameter.dim() == 2][:3]
    shapes = dict(model.named_parameters())
    chosen = (names[:1], names[:2], names[2:], names[:1])
    return [Edit("ft", {name: torch.randn_like(shapes[name]) for name in some}) for some in chosen]


def test_a_series_is_what_its_edits_are_one_by_one(model: Any, checksum: Any) -> None:
    start, edits = checksum(model), make_edits(model)
    states = []
    for edit in edits:
        edit.apply(model)
        states.append(checksum(model))
    for edit in reversed(edits):
        edit.undo()
    with EditSeries(model) as series:
        for edit, state in zip(edits, states, strict=True):
            series.add(edit.apply(model))
            assert checksum(model) == state
        with pytest.raises(RuntimeError, match="in no model"):  # what it kept is let go
            edits[0].undo()
    assert checksum(model) == start


def test_half_precision_comes_back_bit_for_bit(llama: Any) -> None:
    llama.bfloat16()
    before = [parameter.clone() for parameter in llama.parameters()]
    with EditSeries(llama) as series:
        for edit in make_edits(llama):
            series.add(edit.apply(llama))
    assert all(torch.equal(old, new) for old, new in zip(before, llama.parameters(), strict=True))


def test_an_interruption_restores_the_model(llama: Any, checksum: Any) -> None:
    start, (first, second, *_) = checksum(llama), make_edits(llama)
    series = EditSeries(llama)
    series.add(first.apply(llama))
    series.add(second.apply(llama))
    with pytest.raises(KeyboardInterrupt), series:
        raise KeyboardInterrupt
    assert checksum(llama) == start


def test_a_series_can_begin_again(llama: Any, checksum: Any) -> None:
    start, (first, second, *_) = checksum(llama), make_edits(llama)
    series = EditSeries(llama)
    for edit in (first, second, Edit("none", {})):
        series.add(edit.apply(llama))
        series.restore()
        assert checksum(llama) == start
