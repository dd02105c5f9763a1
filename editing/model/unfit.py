"""Types of models whose parts do not fit the methods that go by them, and the part that does not.

The list says by a type alone, before weights are read, what `checks` finds out by numbers. The tests find it out for
each type here (tests/editing/model/test_families.py).
"""

BESIDE = "the MLP stands beside the attention: it reads what enters the layer, not what the attention adds to that"
SCALED = "the MLP's output is multiplied before it is added"
FOLLOWED = "the MLP's output is not added as it is: a norm or another step follows it"
HEAD = "the head's output is multiplied or capped (logits_scaling, final_logit_softcapping)"
EXPERTS = "its MLPs are mixtures of experts, which no single linear layer ends"
STATES = "not every layer has attention: some carry a state from token to token"

_TYPES = {
    BESIDE: "codegen cohere cohere2 falcon gpt_neox gptj phi",
    SCALED: "granite minicpm3",
    FOLLOWED: "exaone4 gemma2 gemma3_text gemma4_text glm4 hyperclovax olmo2 olmo3",
    HEAD: "nanochat vaultgemma",
    EXPERTS: "deepseek_v2 deepseek_v3 gpt_oss granitemoe mellum mixtral olmoe phimoe qwen2_moe qwen3_moe",
    STATES: "falcon_mamba jamba lfm2 mamba mamba2 qwen3_5_text qwen3_next recurrent_gemma",
}
UNFIT = {model_type: reason for reason, types in _TYPES.items() for model_type in types.split()}
