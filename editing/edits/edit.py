"""An edit: changes of named tensors and codebooks of layers, put into a model and taken out bit for bit."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ...schemas.errors import InputError
from ...schemas.whole_files import aside, write_faults
from .codebook import Codebook, Entries, entries_at, features, install, pack, unpack
from .low_rank import LowRank
from .masters import Content, content_of, master_of, put_back, write
from .sizes import Sizes, Squares
from .states import State, bring

FORMAT = "edittool-edit-4"
READABLE = (FORMAT, "edittool-edit-3", "edittool-edit-2")  # the earlier ones knew no states, the earliest no factors
STATE = "state/"  # before a state's names in a file; no parameter's name has a slash

Change = Tensor | LowRank  # what is added to a parameter, in its shape


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What a model held before edits: the content of parameters, by name, and what takes out all else, latest last."""

    contents: Mapping[str, Content]
    uninstall: Sequence[Callable[[], None]]

    def restore(self, model: Any) -> None:
        """Put it back, bit for bit."""
        for uninstall in reversed(self.uninstall):
            uninstall()
        parameters = dict(model.named_parameters())
        for name, content in self.contents.items():
            put_back(model, name, parameters[name], content)


class Edit:
    """What a method learned: for some parameters, by name, what is added to them; for GRACE, a layer's codebook.

    A change is a tensor (float32), or the two factors of one of low rank, which are multiplied where it is needed.

    `apply` puts it into a model, `undo` takes it out; as a context manager it undoes itself. Several edits stack in
    one model and come out in reverse order. `losses` are the method's own, one per step of its optimisation.
    `codebooks` has, by the layer's path, all entries that are in force after the edit, those of earlier edits too.
    `sizes` are those of the changes when the edit was last put into a model.
    `state` is what the method's next edit of the same model has to know of this one, by names of its own: see `states`.
    """

    def __init__(
        self,
        method: str,
        deltas: Mapping[str, Change],
        losses: Sequence[float] = (),
        codebooks: Mapping[str, Entries] | None = None,
        state: State | None = None,
    ):
        self.method = method
        self.losses = list(losses)
        self.sizes = Sizes()
        self._changes = {
            name: delta if isinstance(delta, LowRank) else delta.detach().float() for name, delta in deltas.items()
        }
        self._codebooks = dict(codebooks or {})
        self._state = {name: tensor.detach() for name, tensor in (state or {}).items()}
        self._model: nn.Module | None = None
        self._before: dict[str, Content] = {}
        self._uninstall: list[Callable[[], None]] = []

    def deltas(self) -> dict[str, Tensor]:
        """Return what is added to each parameter, in float32 and in the parameter's shape."""
        return {name: _dense(change) for name, change in self._changes.items()}

    @property
    def empty(self) -> bool:
        """Whether it changes nothing: that of the method none, and what is left of an edit that was not finite."""
        return not (self._changes or self._codebooks)

    @property
    def state(self) -> State:
        """What the method's next edit of the same model has to know of this one; empty for most methods."""
        return dict(self._state)

    def codebook(self) -> Codebook | None:
        """Return a copy of the codebook that is in force after this edit; None for methods that change weights."""
        return next((entries.codebook() for entries in self._codebooks.values()), None)

    @torch.no_grad()
    def apply(self, model: nn.Module, *, touched_only: bool = True) -> Self:
        """Add the changes to `model`, summed in float32 and rounded once, with codebooks and state; return this edit.

        Behind a tensor of 16 bits, the sum of all edits in the model is kept in float32: see `masters`. With
        `touched_only` off, the old content of every parameter is kept for `undo`, and not only of those that the edit
        touches. Raises RuntimeError while it is in a model already, and InputError when the model has no such
        parameters or layers, or has a codebook that this edit's does not go on from.
        """
        if self._model is not None:
            raise RuntimeError("this edit is in a model already: undo it first, or load it a second time")
        parameters, layers = self._parameters(model), self._layers(model)
        kept = parameters if touched_only else dict(model.named_parameters())
        self._before = {name: content_of(model, name, parameter) for name, parameter in kept.items()}
        self._model = model
        _stacks.setdefault(model, []).append(self)
        squares = Squares()
        try:
            for name, parameter in parameters.items():
                change = _dense(self._changes[name].to(parameter.device))
                write(model, name, parameter, master_of(model, name, parameter) + change)
                squares.add(self._before[name].tensor, parameter, change)
            for path, layer in layers.items():
                self._uninstall.append(install(layer, self._codebooks[path]))
            if self._state:
                self._uninstall.append(bring(model, self.method, self._state))
        except BaseException:  # an interruption too leaves no half of an edit
            self.undo()
            raise
        self.sizes = squares.sizes()
        return self

    def check(self, model: nn.Module) -> None:
        """Raise InputError where `model` has no such parameters or layers. Its content is not looked at."""
        self._parameters(model)
        self._layers(model)

    def _parameters(self, model: nn.Module) -> dict[str, nn.Parameter]:
        there = dict(model.named_parameters())
        for name, delta in self._changes.items():
            if name not in there or there[name].shape != delta.shape:
                has = f"has it in shape {tuple(there[name].shape)}" if name in there else "has no such parameter"
                raise InputError(
                    f"The edit changes {name} in shape {tuple(delta.shape)}, but this model {has}. "
                    "Apply it to a copy of the model it was made for."
                )
        return {name: there[name] for name in self._changes}

    def _layers(self, model: nn.Module) -> dict[str, nn.Module]:
        there = dict(model.named_modules())
        for path, entries in self._codebooks.items():
            needed = len(entries.rows[0].key), len(entries.rows[0].value)
            if path not in there or features(there[path]) != needed:
                raise InputError(
                    f"The edit has a codebook for {path}, a linear layer from {needed[0]} to {needed[1]} features, "
                    "which this model does not have. Apply it to a copy of the model it was made for."
                )
            in_force = entries_at(there[path])
            if in_force is not None and entries.grown_from != in_force.digest():
                raise InputError(
                    f"The model has a codebook at {path} that this edit does not go on from; it would be lost. Undo "
                    "the edit it came with, or apply edits in the order they were made: each holds those before it."
                )
        return {path: there[path] for path in self._codebooks}

    def undo(self) -> None:
        """Give every touched tensor its old content back, bit for bit, and every layer the codebook it had or none.

        Raises RuntimeError when this edit is in no model, or when a later one is still in it.
        """
        model = self._model
        self.release().restore(model)

    def release(self) -> "Before":
        """Leave the edit in the model and return what undoes it: from now on, this object is in no model.

        Raises RuntimeError when this edit is in no model, or when a later one is still in it.
        """
        if self._model is None:
            raise RuntimeError("this edit is in no model: there is nothing to undo")
        stack = _stacks[self._model]
        if stack[-1] is not self:
            raise RuntimeError("a later edit is still in the model: edits are undone in reverse order")
        stack.pop()
        before = Before(self._before, self._uninstall)
        self._model, self._before, self._uninstall = None, {}, []
        return before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def save(self, path: Path | str, about: Mapping[str, str] | None = None, *, dense: bool = False) -> None:
        """Write the edit to `path` as safetensors; the metadata hold method, losses, codebook settings and `about`.

        A change of low rank is written as its factors, unless `dense` asks for their product or that is no larger.
        Raises EnvironmentFault when the disk or a permission refuses; an old file then stays as it was.
        """
        factored = [name for name, one in self._changes.items() if isinstance(one, LowRank) and one.pays and not dense]
        tensors = {name: _dense(one) for name, one in self._changes.items() if name not in factored}
        for name in factored:
            one: Any = self._changes[name]
            tensors |= {f"{name}/left": one.left, f"{name}/right": one.right}
        settings = {}
        for layer, entries in self._codebooks.items():
            packed, settings[layer] = pack(entries)
            tensors |= {f"{layer}/{name}": tensor for name, tensor in packed.items()}
        tensors |= {f"{STATE}{name}": tensor for name, tensor in self._state.items()}
        metadata = dict(about or {}) | {
            "format": FORMAT,
            "method": self.method,
            "losses": json.dumps(self.losses),
            "codebooks": json.dumps(settings),
            "factored": json.dumps(factored),
        }
        _write(Path(path), {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read an edit that `save` wrote. Raises InputError for anything else."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"{path} cannot be read as an edit: {error}. `edittool edit --save-edits` makes one."
            ) from None
        if metadata.get("format") not in READABLE:
            raise InputError(
                f"{path} holds tensors, but no edit that this version can read. `edittool edit --save-edits` makes one."
            )
        try:
            losses, settings = json.loads(metadata["losses"]), json.loads(metadata["codebooks"])
            codebooks = {layer: unpack(_taken(tensors, f"{layer}/"), settings[layer]) for layer in settings}
            factored = json.loads(metadata.get("factored", "[]"))
            factors = {name: LowRank.of(**_taken(tensors, f"{name}/")) for name in factored}
            state = _taken(tensors, STATE)
            return cls(metadata["method"], tensors | factors, losses, codebooks, state)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is an edit that is damaged ({error!r}). Make it again.") from None


def read_metadata(path: Path) -> Mapping[str, str]:
    """Return what the file of an edit says about it. Raises InputError where it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path} cannot be read as an edit: {error}. `edittool edit --save-edits` makes one."
        ) from None
    if metadata.get("format") not in READABLE:
        raise InputError(f"{path} holds tensors, but not an edit. `edittool edit --save-edits` makes one.")
    return metadata


def _dense(change: Change) -> Tensor:
    return change.dense() if isinstance(change, LowRank) else change


def _taken(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors with `prefix` out and return them, without it."""
    return {name.removeprefix(prefix): tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    with write_faults(path, SafetensorError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path) as temporary:
            save_file(tensors, temporary, metadata=metadata)


# The edits in each model, the latest last. Beside the models, so that a deep copy of one starts with none.
_stacks: WeakKeyDictionary[nn.Module, list[Edit]] = WeakKeyDictionary()
