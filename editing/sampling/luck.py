"""The choice of a token: the likeliest one after noise that belongs to the draw, the step and the token alone.

    token = argmax_v  log p(v) + g(key, step, v)      over the nucleus (Holtzman et al., 2020)

With independent Gumbel noise g this is a draw from p (the Gumbel-max trick). Here g is a function of its arguments: the
same in every batch, on every device and for every model. So two models whose p are near choose the same token, but
where the two best sums lie closer together than the models do.
"""

import hashlib

import torch
from torch import Tensor

LUCK = "gumbel-1"  # the name of these functions in rows: another name where any value they give has changed
NO_TOKEN = -1  # chosen where an edit has left a model that computes no numbers

_CANDIDATES = 64  # likeliest tokens that are looked at first: most nuclei are smaller

# Of SplitMix64 (Steele, Lea and Flood, 2014), as signed numbers: its increment, another odd one, and its two factors.
_GOLDEN, _SECOND = 0x9E3779B97F4A7C15 - 2**64, 0xD1B54A32D192ED03 - 2**64
_FACTORS = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)


def key_of(seed: int, task_id: str, index: int) -> int:
    """Return the key of a draw, a signed number of 64 bits: the beginning of SHA-256 over the three."""
    digest = hashlib.sha256(f"{seed}\n{task_id}\n{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def noise(keys: Tensor, steps: Tensor, tokens: Tensor) -> Tensor:
    """Return Gumbel(0, 1) noise, float64 (rows, k), for `keys` and `steps`, int64 (rows,), and `tokens`, (rows, k)."""
    begun = _mixed(keys + steps * _GOLDEN)
    bits = _shifted(_mixed(begun[:, None] + (tokens + 1) * _SECOND), 11)
    uniform = (bits.double() + 0.5) * 2.0**-53
    return -torch.log(-torch.log(uniform))


def _mixed(state: Tensor) -> Tensor:
    """Return SplitMix64's output for each state; int64 products wrap around, as they are to."""
    state = (state ^ _shifted(state, 30)) * _FACTORS[0]
    state = (state ^ _shifted(state, 27)) * _FACTORS[1]
    return state ^ _shifted(state, 31)


def _shifted(state: Tensor, bits: int) -> Tensor:
    """Return `state` shifted to the right with zeros coming in; torch's own shift repeats the sign."""
    return (state >> bits) & ((1 << (64 - bits)) - 1)


def choose(logits: Tensor, keys: Tensor, steps: Tensor, temperature: float, top_p: float) -> Tensor:
    """Return a token, int64 (rows,), for each row of `logits` (rows, vocabulary); NO_TOKEN where they are no numbers.

    `keys` and `steps`, int64 (rows,), decide the luck; at temperature 0 the likeliest token is taken. The nucleus
    holds each token before which, among strictly likelier ones, less than `top_p` of the probability lies.
    """
    broken = ~torch.isfinite(logits.amax(dim=-1))
    if temperature == 0:
        return logits.argmax(dim=-1).masked_fill(broken, NO_TOKEN)
    probabilities = torch.softmax(logits.double() / temperature, dim=-1)
    likeliest, tokens, kept = _nucleus(probabilities, top_p, broken)
    sums = (likeliest.log() + noise(keys, steps, tokens)).masked_fill(~kept, -torch.inf)
    return tokens.gather(1, sums.argmax(dim=-1, keepdim=True))[:, 0].masked_fill(broken, NO_TOKEN)


def _nucleus(probabilities: Tensor, top_p: float, broken: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the likeliest probabilities, their tokens, and which of them are kept, each (rows, k).

    As many are looked at as the largest nucleus needs: the result does not depend on how many that are.
    """
    size, vocabulary = _CANDIDATES if top_p < 1 else probabilities.shape[-1], probabilities.shape[-1]
    while True:
        likeliest, tokens = probabilities.topk(min(size, vocabulary), dim=-1)
        before = likeliest.cumsum(-1) - likeliest
        last = ((before < top_p).sum(-1, keepdim=True) - 1).clamp(min=0)
        least = likeliest.gather(1, last)
        if size >= vocabulary or bool(((likeliest[:, -1:] < least)[:, 0] | broken).all()):
            return likeliest, tokens, likeliest >= least
        size *= 16
