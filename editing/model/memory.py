"""The memory that a model lies in: whether it is that of one device, and will hold what is to come."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from ...schemas.errors import EnvironmentFault, InputError


def check_placement(model: Any) -> None:
    """Raise InputError where `model` is spread over several devices (`device_map`), or parts of it are in no memory.

    An edit reads hidden states off single layers and goes on from them: between devices, nothing would move them.
    """
    places = sorted({str(tensor.device) for tensor in (*model.parameters(), *model.buffers())})
    if places == ["meta"] or len(places) > 1:
        where = " and ".join("no memory (meta)" if place == "meta" else place for place in places)
        raise InputError(
            f"The model lies on {where}: to be edited and sampled, all of it has to lie on one device. Load it without "
            "`device_map`, or with one device for all (device_map={'': 'cuda:0'}); dtype=torch.bfloat16 halves it."
        )


def check_memory(device: torch.device, needed: int, what: str) -> None:
    """Raise EnvironmentFault where `what`, of so many bytes, is more than `device`, a GPU, has free."""
    if device.type == "cuda":
        need_room(needed, torch.cuda.mem_get_info(device)[0], what, str(device))


@contextlib.contextmanager
def fitting(what: str, device: object) -> Iterator[None]:
    """Turn what PyTorch raises where `what` does not fit into the memory of `device` into EnvironmentFault."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise EnvironmentFault(
            f"The memory of {device} is too small for {what}. Use --dtype bfloat16 (half the memory of float32), a "
            "larger or an idle GPU, or --device cpu."
        ) from None


def need_room(needed: int, free: int, what: str, device: str) -> None:
    """Raise EnvironmentFault where `needed` bytes are more than are `free`."""
    if needed > free:
        raise EnvironmentFault(
            f"The memory of {device} is too small: {what} take {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB "
            "are free. Use --dtype bfloat16 (half the memory of float32), a larger or an idle GPU, or --device cpu."
        )
