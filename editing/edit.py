"""An edit: float32 differences of named tensors, put into a model in place and taken out again bit for bit."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..schemas.errors import InputError

FORMAT = "edittool-edit-1"


class Edit:
    """What a method learned: for some parameters, by name, what is added to them.

    `apply` puts it into a model, `undo` takes it out; as a context manager it undoes itself. Several edits stack in
    one model and come out in reverse order. `losses` are the method's own, one per step of its optimisation.
    """

    def __init__(
        self, method: str, deltas: Mapping[str, Tensor], losses: Sequence[float] = (), *, touched_only: bool = True
    ):
        self.method = method
        self.losses = list(losses)
        self._deltas = {name: delta.detach().float() for name, delta in deltas.items()}
        self._model: nn.Module | None = None
        self._before: dict[str, Tensor] = {}

    def deltas(self) -> dict[str, Tensor]:
        """Return what is added to each parameter, in float32 and in the parameter's shape."""
        return dict(self._deltas)

    @torch.no_grad()
    def apply(self, model: nn.Module) -> Self:
        """Add the differences to `model`, summed in float32 and rounded once, and return this edit.

        Raises RuntimeError while it is in a model already, and InputError when the model has no such parameters.
        """
        if self._model is not None:
            raise RuntimeError("this edit is in a model already: undo it first, or load it a second time")
        parameters = self._parameters(model)
        self._before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        for name, parameter in parameters.items():
            parameter.copy_(parameter.float() + self._deltas[name].to(parameter.device))
        self._model = model
        _stacks.setdefault(model, []).append(self)
        return self

    def _parameters(self, model: nn.Module) -> dict[str, nn.Parameter]:
        there = dict(model.named_parameters())
        for name, delta in self._deltas.items():
            if name not in there or there[name].shape != delta.shape:
                has = f"has it in shape {tuple(there[name].shape)}" if name in there else "has no such parameter"
                raise InputError(
                    f"The edit changes {name} in shape {tuple(delta.shape)}, but this model {has}. "
                    "Apply it to a copy of the model it was made for."
                )
        return {name: there[name] for name in self._deltas}

    @torch.no_grad()
    def undo(self) -> None:
        """Give every touched tensor its old content back, bit for bit.

        Raises RuntimeError when this edit is in no model, or when a later one is still in it.
        """
        if self._model is None:
            raise RuntimeError("this edit is in no model: there is nothing to undo")
        stack = _stacks[self._model]
        if stack[-1] is not self:
            raise RuntimeError("a later edit is still in the model: edits are undone in reverse order")
        parameters = dict(self._model.named_parameters())
        for name, content in self._before.items():
            parameters[name].copy_(content)
        stack.pop()
        self._model, self._before = None, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def save(self, path: Path, about: Mapping[str, str] | None = None) -> None:
        """Write the differences to `path` as safetensors; the metadata hold method, losses and `about`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = dict(about or {}) | {"format": FORMAT, "method": self.method, "losses": json.dumps(self.losses)}
        tensors = {name: delta.cpu().contiguous() for name, delta in self._deltas.items()}
        temporary = path.with_name(f".{path.name}.partial")
        save_file(tensors, temporary, metadata=metadata)
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an edit that `save` wrote. Raises InputError for anything else."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                deltas = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"{path} cannot be read as an edit: {error}. `edittool edit --save-edits` makes one."
            ) from None
        if metadata.get("format") != FORMAT:
            raise InputError(f"{path} holds tensors, but not an edit. `edittool edit --save-edits` makes one.")
        return cls(metadata["method"], deltas, json.loads(metadata["losses"]))


# The edits in each model, the latest last. Beside the models, so that a deep copy of one starts with none.
_stacks: WeakKeyDictionary[nn.Module, list[Edit]] = WeakKeyDictionary()


@contextlib.contextmanager
def restored(model: nn.Module, names: Sequence[str]) -> Iterator[dict[str, nn.Parameter]]:
    """Give the parameters of these names, to change in place; put their content back at the end."""
    parameters = dict(model.named_parameters())
    chosen = {name: parameters[name] for name in names}
    before = {name: parameter.detach().clone() for name, parameter in chosen.items()}
    try:
        yield chosen
    finally:
        with torch.no_grad():
            for name, parameter in chosen.items():
                parameter.copy_(before[name])


def rounded(updates: Mapping[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """Return `updates` in float32, rounded to `dtype` first, if one is given, as EasyEdit does before it adds them."""
    return {name: (update if dtype is None else update.to(dtype)).float() for name, update in updates.items()}
