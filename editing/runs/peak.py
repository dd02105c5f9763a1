"""The memory that work on a model takes at its peak, found by doing the work on tensors with shapes and no content."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AutoModelForCausalLM

# What a tensor without content answers when it is asked for a number: losses are high, nothing stops, nothing fails.
_ANSWERS: dict[torch.dtype, float | int | bool] = {torch.bool: False}


def _inside_eigh(matrix: Tensor) -> int:
    """Return the bytes of the workspace that LAPACK's syevd asks for: 2n² + 6n + 1 numbers."""
    size = matrix.shape[-1]
    return (2 * size**2 + 6 * size + 1) * matrix.element_size()


# What kernels take and give back inside, where that is more than their results.
_INSIDE: dict[Any, Callable[[Tensor], int]] = {torch.ops.aten._linalg_eigh.default: _inside_eigh}


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """Counts the bytes of what operations make, while it lives: `peak` is the most at once. A context manager.

    What was there before does not count, nor what a kernel takes and gives back inside, but for the largest.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # nor here
        self.peak = 0
        self._now = 0
        self._known: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run `func`, and note the storages of its results that are new."""
        kwargs = kwargs or {}
        for tensor in _tensors((args, kwargs)):
            self._note(tensor, counts=False)
        if func is torch.ops.aten._local_scalar_dense.default and _is_empty(args[0]):
            return _ANSWERS.get(args[0].dtype, 1.0 if args[0].dtype.is_floating_point else 0)
        results = func(*args, **kwargs)
        for tensor in _tensors(results):
            self._note(tensor, counts=True)
        if func in _INSIDE:
            self.peak = max(self.peak, self._now + _INSIDE[func](args[0]))
        return results

    def _note(self, tensor: Tensor, *, counts: bool) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        size = storage.nbytes() if counts else 0

        def gone(_: object) -> None:
            self._now -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, gone)
        self._now += size
        self.peak = max(self.peak, self._now)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _is_empty(tensor: Tensor) -> bool:
    return type(tensor).__name__ == "FakeTensor"


def peak_on_outline(config: Any, dtype: torch.dtype, work: Callable[[Any], object]) -> int:
    """Return how many bytes `work` needs at its peak above those of the model that it is given.

    The model is one of `config` with weights of `dtype`; neither it nor anything that `work` makes takes memory.
    """
    make: Any = AutoModelForCausalLM.from_config  # untyped
    with FakeTensorMode(allow_non_fake_inputs=True):
        model = make(config, dtype=dtype, trust_remote_code=False).eval()
        memory = PeakMemory()
        with memory:
            work(model)
    return memory.peak
