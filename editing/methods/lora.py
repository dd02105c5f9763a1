"""LoRA: two thin matrices beside each adapted layer, trained and then added to its weight (arXiv 2106.09685).

    W x + (a / r) B A x,    so    ΔW = (a / r) B A

(equation 3 of Hu et al.), trained through the library peft by Adam on -log p of the targets, and merged: no adapter is
left in the model.

    W       the weight of a linear layer whose path ends with one of `target_modules`: (d, f)
    A, B    the adapter, (r, f) and (d, r): A starts as peft draws it by the run's seed, B at 0
    r, a    `rank` and `lora_alpha`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..context import EditContext
from ..edits.edit import Edit
from ..requests import EditRequest
from ..training.adapters import NAME, AdapterHparams, check_adapters, measure_adapters, need_peft, teach_adapters
from .table import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraHparams(AdapterHparams):
    """Hyperparameters, under EasyEdit's names: see `AdapterHparams`."""


def teach_lora(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: LoraHparams, context: EditContext
) -> Edit:
    """Teach `model` the requests and return the edit, applied: see `teach_adapters`."""
    peft = need_peft()

    def make(model: Any, steps: int) -> Any:
        return peft.LoraModel(model, hparams.config(peft.LoraConfig, model, r=hparams.rank), NAME)

    return teach_adapters("lora", model, tokenizer, requests, hparams, context, make, _factors)


def _factors(layer: Any) -> tuple[Tensor, Tensor]:
    return layer.lora_B[NAME].weight * layer.scaling[NAME], layer.lora_A[NAME].weight.T


METHOD = Method(
    "lora",
    LoraHparams,
    teach_lora,
    alg_names=("LoRA",),
    check=check_adapters,
    many=True,
    measure=measure_adapters,
    keyed=False,
    requests="solution",
)
