import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers.pytorch_utils import Conv1D

from edittool.editing.edits.codebook import (
    Codebook,
    Entries,
    Entry,
    distances,
    entries_at,
    features,
    install,
    looking_at,
    pack,
    rounding,
    unpack,
)

IN, OUT = 6, 4


@pytest.fixture(params=["linear", "conv1d"])
def layer(request: pytest.FixtureRequest) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(IN, OUT) if request.param == "linear" else Conv1D(OUT, IN)


def inputs(rows: int = 3, width: int = 5) -> torch.Tensor:
    return torch.randn(rows, width, IN, generator=torch.Generator().manual_seed(1))


def made(*keys: torch.Tensor, radius: float = 0.5, **options: Any) -> Entries:
    """The value of the i-th entry is i + 1 everywhere."""
    rows = (Entry(key, torch.full((OUT,), i + 1.0), radius, float(i)) for i, key in enumerate(keys))
    return Entries(tuple(rows), **options)


@pytest.mark.parametrize(
    ("replacement", "columns"),
    [("replace_last", [4]), ("replace_prompt", [0, 1, 2, 3]), ("replace_all", [0, 1, 2, 3, 4])],
)
def test_what_is_replaced_where_a_key_is_near(layer: nn.Module, replacement: Any, columns: list[int]) -> None:
    x = inputs()
    own = layer(x)
    install(layer, made(x[2, 4], x[0, 4] + 0.1, replacement=replacement))
    out = layer(x)
    for row, value in ((0, 2.0), (2, 1.0)):
        for column in range(5):
            expected = torch.full((OUT,), value) if column in columns else own[row, column]
            assert torch.equal(out[row, column], expected)
    assert torch.equal(out[1], own[1])


def test_each_pass_is_looked_up_at_its_own_last_column(layer: nn.Module) -> None:
    x = inputs()
    own = layer(x)
    install(layer, made(x[0, 4], x[1, 0]))
    assert (layer(x)[0, 4] == 1).all()
    # Nothing is left of the pass before; another shape may be summed in another order.
    assert torch.allclose(layer(x[:, :4].clone()), own[:, :4], atol=1e-6)
    assert (layer(x[:, :1].clone())[1, 0] == 2).all()  # a new token that follows a cache
    assert (layer(x)[0, 4] == 1).all()


def test_a_position_may_be_said_for_all_rows_or_each(layer: nn.Module) -> None:
    x = inputs()
    own = layer(x)
    install(layer, made(x[0, 2], x[1, 3]))
    with looking_at(2):
        out = layer(x)
        with looking_at(torch.tensor([2, 3, 0])):
            each = layer(x)
        assert torch.equal(layer(x), out)
    assert (out[0, 2] == 1).all()
    assert torch.equal(out[1:], own[1:])
    assert (each[0, 2] == 1).all()
    assert (each[1, 3] == 2).all()
    assert torch.equal(layer(x), own)
    with looking_at(9):
        assert torch.equal(layer(x[:, :3].clone())[0, 2], each[0, 2])  # beyond the last column is the last


def test_the_nearest_key_decides_and_only_within_its_own_radius(layer: nn.Module) -> None:
    key = torch.zeros(IN)
    near, far = Entry(key, torch.ones(OUT), 0.1, 0.0), Entry(key + 1, torch.ones(OUT) * 2, 100.0, 1.0)
    install(layer, Entries((near, far)))
    x = key.expand(1, 1, IN)
    assert (layer(x + 0.01) == 1).all()
    assert (layer(x + 1.5) == 2).all()
    own = layer(x + 0.2)  # nearer to the first key, and outside its radius
    assert not (own == 1).any()
    assert not (own == 2).any()


def test_a_radius_is_not_missed_by_rounding(layer: nn.Module) -> None:
    key = torch.full((IN,), 3.0)
    install(layer, made(key, radius=1.0))
    step = torch.eye(IN)[0]
    assert (layer((key + step * (1 + 1e-6)).expand(1, 1, IN)) == 1).all()
    assert not (layer((key + step * (1 + 1e-3)).expand(1, 1, IN)) == 1).any()
    assert rounding(key[None]).item() == pytest.approx(1e-5 * key.norm().item())
    assert rounding(key[None].bfloat16()).item() == pytest.approx(2**-7 * key.norm().item())
    assert rounding(torch.zeros(1, IN)).item() == pytest.approx(2e-5)


def test_identical_vectors_have_no_distance_however_many_keys() -> None:
    keys = torch.randn(64, 512, generator=torch.Generator().manual_seed(0)) * 14  # of norm 315 and more
    assert (distances(keys, keys, "direct").diagonal() == 0).all()
    expected = (keys[:, None].double() - keys[None, :].double()).norm(dim=-1)
    assert torch.allclose(distances(keys, keys, "direct").double(), expected, rtol=1e-5)
    assert distances(keys, keys, "cdist").diagonal().max() > 0.01  # so the option really is another computation


def test_rows_do_not_depend_on_their_batch(layer: nn.Module) -> None:
    x = inputs(40, 1)
    install(layer, made(*x[:30, 0], radius=0.0))
    together = layer(x)
    for row in range(30):
        assert (together[row] == row + 1).all()
        assert torch.equal(layer(x[row : row + 1])[0], together[row])


def test_half_precision_gets_rounded_values(layer: nn.Module) -> None:
    layer.bfloat16()
    x = inputs().bfloat16()
    entries = Entries((Entry(x[0, 4].float(), torch.full((OUT,), 1.001), 0.0, 0.0),))
    install(layer, entries)
    out = layer(x)
    assert out.dtype == torch.bfloat16
    assert (out[0, 4] == torch.tensor(1.001).bfloat16()).all()
    assert entries.codebook().keys.dtype == torch.float32


