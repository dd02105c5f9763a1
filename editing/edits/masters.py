"""Masters: behind a tensor of 16 bits lies the sum of its edits in float32; the tensor is that sum, rounded once.

Added to the tensor itself, small edits would be lost one after the other: bfloat16 holds 8 bits of a number.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

# By model and name of the parameter. Beside the models: a deep copy goes on from its rounded tensors.
_masters: WeakKeyDictionary[nn.Module, dict[str, Tensor]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What a parameter held: a copy of the tensor, and the master behind it, if there was one."""

    tensor: Tensor
    master: Tensor | None


def master_of(model: nn.Module, name: str, parameter: nn.Parameter) -> Tensor:
    """Return what edits of `parameter`, `name` in `model`, are added to: in its shape, float32 or wider.

    Of a tensor of 16 bits that is its master for as long as the tensor is its rounding; after others have written to
    the tensor, it is the tensor. The result must not be written to: it may be the parameter itself.
    """
    content = parameter.detach()
    if not _is_rounded(content):
        return content
    held = _masters.get(model, {}).get(name)
    if held is not None:
        held = held.to(content.device)
        if torch.equal(held.to(content.dtype), content):
            return held
    return content.float()


@torch.no_grad()
def write(model: nn.Module, name: str, parameter: nn.Parameter, total: Tensor) -> None:
    """Let `total`, which the caller gives away, be the content of `parameter`: rounded to its type, and its master."""
    parameter.copy_(total)
    if _is_rounded(parameter):
        _masters.setdefault(model, {})[name] = total


def content_of(model: nn.Module, name: str, parameter: nn.Parameter) -> Content:
    """Return a copy of what `parameter` holds, for `put_back`."""
    return Content(parameter.detach().clone(), _masters.get(model, {}).get(name))


@torch.no_grad()
def put_back(model: nn.Module, name: str, parameter: nn.Parameter, content: Content) -> None:
    """Give `parameter` its old content back, bit for bit, and the master that was behind it."""
    parameter.copy_(content.tensor)
    masters = _masters.setdefault(model, {})
    masters.pop(name, None)
    if content.master is not None:
        masters[name] = content.master


def _is_rounded(tensor: Tensor) -> bool:
    return tensor.dtype.itemsize < torch.float32.itemsize
