"""Whether a model can be sampled from: reading on from a cache, in a padded batch, gives what the whole text gives."""

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from ...schemas.errors import InputError
from .checks import close, evaluating, random_tokens

LENGTHS = (9, 4, 6)  # of the texts that are tried, in tokens, the last of which is read on from the cache


def check_cached(model: Any) -> None:
    """Raise InputError where `model`, read as the sampler reads it, does not give what each text gives by itself.

    Models differ in how they count positions, in what they call their cache (Mamba's would go unread, without a word)
    and in what they make of padding: one short batch shows it, whatever the type.
    """
    with evaluating(model), torch.inference_mode():
        try:
            found, alone = _both_ways(model)
            # A model that computes no numbers writes nothing, however it is read.
            same = not torch.isfinite(alone).all() or close(found, alone, model.dtype)
            differs = "" if same else "the results differ"
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a model raises that is called in another way than it expects
            differs = f"{type(error).__name__}: {str(error)[:200]}"
    if differs:
        raise InputError(
            f"Models of type {model.config.model_type!r} cannot be sampled from here: read in a padded batch, and on "
            f"from a cache, a text does not give what it gives by itself ({differs}). Write the prompts with `edittool "
            "prompts`, and let an engine that knows the model answer them."
        )


def _both_ways(model: Any) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities after two texts, (2, vocabulary): as the sampler reads them, and each by itself.

    Three texts without their last tokens are read in a left-padded batch, the second one leaves it, and the last tokens
    of the others are read on from the cache.
    """
    device, width = model.device, max(LENGTHS) - 1
    texts = [random_tokens(model, length, seed) for seed, length in enumerate(LENGTHS)]
    padding = [width + 1 - length for length in LENGTHS]
    ids = torch.tensor([[0] * n + text[:-1] for n, text in zip(padding, texts, strict=True)], device=device)
    mask = torch.tensor([[0] * n + [1] * (width - n) for n in padding], device=device)
    cache = DynamicCache(config=model.config)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True)
    stay: Any = torch.tensor([0, 2], device=device)  # typed as a torch.LongTensor there
    cache.reorder_cache(stay)
    mask = torch.cat([mask[stay], mask.new_ones(2, 1)], dim=1)
    found = model(
        input_ids=torch.tensor([texts[0][-1:], texts[2][-1:]], device=device),
        attention_mask=mask,
        position_ids=mask.sum(1, keepdim=True) - 1,
        past_key_values=cache,
        use_cache=True,
    ).logits[:, -1]
    alone = [model(input_ids=torch.tensor([text], device=device)).logits[0, -1] for text in (texts[0], texts[2])]
    return torch.log_softmax(found.float(), dim=-1), torch.log_softmax(torch.stack(alone).float(), dim=-1)
