"""How many rows are written on at once: as many as the memory of a GPU takes."""

from typing import Any

import torch

ON_CPU = 32  # more rows make a pass longer, and not the whole shorter
MOST = 256

# A row is kept twice: while it is read ahead, and by torch, which joins a column to all others in another place.
_COPIES = 2
_SHARE = 0.8  # of what is free


def rows_at_once(model: Any, tokens: int) -> int:
    """Return how many rows of up to `tokens` tokens to write on at once with `model`: a power of 2 on a GPU."""
    if model.device.type != "cuda":
        return ON_CPU
    free = torch.cuda.mem_get_info(model.device)[0]
    unused = torch.cuda.memory_reserved(model.device) - torch.cuda.memory_allocated(model.device)
    return fitting(free + unused, _COPIES * tokens * bytes_per_token(model.config, model.dtype) + _choice(model.config))


def fitting(free: int, row: int) -> int:
    """Return the largest power of 2, at most MOST, of rows of so many bytes that `free` bytes take; at least 1."""
    count = min(MOST, int(_SHARE * free / row))
    return 1 << max(0, count.bit_length() - 1)


def bytes_per_token(config: Any, dtype: torch.dtype) -> int:
    """Return the bytes that the keys and values of one token take in all layers."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * int(config.num_hidden_layers * heads * width) * dtype.itemsize


def _choice(config: Any) -> int:
    """Return the bytes that choosing a token takes for a row: four copies of its probabilities in float64."""
    return 8 * 4 * int(config.vocab_size)
