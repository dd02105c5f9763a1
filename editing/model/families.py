"""Where the parts of a transformer lie, for each family of models."""

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
