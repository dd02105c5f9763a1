"""A forward pass in parts gives what the model's own gives."""

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edittool.editing.model.families import family_of
from edittool.editing.model.forward import Layers, Row, head, read
from edittool.editing.model.parameters import frozen

from ..conftest import FAMILY_NAMES, make_model

ROWS = [Row.of([3, 5, 7, 9, 11, 20, 21]), Row.of([4, 6, 8]), Row.of([30, 31, 32, 33, 34, 35, 36, 37, 38])]
CLOSE = 5e-5  # log-probabilities of models with large weights, in float32


@torch.no_grad()
def difference(model: Any, rows: list[Row], starts: list[int], found: torch.Tensor) -> float:
    """How far the log-probabilities of `found` are from those of each row alone, from its start on."""
    worst = 0.0
    for place, (row, start) in enumerate(zip(rows, starts, strict=True)):
        alone = model(torch.tensor([row.ids])).logits[0, start:].log_softmax(-1)
        worst = max(worst, float((head(model, found[place, : len(row.ids) - start]) - alone).abs().max()))
    return worst


@pytest.mark.parametrize("starts", [[0, 0, 0], [3, 0, 5], [2, 1, 1], [6, 2, 8]])
def test_rows_of_any_length_from_any_start(model: Any, starts: list[int]) -> None:
    layers = Layers(model, read(model, ROWS, starts))
    assert difference(model, ROWS, starts, layers.run(layers.embedded, 0)) < CLOSE


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_rows(data: Any) -> None:
    model = make_model(data.draw(st.sampled_from(FAMILY_NAMES)))
    token = st.integers(0, 299)
    rows = [
        Row.of(ids) for ids in data.draw(st.lists(st.lists(token, min_size=1, max_size=12), min_size=1, max_size=4))
    ]
    starts = [data.draw(st.integers(0, len(row.ids) - 1)) for row in rows]
    layers = Layers(model, read(model, rows, starts))
    assert difference(model, rows, starts, layers.run(layers.embedded, 0)) < CLOSE


def test_the_parts_of_a_layer_make_up_its_output(model: Any) -> None:
    layers = Layers(model, read(model, ROWS, [2, 1, 3]))
    entering = layers.run(layers.embedded, 0, 0)
    parts = layers.parts(entering, 1)
    assert torch.equal(parts.middle + parts.mlp_output, parts.output)
    assert torch.equal(entering + parts.attention_output, parts.middle)
    assert torch.equal(layers.mlp(parts.middle, 1), parts.mlp_output)
    mlp_out = layers.module(family_of(model).mlp_out, 1)
    assert torch.equal(mlp_out(parts.mlp_input), parts.mlp_output)
    assert torch.equal(parts.select([2, 0]).output, parts.output[[2, 0]])


def test_running_again_from_the_same_place_gives_the_same_bits(model: Any) -> None:
    layers = Layers(model, read(model, ROWS, [3, 1, 5]))
    entering = layers.run(layers.embedded, 0, 0)
    assert torch.equal(layers.run(entering, 1), layers.run(entering, 1))


def test_rows_can_leave_a_batch(model: Any) -> None:
    starts = [3, 1, 5]
    layers = Layers(model, read(model, ROWS, starts))
    fewer = Layers(model, layers.batch.select([2, 0]))
    assert difference(model, [ROWS[2], ROWS[0]], [5, 3], fewer.run(fewer.embedded, 0)) < CLOSE


def test_the_model_is_left_as_it_was(model: Any) -> None:
    before = model(torch.tensor([ROWS[0].ids])).logits
    layers = Layers(model, read(model, ROWS, [2, 1, 3]))
    layers.parts(layers.run(layers.embedded, 0, 0), 1)
    for module in model.modules():
        assert "forward" not in module.__dict__
        assert not module._forward_hooks
    assert torch.equal(model(torch.tensor([ROWS[0].ids])).logits, before)


def test_a_failing_layer_leaves_the_model_as_it_was(llama: Any) -> None:
    layers = Layers(llama, read(llama, ROWS))
    with pytest.raises(RuntimeError):
        layers.parts(torch.zeros(1, 1, 5), 1)
    assert not any(module._forward_hooks for module in llama.modules())


def test_gradients_reach_what_they_are_to_reach_alone(llama: Any) -> None:
    first, *others = llama.parameters()
    first.requires_grad_(False)

    def flags() -> list[bool]:
        return [parameter.requires_grad for parameter in llama.parameters()]

    with frozen(llama, but=[others[0]]):
        assert flags() == [False, True] + [False] * (len(others) - 1)
    assert flags() == [False] + [True] * len(others)


def test_padding_that_belongs_to_a_row() -> None:
    row = Row.of([4, 5, 6])
    assert row.padded_left(9, 5) == Row((9, 9, 4, 5, 6), (0, 0, 1, 1, 1))
    assert (row.padded, row.padded_left(9, 5).padded) == (False, True)
    assert row.until(2) == Row.of([4, 5])
