"""Which jobs share a container: as many as asked for, and near the end no worker is left idle."""

from collections.abc import Iterable, Iterator
from itertools import islice
from math import ceil
from typing import TypeVar

Item = TypeVar("Item")


def batches(items: Iterable[Item], size: int, workers: int) -> Iterator[list[Item]]:
    """Yield `items` in order, in lists of `size`; the last `size * workers` or less in equal lists, one per worker.

    Reads `size * workers` items ahead: how many there are need not be known.
    """
    remaining = iter(items)
    ahead = list(islice(remaining, size * workers))
    while len(ahead) == size * workers:
        yield ahead[:size]
        ahead = [*ahead[size:], *islice(remaining, size)]
    for waiting in range(workers, 0, -1):
        share = ceil(len(ahead) / waiting)
        if share:
            yield ahead[:share]
        ahead = ahead[share:]
