"""Model families: the module paths of a transformer's parts, the widths of its layers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...schemas.errors import InputError
from .unfit import UNFIT


@dataclass(frozen=True, slots=True)
class Family:
    """Module paths of a family; `{}` stands for the number of the layer, counted from 0.

    A layer is `x + attention(...)`, then `x + mlp(mlp_norm(x))`. `attention_out` is the attention's last linear layer;
    `mlp_out` maps from the MLP's width back to the hidden size: the linear layer that edits change. Where
    `transposed`, its weight is stored as (input, output). Where `in_tuples`, a layer returns its hidden states in a
    tuple. The head is not listed: it may be tied to the embeddings, so ask the model for its output embeddings.
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
    in_tuples: bool = False

    def in_layer(self, number: int) -> list[str]:
        """Return the paths of all modules in the layer of that number."""
        paths = (self.layer, self.attention, self.attention_out, self.mlp_norm, self.mlp, self.mlp_out)
        return [path.replace("{}", str(number)) for path in paths]


def like_llama(
    model_type: str,
    *,
    attention_out: str = "o_proj",
    mlp_norm: str = "post_attention_layernorm",
    mlp_out: str = "down_proj",
    norm: str = "norm",
) -> Family:
    """Return a family whose modules stand where Llama's do, but for what is called otherwise."""
    return Family(
        model_type,
        layer="model.layers.{}",
        attention="model.layers.{}.self_attn",
        attention_out=f"model.layers.{{}}.self_attn.{attention_out}",
        mlp_norm=f"model.layers.{{}}.{mlp_norm}",
        mlp="model.layers.{}.mlp",
        mlp_out=f"model.layers.{{}}.mlp.{mlp_out}",
        norm=f"model.{norm}",
    )


def like_gpt2(
    model_type: str,
    *,
    attention_out: str = "c_proj",
    mlp_norm: str = "ln_2",
    mlp_out: str = "c_proj",
    transposed: bool = False,
    in_tuples: bool = False,
) -> Family:
    """Return a family whose modules stand where GPT-2's do, but for what is called otherwise."""
    return Family(
        model_type,
        layer="transformer.h.{}",
        attention="transformer.h.{}.attn",
        attention_out=f"transformer.h.{{}}.attn.{attention_out}",
        mlp_norm=f"transformer.h.{{}}.{mlp_norm}",
        mlp="transformer.h.{}.mlp",
        mlp_out=f"transformer.h.{{}}.mlp.{mlp_out}",
        norm="transformer.ln_f",
        transposed=transposed,
        in_tuples=in_tuples,
    )


# Each is tried as a small random model by tests/editing/model/test_families.py, and each model again when it is loaded
# (`checks.fitting_family`): a line here does not make a model fit whose configuration makes another of it.
FAMILIES = {
    family.model_type: family
    for family in (
        like_llama("llama"),  # CodeLlama, DeepSeek-Coder
        like_llama("qwen2"),  # CodeQwen1.5, Qwen2.5-Coder
        like_llama("qwen3"),
        like_llama("mistral"),  # Codestral
        like_llama("ministral"),
        like_llama("ministral3"),
        like_llama("gemma"),  # CodeGemma
        like_llama("phi3"),
        like_llama("olmo"),
        like_llama("smollm3"),
        like_llama("seed_oss"),
        like_llama("ernie4_5"),
        like_llama("hunyuan_v1_dense"),
        like_llama("cwm"),
        like_llama("glm"),
        like_llama("helium"),
        like_llama("internlm3"),
        like_llama("iquestcoder"),
        like_llama("jais2"),
        like_llama("apertus", mlp_norm="feedforward_layernorm"),
        like_llama("nemotron"),
        like_llama("stablelm"),  # those with attention and MLP one after the other (use_parallel_residual: false)
        like_llama("starcoder2", mlp_out="c_proj"),
        like_llama("persimmon", attention_out="dense", mlp_out="dense_4h_to_h", norm="final_layernorm"),
        like_gpt2("gpt2", transposed=True),
        like_gpt2("gpt_bigcode"),  # StarCoder, SantaCoder
        like_gpt2("gpt_neo", attention_out="attention.out_proj", in_tuples=True),
    )
}


def family_of(model: Any) -> Family:
    """Return the family of a transformers model by its type alone; `checks.fitting_family` also looks whether it fits.

    Raises InputError for a type that is not in the table, with the reason where that is known.
    """
    kind = model.config.model_type
    if kind in FAMILIES:
        return FAMILIES[kind]
    why = f": {UNFIT[kind]}" if kind in UNFIT else " yet"
    raise InputError(
        f"Models of type {kind!r} cannot be edited in parts{why}. The methods `ft` and `ultraedit` take them, and "
        "`none` samples them unedited; for the other methods and for statistics, these types are known: "
        f"{', '.join(sorted(FAMILIES))}."
    )


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
    widths: dict[str, int] = {}
    for module in modules:  # without any, no family is asked for: `none` and `ft` have none
        place = 0 if family_of(model).transposed else 1
        try:
            widths[module] = int(model.get_submodule(module).weight.shape[place])
        except (AttributeError, IndexError):
            raise InputError(
                f"The model has no linear module {module!r}. Check the layers (it has "
                f"{model.config.num_hidden_layers}, counted from 0) and the module's path."
            ) from None
    return widths
