"""ROME: a rank-one update of an MLP layer (Meng et al., arXiv 2202.05262), and its repair R-ROME (arXiv 2403.07175).

    ΔW = (v* - W k₀) uᵀ / (uᵀ k₀),    u = C⁻¹ k̄ / ‖C⁻¹ k̄‖

(equation 2 of the paper, Λ (C⁻¹ k*)ᵀ; here W k₀ is the layer's output with its bias). `rome_variant` says which key
stands where: the original has u from k̄ and divides by k₀; `r_rome` has k̄, and the mean output, in all places; `p_rome`
has k₀ in all places.

    W       the MLP's last linear layer in one of `layers`: (d, f)
    k₀      its input at the subject's lookup position in the bare prompt: (f,)
    k̄       the mean of that input over the contexts (equation 3): (f,)
    C       the uncentred covariance of its inputs, with `mom2_adjustment`; else the identity: (f, f)
    v*      h₀ + δ, the output that makes the model write the target (equation 4; see `target_values`): (d,)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from ..context import EditContext, Step
from ..edits.edit import Edit
from ..edits.low_rank import LowRank
from ..edits.masters import master_of
from ..locate_then_edit.contexts import find_templates, measured
from ..locate_then_edit.hparams import LocatingHparams, check_locating
from ..locate_then_edit.keys import read_at_lookups
from ..locate_then_edit.normal_equations import check_covariances, inverse_covariance
from ..locate_then_edit.target_values import find_values
from ..locate_then_edit.token_rows import BARE, Reading
from ..model.families import Family
from ..model.parameters import restored
from ..requests import EditRequest, need_requests
from .table import Method

Variant = Literal["by_regime", "original", "r_rome", "p_rome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RomeHparams(LocatingHparams):
    """Hyperparameters of ROME, under EasyEdit's names.

    `mom2_adjustment` divides the key by the covariance. `context_template_length_params` are pairs: tokens of a
    context, and how many contexts. `rome_variant`: `original` divides by the bare prompt's key, though the update is
    keyed on the mean over the contexts, and so can explode; `r_rome` uses the mean throughout, `p_rome` the bare
    prompt's key throughout; `by_regime` is `r_rome` in a sequence of edits, where the original collapses, else the
    original.
    """

    mom2_adjustment: bool = False
    context_template_length_params: list[list[int]] = field(default_factory=lambda: [[10, 5]])
    rome_variant: Variant = "by_regime"

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        LocatingHparams.__post_init__(self)
        for pair in self.context_template_length_params:
            if len(pair) != 2 or min(pair) < 1:
                raise ValueError(f"context_template_length_params has pairs [tokens, contexts], not {pair}")

    def for_regime(self, regime: str) -> "RomeHparams":
        """Return the hyperparameters with the variant that `regime` asks for, where none was named."""
        if self.rome_variant != "by_regime":
            return self
        return replace(self, rome_variant="r_rome" if regime == "sequential" else "original")

    @classmethod
    def translate(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields as this class names them: EasyEdit's R-ROME has three switches for the variant."""
        if "rome_variant" in given or str(given.get("alg_name", "")).upper() != "R-ROME":
            return dict(given)
        if given.get("enable_random_prefix_keys", True):
            return {**given, "rome_variant": "r_rome"}
        bare = given.get("enable_prompt_keys") and not given.get("original_implementation")
        return {**given, "rome_variant": "p_rome" if bare else "original"}


def check_rome(model: Any, hparams: RomeHparams) -> tuple[str, ...]:
    """Return the modules whose covariance is needed. Raises InputError where the hyperparameters do not fit."""
    family = check_locating(model, hparams)
    paths = tuple(family.mlp_out.replace("{}", str(layer)) for layer in hparams.layers)
    return paths if hparams.mom2_adjustment else ()


def measure_rome(model: Any, tokenizer: Any, request: EditRequest, hparams: RomeHparams, context: EditContext) -> int:
    """Return how many tokens are read for a request, at most.

    Raises InputError where its subject or target cannot be found in tokens.
    """
    return measured(_reading(model, tokenizer, hparams), request, context, hparams.context_template_length_params)


