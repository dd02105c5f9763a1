"""The contexts that ROME and MEMIT put around a prompt: the prompt alone, and short texts of the model's own."""

import unicodedata
import weakref
from collections.abc import Sequence
from typing import Any

import torch

from ...schemas.errors import InputError
from ..context import EditContext
from ..requests import EditRequest
from .token_rows import BARE, Reading

OPENINGS = ("The", "Therefore", "Because", "I", "You")
STOP = 2  # tokens of the full stop and the space after a text
LIKELIEST = 5  # a token is drawn from this many (Meng et al., arXiv 2202.05262, section 3.1)


def find_templates(
    model: Any, tokenizer: Any, context: EditContext, lengths: Sequence[Sequence[int]], brace: str
) -> list[str]:
    """Return the templates: the bare one, then those of the context, or `n` of `length` tokens for each of `lengths`.

    Texts are drawn from `model` once for a context, by its seed. `brace` stands for braces that the model writes.
    Raises InputError for a template that has not exactly one `{}`.
    """
    if context.templates is not None:
        return [BARE, *(template for template in _given(context.templates) if template != BARE)]
    key = ("templates", weakref.ref(model), str(lengths), brace)  # an id may be given to another model later
    if key not in context.kept:
        texts = _write(model, tokenizer, lengths, context)
        context.kept[key] = [BARE, *(f"{text.replace('{', brace).replace('}', brace)}. {BARE}" for text in texts)]
    found: list[str] = context.kept[key]
    return found


def measured(reading: Reading, request: EditRequest, context: EditContext, lengths: Sequence[Sequence[int]]) -> int:
    """Return how many tokens `request` has in its longest template, at most: those yet to be drawn are of `lengths`.

    Raises InputError for a request whose subject or target cannot be found in tokens, and for a wrong template.
    """
    if context.templates is None:
        around = max((length + STOP for length, number in lengths), default=0)
    else:
        around = max((len(reading.encode(template)) for template in _given(context.templates)), default=0)
    return around + max(len(row.row.ids) for row in reading.value_rows(request, [BARE]))


def _given(templates: Sequence[str | Sequence[str]]) -> list[str]:
    """Return `templates` as one list, each with one place for the prompt: EasyEdit keeps them in groups."""
    flat = [template for group in templates for template in ([group] if isinstance(group, str) else group)]
    for template in flat:
        if template.count(BARE) != 1:
            raise InputError(
                f"The template {template!r} has {template.count(BARE)} places for the prompt: write {BARE} once."
            )
    return flat


def _write(model: Any, tokenizer: Any, lengths: Sequence[Sequence[int]], context: EditContext) -> list[str]:
    generator = torch.Generator().manual_seed(context.seed)
    each = [(length, number // len(OPENINGS)) for length, number in lengths]
    wanted = [(opening, length) for length, number in each for opening in OPENINGS for _ in range(number)]
    texts = []
    for number, (opening, length) in enumerate(wanted, 1):
        context.say(f"writing text {number} of {len(wanted)} to put before prompts")
        texts.append(_go_on(model, tokenizer, opening, length, generator))
    return texts


@torch.inference_mode()
def _go_on(model: Any, tokenizer: Any, opening: str, length: int, generator: torch.Generator) -> str:
    """Return a text of `length` tokens, opening and special ones included."""
    ids = tokenizer(opening)["input_ids"]
    while len(ids) < length:
        logits = model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0, -1]
        if not bool(torch.isfinite(logits).all()):
            raise InputError(
                f"The model, in {str(model.dtype).removeprefix('torch.')}, computes no numbers (NaN or infinity): it "
                "cannot write the contexts that go before prompts. Check its weights, or use --dtype float32."
            )
        likeliest = logits.float().cpu().topk(LIKELIEST)
        chosen = torch.multinomial(likeliest.values.softmax(-1), 1, generator=generator)
        ids = [*ids, int(likeliest.indices[chosen])]
    text = unicodedata.normalize("NFKD", tokenizer.decode(ids, skip_special_tokens=True))
    return text.replace("\n\n", " ").replace("<|endoftext|>", "")
