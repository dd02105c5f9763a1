"""Small random models of many types: a line each, with what its configuration needs besides LIKE_LLAMA or LIKE_GPT2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import transformers

from edittool.editing.model.families import Family, like_gpt2, like_llama

VOCABULARY = 384
FROM_CONFIG: Any = transformers.AutoModelForCausalLM.from_config  # untyped
LIKE_LLAMA: Mapping[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}
LIKE_GPT2: Mapping[str, Any] = {"n_embd": 32, "n_head": 4, "n_layer": 4, "n_positions": 256}
FALCON: Mapping[str, Any] = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4}


@dataclass(frozen=True)
class Kind:
    """A type of models; `settings` are put over the `base` of its configuration, and make a `name` of their own."""

    model_type: str
    base: Mapping[str, Any] = field(default_factory=lambda: LIKE_LLAMA)
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        return f"{self.model_type}-{self.note}" if self.note else self.model_type


def llama(model_type: str, note: str = "", **settings: Any) -> Kind:
    return Kind(model_type, LIKE_LLAMA, settings, note)


def gpt2(model_type: str, note: str = "", **settings: Any) -> Kind:
    return Kind(model_type, LIKE_GPT2, settings, note)


def configuration(kind: Kind) -> Any:
    """The configuration; a test is skipped where the installed transformers does not have the type."""
    if kind.model_type not in transformers.CONFIG_MAPPING:
        pytest.skip(f"transformers {transformers.__version__} has no models of type {kind.model_type}")
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    settings = {"vocab_size": VOCABULARY, "initializer_range": 0.3, **ids, **kind.base, **kind.settings}
    return transformers.AutoConfig.for_model(kind.model_type, **settings)


def outline(kind: Kind) -> Any:
    """The model without content, as it is looked at before weights are read."""
    with torch.device("meta"):
        return FROM_CONFIG(configuration(kind))


def make(kind: Kind) -> Any:
    """The model with random weights, in evaluation mode."""
    config = configuration(kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = FROM_CONFIG(config)
        with torch.no_grad():  # some types draw weights so small that a layer adds next to nothing
            for name, parameter in model.named_parameters():
                if parameter.dim() > 1 and parameter.std() < 0.1:
                    parameter.normal_(std=0.3)
                elif parameter.dim() == 1 and "norm" in name:
                    parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.eval()


# Types of the table: right in every method.
NEO: Mapping[str, Any] = {"hidden_size": 32, "num_layers": 4, "num_heads": 4, "max_position_embeddings": 256}
FITTING = (
    llama("llama"),
    llama("qwen2"),
    llama("qwen2", "window", use_sliding_window=True, sliding_window=4, max_window_layers=1),
    llama("qwen3"),
    llama("mistral", sliding_window=None),
    llama("mistral", "window", sliding_window=4),
    llama("ministral"),
    llama("ministral", "window", sliding_window=4),
    llama("ministral3"),
    llama("gemma"),
    llama("phi3"),
    llama("phi3", "window", sliding_window=4),
    llama("olmo"),
    llama("smollm3"),
    llama("seed_oss"),
    llama("ernie4_5"),
    llama("hunyuan_v1_dense"),
    llama("cwm", sliding_window=4),
    llama("glm"),
    llama("helium"),
    llama("internlm3"),
    llama("iquestcoder"),
    llama("jais2"),
    llama("apertus"),
    llama("nemotron"),
    llama("stablelm", use_parallel_residual=False),
    llama("starcoder2"),
    llama("starcoder2", "window", sliding_window=4),
    llama("persimmon"),
    gpt2("gpt2"),
    gpt2("gpt_bigcode"),
    Kind("gpt_neo", NEO, {"attention_types": [[["global", "local"], 2]], "window_size": 4}),
)


def in_falcon(model_type: str, layer: str, attention: str, mlp_norm: str, norm: str, tuples: bool = False) -> Family:
    out = "dense_4h_to_h"
    paths = (layer, f"{layer}.{attention}", f"{layer}.{attention}.dense", f"{layer}.{mlp_norm}")
    top = layer.split(".")[0]
    return Family(model_type, *paths, f"{layer}.mlp", f"{layer}.mlp.{out}", f"{top}.{norm}", in_tuples=tuples)


# Types that are not, each with the line that the table would have for it: the checks then find the reason.
EXPERTS: dict[str, Any] = {"num_local_experts": 4, "num_experts": 4, "num_experts_per_tok": 2}
LATENT: dict[str, Any] = {
    "head_dim": 8,
    "kv_lora_rank": 8,
    "q_lora_rank": 8,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
}
LATENT |= {"v_head_dim": 8, "num_key_value_heads": 4}
DEEPSEEK = (
    EXPERTS
    | LATENT
    | {"n_routed_experts": 4, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "moe_intermediate_size": 16}
)
DELTA: dict[str, Any] = {
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
}
DELTA |= {"layer_types": ["linear_attention", "full_attention"] * 2}
MAMBA2: dict[str, Any] = {"num_heads": 8, "head_dim": 8, "n_groups": 1, "chunk_size": 8, "num_key_value_heads": 4}
UNFITTING: tuple[tuple[Kind, Family], ...] = (
    # attention beside the MLP
    (
        gpt2("codegen", rotary_dim=4),
        like_gpt2("codegen", attention_out="out_proj", mlp_norm="ln_1", mlp_out="fc_out", in_tuples=True),
    ),
    (
        gpt2("gptj", rotary_dim=4),
        like_gpt2("gptj", attention_out="out_proj", mlp_norm="ln_1", mlp_out="fc_out", in_tuples=True),
    ),
    (llama("cohere"), like_llama("cohere", mlp_norm="input_layernorm")),
    (llama("cohere2"), like_llama("cohere2", mlp_norm="input_layernorm")),
    (
        Kind("falcon", FALCON),
        in_falcon("falcon", "transformer.h.{}", "self_attention", "input_layernorm", "ln_f", True),
    ),
    (
        llama("gpt_neox"),
        in_falcon("gpt_neox", "gpt_neox.layers.{}", "attention", "post_attention_layernorm", "final_layer_norm"),
    ),
    (
        llama("phi", partial_rotary_factor=0.5),
        like_llama("phi", attention_out="dense", mlp_norm="input_layernorm", mlp_out="fc2", norm="final_layernorm"),
    ),
    # outputs multiplied
    (llama("granite", residual_multiplier=0.22), like_llama("granite")),
    (llama("minicpm3", **LATENT), like_llama("minicpm3")),
    # norms behind the MLP
    *((llama(kind), like_llama(kind)) for kind in ("exaone4", "glm4", "hyperclovax", "olmo2", "olmo3")),
    *((llama(kind), like_llama(kind, mlp_norm="pre_feedforward_layernorm")) for kind in ("gemma2", "gemma3_text")),
    (
        llama("gemma4_text", vocab_size_per_layer_input=VOCABULARY, hidden_size_per_layer_input=8),
        like_llama("gemma4_text", mlp_norm="pre_feedforward_layernorm"),
    ),
    # heads
    (llama("nanochat", final_logit_softcapping=0.5), like_llama("nanochat", mlp_out="fc2")),
    (llama("vaultgemma", final_logit_softcapping=0.5), like_llama("vaultgemma", mlp_norm="pre_feedforward_layernorm")),
    # experts
    (llama("deepseek_v2", **DEEPSEEK), like_llama("deepseek_v2")),
    (llama("deepseek_v3", **DEEPSEEK), like_llama("deepseek_v3")),
    (llama("granitemoe", **EXPERTS), like_llama("granitemoe")),
    *(
        (llama(kind, moe_intermediate_size=16, **EXPERTS), like_llama(kind))
        for kind in ("gpt_oss", "mellum", "mixtral", "olmoe", "phimoe", "qwen2_moe", "qwen3_moe")
    ),
    # states
    (llama("qwen3_5_text", **DELTA), like_llama("qwen3_5_text")),
    (llama("qwen3_next", **DELTA, **EXPERTS), like_llama("qwen3_next")),
    (llama("mamba2", **MAMBA2), like_llama("mamba2")),
    (llama("jamba", attn_layer_period=2, attn_layer_offset=1, mamba_d_state=8, **EXPERTS), like_llama("jamba")),
    (llama("lfm2", layer_types=["conv", "full_attention"] * 2), like_llama("lfm2")),
    *((llama(kind), like_llama(kind)) for kind in ("falcon_mamba", "mamba", "recurrent_gemma")),
)

# Types that the table says nothing of.
STRANGE = (
    llama("opt", word_embed_proj_dim=32, ffn_dim=48),
    Kind("bloom", FALCON),
    Kind("mpt", {"d_model": 32, "n_heads": 4, "n_layers": 4, "max_seq_len": 256}),
    Kind("xglm", {"d_model": 32, "attention_heads": 4, "num_layers": 4, "ffn_dim": 48, "max_position_embeddings": 256}),
)
