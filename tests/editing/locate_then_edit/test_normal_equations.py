"""(λC + KKᵀ)⁻¹ K, factored once or solved each time."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edittool.editing.context import EditContext, Speedups
from edittool.editing.locate_then_edit.normal_equations import adjusted_keys, check_covariances, inverse_covariance
from edittool.editing.methods.table import find_method
from edittool.editing.requests import EditRequest
from edittool.schemas.errors import InputError

from ..short_runs import METHOD_HPARAMS

PATH = "model.layers.1.mlp.down_proj"


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def contexts(covariance: Tensor) -> tuple[EditContext, EditContext]:
    given = {PATH: covariance}
    return EditContext(covariance=given, speedups=Speedups.none()), EditContext(covariance=given)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(1, 6),
    st.sampled_from([0.1, 1.0, 15000.0]),
    st.sampled_from([1, 2, 20]),
)
def test_both_ways_solve_the_equations(seed: int, size: int, keys: int, weight: float, documents: int) -> None:
    inputs = drawn(seed, documents * size + 2, size)
    covariance = inputs.T @ inputs / len(inputs) + 1e-2 * torch.eye(size)
    covariance = (covariance + covariance.T) / 2  # a product in float32 is symmetric on some processors alone
    k = drawn(seed + 1, size, keys)
    for context in contexts(covariance):
        found = adjusted_keys(context, PATH, k, weight)
        left = (weight * covariance.double() + k.double() @ k.double().T) @ found
        assert found.dtype == torch.float64
        assert torch.allclose(left, k.double(), rtol=1e-9, atol=1e-9)


def test_sums_in_float32_may_leave_a_covariance_indefinite() -> None:
    values = torch.tensor([2.0, 1.0, 0.5, -1e-6])
    basis, _ = torch.linalg.qr(drawn(3, 4, 4).double())
    covariance = basis @ torch.diag(values.double()) @ basis.T
    assert torch.linalg.cholesky_ex(covariance)[1] != 0
    plain, factored = (adjusted_keys(context, PATH, drawn(4, 4, 2), 100.0) for context in contexts(covariance))
    assert torch.allclose(plain, factored, rtol=1e-6)


def test_a_covariance_is_factored_once() -> None:
    asked = []

    class Counting(dict[str, Tensor]):
        def __getitem__(self, path: str) -> Tensor:
            asked.append(path)
            return super().__getitem__(path)

    context = EditContext(covariance=Counting({PATH: torch.eye(4)}))
    first = adjusted_keys(context, PATH, drawn(0, 4, 2), 3.0)
    assert torch.equal(adjusted_keys(context, PATH, drawn(0, 4, 2), 3.0), first)
    assert asked == [PATH]
    assert not torch.equal(adjusted_keys(context, PATH, drawn(0, 4, 2), 4.0), first)  # another λ is another factor


def test_the_inverse_is_taken_in_the_dtype_that_is_asked_for() -> None:
    covariance = drawn(1, 40, 5).T @ drawn(1, 40, 5)
    context = EditContext(covariance={PATH: covariance})
    inverse = inverse_covariance(context, PATH, 5, torch.float64, torch.device("cpu"))
    assert inverse.dtype == torch.float32
    assert torch.equal(inverse, torch.inverse(covariance.double()).float())
    assert torch.equal(
        inverse_covariance(context, PATH, 5, torch.float32, torch.device("cpu")), torch.inverse(covariance)
    )


def test_what_is_missing_or_does_not_fit() -> None:
    with pytest.raises(InputError, match=rf"no covariance for {PATH}.*edittool stats"):
        check_covariances(EditContext(), [PATH])
    context = EditContext(covariance={PATH: torch.eye(3)})
    check_covariances(context, [PATH])
    with pytest.raises(InputError, match=r"shape \(3, 3\), and the module's inputs have 4 features"):
        adjusted_keys(context, PATH, torch.ones(4, 1), 1.0)


REQUEST = EditRequest("def root(x):\n", "root", "    return x\n")


# Without the factored solve, MEMIT and PMET add to the covariance before it is solved for: that hides what it lacks.
@pytest.mark.parametrize(
    ("entry", "fault", "methods"),
    [
        (0.0, "cannot be inverted", {"rome": Speedups.none(), "memit": Speedups(), "pmet": Speedups()}),
        (torch.nan, "infinities or NaN", dict.fromkeys(("rome", "memit", "pmet"), Speedups())),
        (torch.nan, "infinities or NaN", dict.fromkeys(("rome", "memit", "pmet"), Speedups.none())),
    ],
)
@pytest.mark.parametrize("method", ["rome", "memit", "pmet"])
def test_a_covariance_that_cannot_be_used(
    llama: Any, tokenizer: Any, checksum: Any, method: str, entry: float, fault: str, methods: dict[str, Speedups]
) -> None:
    before, hparams = checksum(llama), METHOD_HPARAMS[method]
    if method == "rome":
        hparams = replace(hparams, mom2_adjustment=True)
    covariance = {f"model.layers.{layer}.mlp.down_proj": torch.full((48, 48), entry) for layer in (0, 1)}
    context = EditContext(templates=[], covariance=covariance, speedups=methods[method])
    with pytest.raises(
        InputError, match=rf"covariance for model\.layers\.\d\.mlp\.down_proj .*{fault}.*`edittool stats"
    ):
        find_method(method).teach(llama, tokenizer, [REQUEST], hparams, context)
    assert checksum(llama) == before
