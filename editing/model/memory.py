"""The memory of a GPU: whether what is to come will fit, before time is spent on it."""

import contextlib
from collections.abc import Iterator

import torch

from ...schemas.errors import EnvironmentFault


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
