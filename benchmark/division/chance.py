"""Chance, drawn by SHA-256: the same seed gives the same draw on every machine and in every order."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

OrderBy = Literal["chance", "frequency"]


def draw(seed: int, *names: str) -> int:
    """Return an integer of 64 bits that depends on the seed and the names alone."""
    text = "\0".join((str(seed), *names))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")


def weight(seed: int, *names: str) -> int:
    """Return a draw that is small enough for hundreds of them to be added up exactly, and large enough to be unlike."""
    return draw(seed, *names) >> 44


def shuffled(seed: int, purpose: str, names: Iterable[str]) -> list[str]:
    """Return the names in an order that depends on the seed and the purpose, not on the order they come in."""
    return sorted(names, key=lambda name: (draw(seed, purpose, name), name))


def order(changes: Iterable[str], counts: Mapping[str, int], seed: int, by: OrderBy = "chance") -> dict[str, int]:
    """Return the place of each change in the sequential regime, from 0.

    `frequency` puts the changes with the most problems in `counts` first, and leaves only ties to chance.
    """
    drawn = shuffled(seed, "order", changes)
    if by == "frequency":
        drawn.sort(key=lambda change: -counts.get(change, 0))
    return {change: place for place, change in enumerate(drawn)}
