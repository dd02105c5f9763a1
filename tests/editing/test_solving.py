from dataclasses import replace
from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext
from edittool.editing.methods import METHODS
from edittool.editing.requests import EditRequest
from edittool.editing.speedups import Speedups
from edittool.schemas.errors import InputError

from .runs import METHOD_HPARAMS

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
        METHODS[method].teach(llama, tokenizer, [REQUEST], hparams, context)
    assert checksum(llama) == before
