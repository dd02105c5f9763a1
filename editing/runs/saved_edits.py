"""The saved edits of a run: each file records what decides the edit, so that an interrupted run finds its own again.

These records are digests (SHA-256) of the requests and of the context; the rows of samples have the latter too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...schemas.errors import InputError
from ..context import EditContext
from ..edits.edit import Edit, read_metadata
from .plan import PlannedEdit
from .settings import Run


@dataclass(frozen=True, slots=True)
class SavedEdits:
    """The edits of a run in `folder`. `context_sha256` is that of the run's context: see the function of that name.

    With `dense`, changes of low rank are written as whole tensors.
    """

    folder: Path
    run: Run
    context_sha256: str
    dense: bool = False

    def save(self, edit: Edit, edits: Sequence[PlannedEdit]) -> None:
        """Write `edit`, the last of `edits`. Raises EnvironmentFault when the disk or a permission refuses."""
        edit.save(self._path(edits), self._about(edits), dense=self.dense)

    def find(self, edits: Sequence[PlannedEdit]) -> Edit | None:
        """Return the last of `edits` from its file; None where that is missing, broken or of another run."""
        path = self._path(edits)
        try:
            metadata = read_metadata(path)
            wanted = self._about(edits) | {"method": self.run.method.name}
            return Edit.load(path) if wanted.items() <= metadata.items() else None
        except InputError:
            return None

    def _path(self, edits: Sequence[PlannedEdit]) -> Path:
        return self.folder / f"{edits[-1].name}.safetensors"

    def _about(self, edits: Sequence[PlannedEdit]) -> dict[str, str]:
        """Return everything that decides what the last of `edits` is, given those before it."""
        return {
            "model": self.run.model,
            "dtype": self.run.dtype,
            "regime": self.run.regime,
            "hparams_sha256": self.run.hparams.sha256(),
            "context_sha256": self.context_sha256,
            "requests_sha256": requests_sha256(edits),
            "edited": json.dumps([change_id for edit in edits for change_id in edit.changes]),
            "edittool": version("edittool"),
        }


def requests_sha256(edits: Sequence[PlannedEdit]) -> str:
    """Return SHA-256 over the requests of `edits`, one after the other."""
    return _json_sha256([[astuple(request) for request in edit.requests] for edit in edits])


def context_sha256(context: EditContext, modules: Sequence[str]) -> str:
    """Return SHA-256 over templates, seed, initial values and the covariances of `modules`.

    Speed-ups are left out: they change no result. So are templates that are yet to be sampled: the model and the seed
    decide them.
    """
    tensors = {module: _tensor_sha256(context.covariance[module]) for module in sorted(modules)}
    values = None if context.initial_values is None else [_tensor_sha256(value) for value in context.initial_values]
    templates = None if context.templates is None else list(context.templates)
    return _json_sha256([templates, context.seed, values, tensors])


def _tensor_sha256(tensor: Tensor) -> str:
    content = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{content.dtype} {tuple(content.shape)}\n".encode("ascii"))
    digest.update(content.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _json_sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode("ascii")).hexdigest()
