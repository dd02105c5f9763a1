"""SHA-256 over what decides an edit besides model and hyperparameters: its requests, and its context."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import torch
from torch import Tensor

from .context import EditContext
from .plan import PlannedEdit


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