def teach_rome(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: RomeHparams, context: EditContext
) -> Edit:
    """Teach `model` the requests, one after the other, and return the edit, applied.

    The model is left in evaluation mode. Raises InputError for hyperparameters that do not fit the model, a request
    whose subject or target cannot be found in tokens, and a missing covariance.
    """
    need_requests("ROME", requests)
    check_covariances(context, check_rome(model, hparams))
    family = check_locating(model, hparams)
    model.eval()
    templates = find_templates(model, tokenizer, context, hparams.context_template_length_params, brace="")
    reading = _reading(model, tokenizer, hparams)
    names = [f"{family.mlp_out.replace('{}', str(layer))}.weight" for layer in hparams.layers]
    updates: dict[str, LowRank] = {}
    losses: list[float] = []
    with torch.no_grad(), restored(model, names) as weights:
        masters = {name: master_of(model, name, weight).clone() for name, weight in weights.items()}
        parts = len(requests) * len(names)
        for number, request in enumerate(requests):
            for place, (layer, name) in enumerate(zip(hparams.layers, names, strict=True)):
                done = number * len(names) + place
                watch = partial(_tell, context, number + 1, len(requests), done, parts)
                update, steps = _update(model, request, templates, reading, hparams, layer, context, watch)
                update = update.transposed() if family.transposed else update
                updates[name] = LowRank.total([updates[name], update]) if name in updates else update
                weights[name].copy_(masters[name] + updates[name].dense())
                losses += steps
    return Edit("rome", updates, losses).apply(model, touched_only=context.speedups.touched_only)


def _tell(context: EditContext, request: int, requests: int, done: int, parts: int, step: Step) -> None:
    """Tell of a step in the optimisation of one value, when `done` of the edit's `parts` of them are done."""
    context.watch(replace(step, request=request, requests=requests, done=(done + step.share()) / parts))


def _update(
    model: Any,
    request: EditRequest,
    templates: Sequence[str],
    reading: Reading,
    hparams: RomeHparams,
    layer: int,
    context: EditContext,
    watch: Callable[[Step], None],
) -> tuple[LowRank, list[float]]:
    """Return the rank-one update (d, f) of one layer for one request, and the losses of its value's optimisation."""
    family = check_locating(model, hparams)
    rows = reading.key_rows([request], templates)
    keys, outputs = read_at_lookups(model, rows, family.mlp_out, layer, context.speedups)
    bare_key, bare_output = keys[0], outputs[0]
    if reading.left_padded:  # the reference reads the bare prompt by itself, so without padding
        alone = read_at_lookups(model, reading.key_rows([request], [BARE]), family.mlp_out, layer, context.speedups)
        bare_key, bare_output = alone[0][0], alone[1][0]
    value_rows = reading.value_rows(request, templates)
    (value,) = find_values(model, [value_rows], hparams, layer, "mlp", context.speedups, watch=watch)
    key = bare_key if hparams.rome_variant == "p_rome" else keys.mean(0)
    left = _direction(key, family, hparams, layer, context)
    if hparams.rome_variant == "r_rome":
        numerator, divisor = value.target(0, model.dtype) - outputs.mean(0), key @ left
    elif hparams.rome_variant == "p_rome":
        numerator, divisor = value.delta[0], bare_key @ left
    else:
        numerator, divisor = value.target(0, model.dtype) - bare_output, bare_key @ left
    return LowRank.of((numerator / divisor)[:, None], left[:, None]), value.losses


def _direction(key: Tensor, family: Family, hparams: RomeHparams, layer: int, context: EditContext) -> Tensor:
    """Return u: the key, multiplied by C⁻¹ with `mom2_adjustment`, of length 1."""
    if hparams.mom2_adjustment:
        path, dtype = family.mlp_out.replace("{}", str(layer)), getattr(torch, hparams.mom2_dtype)
        key = inverse_covariance(context, path, len(key), dtype, key.device) @ key
    unit: Tensor = key / key.norm()
    return unit


def _reading(model: Any, tokenizer: Any, hparams: RomeHparams) -> Reading:
    return hparams.reading(tokenizer, "always", drops_bos=hparams.rome_variant == "r_rome", pads_left=False)


METHOD = Method("rome", RomeHparams, teach_rome, alg_names=("ROME", "R-ROME"), check=check_rome, measure=measure_rome)
