"""One edit of one model, for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..schemas.errors import InputError
from .context import EditContext
from .edits.edit import Edit
from .edits.finite import not_finite
from .methods.hparams import Hparams, hparams_of
from .methods.table import find_method
from .model.memory import check_placement
from .requests import EditRequest


def apply(
    method: str,
    model: Any,
    tokenizer: Any,
    requests: Sequence[EditRequest],
    hparams: Mapping[str, Any] | Hparams,
    context: EditContext | None = None,
) -> Edit:
    """Teach `model` the requests by a method that edits (`method_names` lists all) and return the edit, applied.

    `model` is a causal transformers model, but for ft, ultraedit, lora and adalora one of a known family; it is changed
    in place and left in evaluation mode. `hparams` is a mapping in EasyEdit's field names, or what `load_hparams`
    returns. Successive edits stack, and are undone in reverse order. Raises InputError, before the model is touched,
    for an unknown method, a model whose parts do not fit it or that is spread over devices, hyperparameters that are
    wrong or do not fit the model, a missing covariance, and a request that cannot be taught; and, with the edit undone,
    where its losses or what it changes are not finite numbers.
    """
    chosen = find_method(method)
    read = hparams if isinstance(hparams, Hparams) else hparams_of(hparams, chosen)
    if not isinstance(read.values, chosen.hparams):
        raise InputError(f"The hyperparameters of {read.source} are not for the method {chosen.name}.")
    check_placement(model)
    edit = chosen.teach(model, tokenizer, list(requests), read.values, context or EditContext())
    if fault := not_finite(edit, model):
        edit.undo()
        raise InputError(
            f"The edit by {method} is undone: {fault}. Load the model in float32 or bfloat16, or take smaller steps."
        )
    return edit
