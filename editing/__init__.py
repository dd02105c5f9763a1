"""Editing methods, model families, sampling, regimes and the tiny model. The only package that needs torch.

The API for programs: `apply` edits a model, `measure` says what the model does with requests, before an edit or after
it; `load_hparams` reads hyperparameters, `Edit.load` an edit that was saved.

The folders import one way, and only from a lower floor:

    runs, api                           many edits and their samples; one edit, for programs
    methods, success                    a file for each method; whether an edit took
    locate_then_edit, covariance        what ROME and MEMIT share with others; the statistics that they need
    sampling                            writing many texts at once
    model, edits, requests, context     families and forward passes; edits as objects; an edit's inputs
    statements                          what the documentation of an API change would say
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import apply as apply
    from .context import EditContext as EditContext
    from .context import Speedups as Speedups
    from .edits.edit import Edit as Edit
    from .methods.hparams import load_hparams as load_hparams
    from .requests import EditRequest as EditRequest
    from .success.measure import measure as measure

__all__ = ["Edit", "EditContext", "EditRequest", "Speedups", "apply", "load_hparams", "measure"]

_HOMES = {
    "Edit": ".edits.edit",
    "EditContext": ".context",
    "EditRequest": ".requests",
    "Speedups": ".context",
    "apply": ".api",
    "load_hparams": ".methods.hparams",
    "measure": ".success.measure",
}


def __getattr__(name: str) -> Any:
    """Import a name of the API when it is first asked for: torch takes seconds, and the list of methods needs none."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
