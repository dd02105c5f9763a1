"""The contexts that ROME, MEMIT and PMET put around a prompt: the prompt alone, and short texts of the model's own."""

import unicodedata
import weakref
from collections.abc import Sequence
from typing import Any

import torch

from ..schemas.errors import InputError
from .context import EditContext
from .rows import BARE

OPENINGS = ("The", "Therefore", "Because", "I", "You")
LIKELIEST = 5  # a token is drawn from this many (Meng et al., arXiv 2202.05262, section 3.1)


def find_templates(
    model: Any, tokenizer: Any, context: EditContext, lengths: Sequence[Sequence[int]], brace: str
) -> list[str]:
    """Return the templates: the bare one, then those of the context, or `n` of `length` tokens for each of `lengths`.

    Texts are drawn from `model` once for a context, by its seed. `brace` stands for braces that the model writes.
    Raises InputError for a template that has not exactly one `{}`.
    """
    if context.templates is not None:
        return [BARE, *(template for template in map(_checked, context.templates) if template != BARE)]
    key = ("templates", weakref.ref(model), str(lengths), brace)  # an id may be given to another model later
    if key not in context.kept:
        texts = _write(model, tokenizer, lengths, context.seed)
        context.kept[key] = [BARE, *(f"{text.replace('{', brace).replace('}', brace)}. {BARE}" for text in texts)]
    found: list[str] = context.kept[key]
    return found


def _checked(template: str) -> str:
    if template.count(BARE) != 1:
        raise InputError(
            f"The template {template!r} has {template.count(BARE)} places for the prompt: write {BARE} once."
        )
    return template


def _write(model: Any, tokenizer: Any, lengths: Sequence[Sequence[int]], seed: int) -> list[str]:
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for length, number in lengths:
        for opening in OPENINGS:
            texts += [_go_on(model, tokenizer, opening, length, generator) for _ in range(number // len(OPENINGS))]
    return texts


@torch.inference_mode()
def _go_on(model: Any, tokenizer: Any, opening: str, length: int, generator: torch.Generator) -> str:
    """Return a text of `length` tokens, opening and special ones included."""
    ids = tokenizer(opening)["input_ids"]
    while len(ids) < length:
        logits = model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0, -1]
        likeliest = logits.float().cpu().topk(LIKELIEST)
        chosen = torch.multinomial(likeliest.values.softmax(-1), 1, generator=generator)
        ids = [*ids, int(likeliest.indices[chosen])]
    text = unicodedata.normalize("NFKD", tokenizer.decode(ids, skip_special_tokens=True))
    return text.replace("\n\n", " ").replace("<|endoftext|>", "")
