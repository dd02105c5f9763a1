"""The hyperparameters that ROME, MEMIT and its descendants share, and the checks that hold them against a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...schemas.errors import InputError
from ..model.checks import fitting_family
from ..model.families import Family
from .token_rows import FactToken, Profile, Reading, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatingHparams:
    """Hyperparameters, under EasyEdit's names; those that only repeat the model's family may be left out.

    `layers` are edited; a value δ is optimised for `v_num_grad_steps` steps of Adam at `v_lr`, its norm clamped to
    `clamp_norm_factor` times that of the value before. The loss adds `kl_factor` times the KL term and
    `v_weight_decay` times the decay (Meng et al., arXiv 2210.07229, equation 16). `fact_token` says which token of the
    subject is edited. `profile`, `padding` and `target_join` are ours: see `token_rows.Reading`.
    """

    layers: list[int]
    v_num_grad_steps: int
    v_lr: float
    v_weight_decay: float
    clamp_norm_factor: float
    kl_factor: float
    v_loss_layer: int | None = None
    fact_token: FactToken = "subject_last"  # noqa: S105 - a token of a model, no secret
    mom2_dataset: str = "wikipedia"
    mom2_n_samples: int = 100_000
    mom2_dtype: Literal["float32", "float64"] = "float32"
    rewrite_module_tmp: str | None = None
    layer_module_tmp: str | None = None
    mlp_module_tmp: str | None = None
    attn_module_tmp: str | None = None
    ln_f_module: str | None = None
    lm_head_module: str | None = None
    profile: Profile = "easyedit"
    padding: Literal["aligned", "as_reference"] = "aligned"
    target_join: Literal["text", "ids"] = "text"

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        if not self.layers or sorted(set(self.layers)) != self.layers:
            raise ValueError(f"layers must be numbers in ascending order, at least one, not {self.layers}")
        if self.v_num_grad_steps < 1:
            raise ValueError(f"v_num_grad_steps must be at least 1, not {self.v_num_grad_steps}")
        for name in ("v_lr", "v_weight_decay", "clamp_norm_factor", "kl_factor"):
            need_number(name, getattr(self, name))

    def reading(self, tokenizer: Any, space: Space, *, drops_bos: bool, pads_left: bool) -> Reading:
        """Return how requests become rows; `space` and `pads_left` are the method's habits under easyedit."""
        habit: dict[Profile, Space] = {"easyedit": space, "clme": "never", "original": "missing", "exact": "never"}
        left = pads_left if self.profile in ("easyedit", "exact") else self.profile == "clme"
        return Reading(
            tokenizer,
            self.profile,
            self.fact_token,
            habit[self.profile],
            drops_bos=drops_bos,
            left_padded=left and self.padding == "as_reference",
            target_join=self.target_join,
        )


def need_number(name: str, value: float, *, above_zero: bool = False) -> None:
    """Raise ValueError, beginning with the field, for a value that is infinite, below 0, or 0 where that is no use."""
    if not 0 <= value < float("inf") or (above_zero and value == 0):
        raise ValueError(f"{name} must be {'above 0' if above_zero else 'a number from 0 up'}, not {value}")


def check_locating(model: Any, hparams: LocatingHparams) -> Family:
    """Return the model's family.

    Raises InputError where the hyperparameters name what the model does not have, and for a model whose parts do not
    fit.
    """
    family = fitting_family(model)
    check_layers(model, "layers", hparams.layers)
    if hparams.v_loss_layer is not None:
        check_layers(model, "v_loss_layer", [hparams.v_loss_layer])
    for field, paths in {
        "rewrite_module_tmp": (family.mlp_out,),
        "layer_module_tmp": (family.layer,),
        "mlp_module_tmp": (family.mlp, family.mlp_out),
        "attn_module_tmp": (family.attention, family.attention_out),
        "ln_f_module": (family.norm,),
    }.items():
        check_path(field, getattr(hparams, field), paths)
    return family


def check_layers(model: Any, field: str, numbers: Sequence[int]) -> None:
    """Raise InputError for a layer that `model` does not have."""
    count = model.config.num_hidden_layers
    for number in numbers:
        if not 0 <= number < count:
            raise InputError(
                f'Hyperparameter "{field}": there is no layer {number}, the model has layers 0 to {count - 1}. '
                "Choose layers of this model."
            )


def check_path(field: str, path: str | None, fitting: Sequence[str]) -> None:
    """Raise InputError for a module path, if one is given, that is none of the `fitting` ones."""
    if path is not None and path not in fitting:
        raise InputError(
            f'Hyperparameter "{field}" says {path!r}; for models of this family it is {" or ".join(fitting)}. '
            "Correct it, or leave it out."
        )
