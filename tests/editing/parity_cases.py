"""Cases for the comparison with the plain methods: models, tokenizers, requests, and hyperparameters tuned so that
every term of the losses and every branch acts."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from edittool.editing import Edit, EditContext, EditRequest, Speedups, apply
from edittool.editing.model.families import FAMILIES

from .conftest import make_model
from .plain.given import Given
from .plain.methods import Learned, learn
from .plain.weights import restored, write

TOKENIZERS = ("bytes", "pieces")
LAYERS = 4
SPECIAL = ["<s>", "</s>", "<pad>", "<unk>"]  # the first three have the ids that the models' configuration names
WORDS = "def f root sorted return new load data x = is a ( ) [ ] { } , : . 0 1 + ** #".split()


# Tokenizers


def _finished(tokenizer: Tokenizer) -> Any:
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    names = dict(zip(("bos_token", "eos_token", "pad_token", "unk_token"), SPECIAL, strict=True))
    make: Any = PreTrainedTokenizerFast
    return make(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **names)


def byte_tokenizer() -> Any:
    """As DeepSeek-Coder's: BPE over bytes, where a word has the space before it; BOS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([f"{word} {word}" for word in WORDS for _ in range(9)], trainer)
    return _finished(tokenizer)


def piece_tokenizer() -> Any:
    """As CodeLlama's, like SentencePiece: a space is put before every text, "▁" stands for spaces, bytes for what has
    no piece; BOS. Words grow letter by letter."""
    marked = [f"▁{word}" for word in WORDS] + [word for word in WORDS if word.isalpha()]
    merges = dict.fromkeys((word[:end], word[end]) for word in marked for end in range(1, len(word)))
    letters = sorted({letter for word in marked for letter in word})
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *map("".join, merges)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    bpe = models.BPE(vocab=vocabulary, merges=list(merges), unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(SPECIAL)
    return _finished(tokenizer)


@cache
def tokenizer_of(kind: str) -> Any:
    return {"bytes": byte_tokenizer, "pieces": piece_tokenizer}[kind]()


# Models


@cache
def model_of(family: str, dtype: torch.dtype = torch.float32) -> Any:
    """A random model whose biases and norms count too; one for all cases, since every edit is undone."""
    vocabulary = max(len(tokenizer_of(kind)) for kind in TOKENIZERS)
    model = make_model(family, LAYERS, vocab_size=vocabulary)
    model.name_or_path = f"random-{family}"  # PMET goes by the name
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                noise = 0.1 * torch.randn(parameter.shape, generator=generator)
                parameter.copy_(noise if name.endswith("bias") else 1 + noise)
        # Let it be sure of a token: the bounded states of a small random model leave every loss far above 0.05.
        model.get_submodule(FAMILIES[family].norm).weight.mul_(2)
    return model.to(dtype)


def covariance_of(model: Any, paths: Sequence[str]) -> dict[str, Tensor]:
    """Well conditioned covariances, another one for each module."""
    drawn = {}
    for number, path in enumerate(paths):
        weight = model.get_parameter(f"{path}.weight")
        width = weight.shape[0 if FAMILIES[model.config.model_type].transposed else 1]
        generator = torch.Generator().manual_seed(100 + number)
        inputs = torch.randn(4 * width, width, generator=generator) * torch.linspace(0.5, 1.5, width)
        drawn[path] = inputs.T @ inputs / len(inputs)
    return drawn


# Requests


MIDDLE = EditRequest("def f(x):\n    return root(x)", "root", " sorted(x)[0]")
END = EditRequest("data = x.load", "load", "(a)")
START = EditRequest("root(x) is a", "root", " new(x)")
BRACES = EditRequest('f = {}, "{x}".new{}', "new", "{} {x}")
TWICE = EditRequest("x = load(a)\nload(x)", "load", " sorted(x)", at=12)
ONE = EditRequest("x = a.load", "load", "(")
FUSED = EditRequest("x = load(a)\n ", "load", "sorted(x)")  # the target's own space joins those at the prompt's end
SPACE = EditRequest("return x.load", "load", " ")

CONTEXTS = ("{}", "The new f. {}", "I is. {}")
FEW = ("{}", "I is. {}")


# Hyperparameters


def hparams_of(method: str, family: str) -> dict[str, Any]:
    """Hyperparameters under EasyEdit's names."""
    parts = FAMILIES[family]
    given = {
        "layers": [1] if method == "rome" else [0, 1, 2],
        "fact_token": "subject_last",
        "v_num_grad_steps": 5,
        "v_lr": 0.5,
        "v_loss_layer": LAYERS - 1,
        "v_weight_decay": 0.15,
        "clamp_norm_factor": 0.5,
        "kl_factor": 0.1,
        "rewrite_module_tmp": parts.mlp_out,
        "layer_module_tmp": parts.layer,
        "mlp_module_tmp": parts.mlp,
        "attn_module_tmp": parts.attention,
        "ln_f_module": parts.norm,
        "lm_head_module": "lm_head",
        "mom2_dataset": "wikipedia",
        "mom2_n_samples": 1000,
        "mom2_dtype": "float32",
    }
    if method == "rome":
        given["mom2_adjustment"] = False
    else:
        given |= {"mom2_adjustment": True, "mom2_update_weight": 3.0, "clamp_norm_factor": 0.25}
    if method == "emmet":
        given |= {"emmet_lambda": 0.1, "update_norm_lambda": 0.0}
    if method == "alphaedit":
        given |= {"nullspace_threshold": 1.0, "L2": 0.3}
    if method == "pmet":
        given |= {"mlp_module_tmp": parts.mlp_out, "attn_module_tmp": parts.attention_out, "nll_loss_factor": 1.0}
    return given


@dataclass(frozen=True)
class Case:
    """One comparison: `changes` are made to the method's hyperparameters.

    `rewritten` names the parts of a family whose weights are written; only PMET has a choice. `before` is taught first,
    in an edit of its own that stays in the model: the edit that is compared lies on top of it.
    """

    name: str
    method: str
    requests: tuple[EditRequest, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)
    templates: tuple[str, ...] = CONTEXTS
    rewritten: tuple[str, ...] = ("mlp_out",)
    family: str = "llama"
    tokenizer: str = "bytes"
    before: tuple[EditRequest, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}-{self.name}-{self.family}-{self.tokenizer}"

    def on(self, family: str, tokenizer: str = "bytes") -> "Case":
        return replace(self, family=family, tokenizer=tokenizer)

    @property
    def modules(self) -> list[str]:
        """The modules that are written, `{}` for the layer."""
        return [getattr(FAMILIES[self.family], part) for part in self.rewritten]

    @property
    def hparams(self) -> dict[str, Any]:
        written = {"rewrite_module_tmps": self.modules} if self.method == "pmet" else {}
        return hparams_of(self.method, self.family) | written | self.changes

    def covariance(self) -> dict[str, Tensor]:
        paths = [module.format(layer) for module in self.modules for layer in self.hparams["layers"]]
        return covariance_of(model_of(self.family), paths)


def plainly(case: Case, dtype: torch.dtype = torch.float32, mistake: str | None = None) -> Learned:
    """What the plain method learns, with the model in `dtype`."""
    model, tokenizer = model_of(case.family, dtype), tokenizer_of(case.tokenizer)
    given = Given(
        case.method, model, tokenizer, case.requests, case.hparams, case.templates, case.covariance(), mistake
    )
    if not case.before:
        return learn(given)
    first = learn(replace(given, requests=case.before))
    with restored(given):
        for name, delta in first.deltas.items():
            write(given, name, delta)
        return learn(replace(given, earlier=first.keys))


def edited(case: Case, speedups: Speedups, dtype: torch.dtype = torch.float32) -> Edit:
    """What the package learns; the model is as it was before."""
    context = EditContext(templates=case.templates, covariance=case.covariance(), speedups=speedups)
    model, tokenizer = model_of(case.family, dtype), tokenizer_of(case.tokenizer)
    with contextlib.ExitStack() as edits:
        for requests in (case.before, case.requests):
            if requests:
                edit = edits.enter_context(apply(case.method, model, tokenizer, requests, case.hparams, context))
        return edit


def distance(deltas: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """Relative Frobenius distance over all tensors together."""
    assert deltas.keys() == expected.keys()
    squares = [(((deltas[name] - right) ** 2).sum(), (right**2).sum()) for name, right in expected.items()]
    return float((sum(apart for apart, _ in squares) / sum(whole for _, whole in squares)) ** 0.5)


# Cases

EXACT_IDS = {"profile": "exact", "target_join": "ids"}
EARLY = {**EXACT_IDS, "v_lr": 2.0, "v_num_grad_steps": 16, "clamp_norm_factor": 60.0, "v_weight_decay": 0.001}
LOW = {"layers": [0, 1], "v_loss_layer": 2}
TOP = {"layers": [1, 2, 3]}
BOTH = ("attention_out", "mlp_out")
PHI = {**EXACT_IDS, **TOP, "v_lr": 1.0, "v_num_grad_steps": 12, "clamp_norm_factor": 8.0}

# On every family with every tokenizer.
CORE = [
    Case("middle", "rome", (MIDDLE,)),
    Case("end-mom2", "rome", (END,), {**EXACT_IDS, "mom2_adjustment": True}),
    Case("start", "rome", (START,), {"v_num_grad_steps": 9}),
    Case("early", "rome", (ONE,), {**EARLY, "kl_factor": 0.001, "layers": [3]}, FEW),
    Case("three", "memit", (MIDDLE, END, BRACES)),
    Case("start-low", "memit", (START,), {**LOW, "target_join": "ids"}),
    Case("early", "memit", (END, ONE), {**EARLY, **TOP, "kl_factor": 0.001, "v_loss_layer": 1}, FEW),
    Case("three", "pmet", (MIDDLE, END, BRACES)),
    Case("both", "pmet", (START, TWICE), {**LOW, "nll_loss_factor": 1.5}, rewritten=BOTH),
    Case("phi", "pmet", (ONE,), {**PHI, "v_weight_decay": 20.0}, FEW),
    Case("early", "pmet", (ONE,), {**EARLY, **TOP, "kl_factor": 0.003, "nll_loss_factor": 0.5}, FEW),
    Case("stop", "pmet", (END, ONE), {**PHI, "kl_factor": 0.001}, FEW),
    Case("three", "emmet", (MIDDLE, END, BRACES)),
    Case("on-top", "emmet", (START, END), {"update_norm_lambda": 2.0, "emmet_lambda": 1.5}, before=(MIDDLE, END)),
    Case("equality", "emmet", (MIDDLE,), {"emmet_lambda": 0.0}),
    Case("three", "alphaedit", (MIDDLE, END, BRACES)),
    Case("on-top", "alphaedit", (START, END), before=(MIDDLE, END)),
]


def _variants(method: str) -> list[Case]:
    """What all methods understand alike that optimise values."""
    places = ["subject_first", "subject_first_after_last", *(["last"] if method == "rome" else [])]
    two = (END, MIDDLE)
    return [
        Case("two", method, two),
        *(Case(f"{place}-middle", method, (MIDDLE,), {"fact_token": place}) for place in places),
        *(Case(f"{place}-end", method, (END,), {"fact_token": place}) for place in places[1:]),
        *(Case(profile, method, (END,), {"profile": profile}) for profile in ("clme", "original", "exact")),
        Case("clme-ids", method, two, {"profile": "clme", "target_join": "ids"}),
        Case("clme-one", method, (ONE,), {"profile": "clme"}),
        Case("braces-ids", method, (BRACES,), EXACT_IDS),
        Case("twice", method, (TWICE,)),
        Case("bare", method, (MIDDLE,), templates=("{}",)),
        Case("one", method, (ONE,)),
        Case("space", method, (SPACE,)),
        Case("fused", method, (FUSED,), {"profile": "original"}),
        Case("one-layer", method, (END,), {"layers": [2]}),
    ]


# Small, and with two requests, for what is run many times.
SMALL = [
    Case("small", "rome", (END,), {"v_num_grad_steps": 4}, FEW),
    Case("small", "memit", (END, ONE), {"v_num_grad_steps": 3}, FEW),
    Case("small", "pmet", (END, ONE), {"v_num_grad_steps": 3}, FEW),
    Case("small", "emmet", (END, ONE), {"v_num_grad_steps": 3}, FEW),
    Case("small", "alphaedit", (END, ONE), {"v_num_grad_steps": 3}, FEW, before=(MIDDLE,)),
]

# Each on one family and tokenizer.
VARIANTS = [
    *_variants("rome"),
    Case("r_rome", "rome", (MIDDLE,), {"rome_variant": "r_rome"}),
    Case("r_rome-mom2", "rome", (END,), {"rome_variant": "r_rome", "mom2_adjustment": True}),
    Case("p_rome", "rome", (MIDDLE,), {"rome_variant": "p_rome"}),
    *_variants("memit"),
    *_variants("pmet"),
    *_variants("emmet")[:3],
    *_variants("alphaedit")[:3],
    Case("attention", "pmet", (END,), rewritten=("attention_out",)),
]
