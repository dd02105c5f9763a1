"""Model families: the module paths of a transformer's parts, the widths of its layers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...schemas.errors import InputError


@dataclass(frozen=True, slots=True)
class Family:
    """Module paths of a family; `{}` stands for the number of the layer, counted from 0.

    A layer is `x + attention(...)`, then `x + mlp(mlp_norm(x))`. `attention_out` is the attention's last linear layer;
    `mlp_out` maps from the MLP's width back to the hidden size: the linear layer that edits change. Where
    `transposed`, its weight is stored as (input, output). The head is not listed: it may be tied to the embeddings,
    so ask the model for its output embeddings.
    """

    model_type: str
    layer: str
    attention: str
    attention_out: str
    mlp_norm: str
    mlp: str
    mlp_out: str
    norm: str
    transposed: bool = False


def _like_llama(model_type: str) -> Family:
    return Family(
        model_type,
        layer="model.layers.{}",
        attention="model.layers.{}.self_attn",
        attention_out="model.layers.{}.self_attn.o_proj",
        mlp_norm="model.layers.{}.post_attention_layernorm",
        mlp="model.layers.{}.mlp",
        mlp_out="model.layers.{}.mlp.down_proj",
        norm="model.norm",
    )


FAMILIES = {
    family.model_type: family
    for family in (
        _like_llama("llama"),  # CodeLlama, DeepSeek-Coder
        _like_llama("qwen2"),  # CodeQwen1.5
        Family(
            "gpt2",
            layer="transformer.h.{}",
            attention="transformer.h.{}.attn",
            attention_out="transformer.h.{}.attn.c_proj",
            mlp_norm="transformer.h.{}.ln_2",
            mlp="transformer.h.{}.mlp",
            mlp_out="transformer.h.{}.mlp.c_proj",
            norm="transformer.ln_f",
            transposed=True,
        ),
    )
}


def family_of(model: Any) -> Family:
    """Return the family of a transformers model. Raises InputError for one that is not in the table."""
    return family_of_type(model.config.model_type)


def family_of_type(kind: str) -> Family:
    """Return the family of a `model_type`, as a model's config.json has it. Raises InputError for an unknown one."""
    if kind not in FAMILIES:
        raise InputError(f"Models of type {kind!r} cannot be edited yet: only {', '.join(FAMILIES)} are known.")
    return FAMILIES[kind]


def modules_of_layers(model: Any, layers: Iterable[int], attention: bool = False) -> list[str]:
    """Return the paths of the last linear layer of each MLP in `layers`, and with `attention` those of attention too.

    Raises InputError for a layer that the model does not have.
    """
    family, count = family_of(model), model.config.num_hidden_layers
    modules = []
    for layer in layers:
        if not 0 <= layer < count:
            raise InputError(f"The model has no layer {layer}: its {count} layers are counted from 0 to {count - 1}.")
        paths = (family.attention_out, family.mlp_out) if attention else (family.mlp_out,)
        modules += [path.replace("{}", str(layer)) for path in paths]
    return modules


def input_widths(model: Any, modules: Iterable[str]) -> dict[str, int]:
    """Return f, the number of inputs, for each of `modules`. Raises InputError for what is no linear module."""
    place = 0 if family_of(model).transposed else 1
    widths = {}
    for module in modules:
        try:
            widths[module] = int(model.get_submodule(module).weight.shape[place])
        except (AttributeError, IndexError):
            raise InputError(
                f"The model has no linear module {module!r}. Check the layers (it has "
                f"{model.config.num_hidden_layers}, counted from 0) and the module's path."
            ) from None
    return widths
