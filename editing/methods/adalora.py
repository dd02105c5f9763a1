"""AdaLoRA: LoRA in the form of a singular value decomposition, whose ranks go where they matter (arXiv 2303.10512).

    ΔW = (a / r₀) B (E ∘ A),    minimise  L + g mean over adapters of (‖A Aᵀ - I‖_F + ‖Bᵀ B - I‖_F) / 2

(equations 3 and 4 of Zhang et al.), trained through the library peft. All adapters begin with r₀ directions each; from
step `tinit` on, those whose values and vectors have mattered least to the loss so far are set to 0, until `tfinal`
steps before the end there are `rank` an adapter on average. What is left is added to the weights.

    A, E, B   right vectors, singular values and left vectors: (r₀, f), (r₀, 1), (d, r₀)
    r₀        `init_rank`
    a, g      `lora_alpha` and `orth_reg_weight`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..context import EditContext
from ..edits.edit import Edit
from ..requests import EditRequest
from ..training.adapters import NAME, AdapterHparams, check_adapters, measure_adapters, need_peft, teach_adapters
from .table import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaloraHparams(AdapterHparams):
    """Hyperparameters, under EasyEdit's names (see `AdapterHparams`) and, what it does not set, under peft's.

    `rank` is the average that is left at the end. `init_rank`: by default half as much again, as the paper has it;
    `tinit`, `tfinal`: steps of the optimiser without cuts at the beginning and the end, by default a tenth and a half
    of all, about the paper's shares, and less where they leave no step for a cut. There is no early stop: the cuts are
    planned for all steps.
    """

    init_rank: int | None = None
    tinit: int | None = None
    tfinal: int | None = None
    orth_reg_weight: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        AdapterHparams.__post_init__(self)
        if self.first_rank < self.rank:
            raise ValueError(f"init_rank must be at least the rank {self.rank}, not {self.init_rank}")
        for name in ("tinit", "tfinal", "orth_reg_weight"):
            if not 0 <= (getattr(self, name) or 0) < float("inf"):
                raise ValueError(f"{name} must be a number from 0 up, not {getattr(self, name)}")
        if self.stop_loss:
            raise ValueError("stop_loss must be left out: the ranks are cut over all steps")

    @property
    def first_rank(self) -> int:
        """The rank of each adapter at the beginning."""
        return (3 * self.rank + 1) // 2 if self.init_rank is None else self.init_rank

    def schedule(self, steps: int) -> dict[str, int]:
        """Return when ranks are cut in a training of so many steps, in peft's words; one cut at least."""
        tinit = steps // 10 if self.tinit is None else self.tinit
        tfinal = steps // 2 if self.tfinal is None else self.tfinal
        tinit = min(tinit, steps - 1)
        return {"total_step": steps, "tinit": tinit, "tfinal": min(tfinal, steps - 1 - tinit)}


def teach_adalora(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: AdaloraHparams, context: EditContext
) -> Edit:
    """Teach `model` the requests and return the edit, applied: see `teach_adapters`."""
    peft = need_peft()

    def make(model: Any, steps: int) -> Any:
        ranks = {"target_r": hparams.rank, "init_r": hparams.first_rank}
        more = {**ranks, **hparams.schedule(steps), "orth_reg_weight": hparams.orth_reg_weight}
        return peft.AdaLoraModel(model, hparams.config(peft.AdaLoraConfig, model, **more), NAME)

    return teach_adapters(
        "adalora",
        model,
        tokenizer,
        requests,
        hparams,
        context,
        make,
        _factors,
        penalty=lambda tuner: hparams.orth_reg_weight * distance_from_orthogonal(tuner),
        after_step=lambda tuner, step: tuner.update_and_allocate(step),
    )


def distance_from_orthogonal(tuner: Any) -> Tensor:
    """Return the mean over all A and B of ‖A Aᵀ - I‖_F and ‖Bᵀ B - I‖_F, a number with its gradient."""
    layers = [module for module in tuner.modules() if hasattr(module, "lora_E")]
    products = [product for one in layers for product in _gram_matrices(one.lora_A[NAME], one.lora_B[NAME])]
    away = [(product - torch.eye(len(product), device=product.device)).norm() for product in products]
    return torch.stack(away).mean()


def _gram_matrices(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return a @ a.T, b.T @ b


def _factors(layer: Any) -> tuple[Tensor, Tensor]:
    """Return what is left of the adapter: its directions whose value is not 0."""
    values = layer.lora_E[NAME].detach()
    kept = values[:, 0] != 0
    left = layer.lora_B[NAME] * (layer.scaling[NAME] / (layer.ranknum[NAME] + 1e-5))
    return left[:, kept], (layer.lora_A[NAME] * values)[kept].T


METHOD = Method(
    "adalora",
    AdaloraHparams,
    teach_adalora,
    alg_names=("AdaLoRA",),
    check=check_adapters,
    many=True,
    measure=measure_adapters,
    keyed=False,
    requests="solution",
)
