"""Whether requests and prompts fit into what a model reads at once; told before anything is edited."""

from collections.abc import Iterable
from typing import Any

from ..schemas.errors import InputError
from ..schemas.problems import Problem
from .context import EditContext
from .methods import Method
from .requests import EditRequest


def check_requests(
    model: Any, tokenizer: Any, requests: Iterable[EditRequest], method: Method, hparams: Any, context: EditContext
) -> None:
    """Raise InputError for a request that the method cannot find in tokens, or that is longer than `model` reads."""
    room = model.config.max_position_embeddings
    for request in requests:
        count = method.measure(model, tokenizer, request, hparams, context)
        if count > room:
            raise InputError(
                f"The request for {request.subject!r}, prompt {request.prompt[:60]!r}..., has {count} tokens with its "
                f"target and what {method.name} puts before it; the model reads {room}. Leave the change out "
                "(--changes), teach less (--target call), or use another model."
            )


def check_prompts(model: Any, tokenizer: Any, problems: Iterable[Problem]) -> None:
    """Raise InputError for a problem whose prompt leaves `model` no room for a token of its own."""
    room = model.config.max_position_embeddings
    for problem in problems:
        count = len(tokenizer(problem.prompt)["input_ids"])
        if not 0 < count < room:
            raise InputError(
                f"The prompt of {problem.task_id} has {count} tokens; the model reads from 1 to {room - 1}. Leave the "
                "problem out, or use another model."
            )
