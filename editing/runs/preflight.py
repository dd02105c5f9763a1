"""Checks before the first edit: the output can be written, and requests and prompts fit into the model's context."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...schemas.errors import EnvironmentFault, InputError
from ...schemas.problems import Problem
from ...schemas.whole_files import write_faults
from ..context import EditContext
from ..methods.table import Method
from ..model.limits import context_length
from ..requests import EditRequest
from ..sampling.targets import encode
from .asking import Asked


def check_writable(folder: Path, needed: int = 0) -> None:
    """Raise EnvironmentFault where nothing, or no more than `needed` bytes, can be written in `folder`, new or not."""
    there = _nearest(folder)
    with write_faults(folder):
        with tempfile.TemporaryFile(dir=there, buffering=0) as file:
            file.write(b"x")
        free = shutil.disk_usage(there).free
    need_space(folder, needed, free)


def need_space(folder: Path, needed: int, free: int) -> None:
    """Raise EnvironmentFault where `needed` bytes are more than are `free`."""
    if needed > free:
        raise EnvironmentFault(
            f"{folder}: {needed / 2**20:,.1f} MiB are to be written there, and {free / 2**20:,.1f} MiB are free. Free "
            "some space, or choose another place."
        )


def _nearest(folder: Path) -> Path:
    """Return `folder`, or the folder closest above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


def texts_of(requests: Iterable[EditRequest], problems: Iterable[Problem]) -> Iterator[tuple[str, str]]:
    """Yield every text that a run reads or hopes for, each with what it is called."""
    for problem in problems:
        yield f"The prompt of {problem.task_id}", problem.prompt
        if problem.updated_solution:
            yield f'The "updated_solution" of {problem.task_id}', problem.updated_solution
    for request in requests:
        yield f"The target for {request.subject!r}", request.target
        yield f"The request for {request.subject!r}", request.prompt + request.target


def check_requests(
    model: Any, tokenizer: Any, requests: Iterable[EditRequest], method: Method, hparams: Any, context: EditContext
) -> None:
    """Raise InputError for a request that the method cannot find in tokens, or that is longer than `model` reads."""
    room = context_length(model)
    for request in requests:
        asked = sum(map(len, encode(tokenizer, request)))  # before and after the edit, the model is asked about it
        count = max(asked, method.measure(model, tokenizer, request, hparams, context))
        if count > room:
            raise InputError(
                f"The request for {request.subject!r}, prompt {request.prompt[:60]!r}..., has {count} tokens with its "
                f"target and what {method.name} puts before it; the model reads {room}. Leave the change out "
                "(--changes), teach less (--requests call), or use another model."
            )


def check_prompts(model: Any, tokenizer: Any, asked: Iterable[tuple[str, Asked]]) -> None:
    """Raise InputError for a text that leaves `model` no room for a token of its own; each comes with its task id."""
    room = context_length(model)
    for task_id, text in asked:
        count = len(text.ids(tokenizer))
        if not 0 < count < room:
            raise InputError(
                f"The prompt of {task_id} has {count} tokens; the model reads from 1 to {room - 1}. Leave the problem "
                "out, document fewer changes (docs: `max_changes`), or use another model."
            )