def test_putting_in_and_taking_out(layer: nn.Module) -> None:
    x = inputs()
    own, names = layer(x), list(layer.state_dict())
    first, second = made(x[0, 4]), made(x[1, 4])
    take_out_first = install(layer, first)
    take_out_second = install(layer, second)
    assert entries_at(layer) is second
    assert len(layer._forward_hooks) == 1
    assert list(layer.state_dict()) == names
    take_out_second()
    assert entries_at(layer) is first
    assert (layer(x)[0, 4] == 1).all()
    take_out_first()
    assert entries_at(layer) is None
    assert not layer._forward_hooks
    assert torch.equal(layer(x), own)


def test_a_deep_copy_has_a_codebook_of_its_own(layer: nn.Module) -> None:
    x = inputs()
    take_out = install(layer, made(x[0, 4]))
    other = copy.deepcopy(layer)
    install(layer, made(x[1, 4]))
    take_out()
    assert entries_at(layer) is None
    assert (other(x)[0, 4] == 1).all()
    assert not (other(x)[1, 4] == 1).any()


def test_gradients_reach_the_values_that_are_written(layer: nn.Module) -> None:
    x = inputs().requires_grad_()
    install(layer, made(x.detach()[0, 4]))
    layer(x).sum().backward()
    assert x.grad is not None
    assert not x.grad[0, 4].any()  # what was put out there does not come from the input
    assert x.grad[1, 4].any()


def test_features() -> None:
    assert features(nn.Linear(3, 5)) == (3, 5)
    assert features(Conv1D(5, 3)) == (3, 5)
    assert features(nn.LayerNorm(3)) is None


def test_entries_are_followed_not_changed() -> None:
    first = made(torch.zeros(IN))
    second = first.with_row(1, Entry(torch.ones(IN), torch.ones(OUT), 0.2, 7.0))
    third = second.with_row(0, replace(second.rows[0], radius=0.1))
    assert [len(entries.rows) for entries in (first, second, third)] == [1, 2, 2]
    assert first.codebook().radii.tolist() == [0.5]
    assert third.codebook().radii.tolist() == pytest.approx([0.1, 0.2])
    assert third.rows[0].key is first.rows[0].key
    assert len({first.digest(), second.digest(), third.digest()}) == 3


def test_entries_move_together() -> None:
    moved = made(torch.zeros(IN), torch.ones(IN), grown_from="x").on(torch.device("meta"))
    assert {tensor.device.type for tensor in moved.codebook()} == {"meta"}
    assert moved.grown_from == "x"


def test_the_digest_covers_what_decides() -> None:
    entries = made(torch.zeros(IN))
    (row,) = entries.rows
    others = [
        replace(entries, replacement="replace_all"),
        replace(entries, distance="cdist"),
        *(entries.with_row(0, replace(row, **{name: value})) for name, value in (("radius", 0.1), ("label", 9.0))),
        *(entries.with_row(0, replace(row, **{name: getattr(row, name) + 1})) for name in ("key", "value")),
    ]
    assert entries.digest() not in {other.digest() for other in others}
    assert entries.digest() == made(torch.zeros(IN), grown_from="something").digest()


numbers = st.floats(-1e6, 1e6, width=32)


@st.composite
def some_entries(draw: Any) -> Entries:
    wide, high = draw(st.integers(1, 4)), draw(st.integers(1, 4))

    def vector(size: int) -> torch.Tensor:
        return torch.tensor(draw(st.lists(numbers, min_size=size, max_size=size)))

    rows = tuple(
        Entry(vector(wide), vector(high), draw(numbers), draw(numbers)) for _ in range(draw(st.integers(1, 5)))
    )
    replacement = draw(st.sampled_from(["replace_last", "replace_prompt", "replace_all"]))
    return Entries(rows, replacement, draw(st.sampled_from(["direct", "cdist"])), draw(st.text("abc123")))


@settings(deadline=None)
@given(some_entries())
def test_packing_keeps_everything(entries: Entries) -> None:
    again = unpack(*pack(entries))
    assert again.digest() == entries.digest()
    assert pack(again)[1] == pack(entries)[1]
    assert all(map(torch.equal, again.codebook(), entries.codebook()))


@pytest.mark.parametrize(
    "damage",
    [
        lambda tensors, settings: tensors.pop("labels"),
        lambda tensors, settings: tensors.update(radii=tensors["radii"][:1]),
        lambda tensors, settings: tensors.update(values=tensors["values"][0]),
        lambda tensors, settings: tensors.update({name: tensor[:0] for name, tensor in tensors.items()}),
        lambda tensors, settings: settings.update(replacement="replace_some"),
        lambda tensors, settings: settings.pop("distance"),
    ],
)
def test_damaged_entries_are_refused(damage: Any) -> None:
    tensors, settings = pack(made(torch.zeros(IN), torch.ones(IN)))
    damage(tensors, settings)
    with pytest.raises((ValueError, KeyError)):
        unpack(tensors, settings)


def test_the_codebook_has_names_and_an_order() -> None:
    book = made(torch.zeros(IN), torch.ones(IN)).codebook()
    keys, values, radii = book
    assert isinstance(book, Codebook)
    assert (book.keys is keys, book.values is values, book.radii is radii) == (True, True, True)
    assert (keys.shape, values.shape, radii.shape) == ((2, IN), (2, OUT), (2,))
