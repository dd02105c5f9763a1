"""Editing methods, model families, sampling, regimes and the tiny model. The only package that needs torch.

The API for programs: `apply` edits a model, `load_hparams` reads hyperparameters, `Edit.load` an edit that was saved.
"""

from .api import apply as apply
from .context import EditContext as EditContext
from .context import Speedups as Speedups
from .edits.edit import Edit as Edit
from .methods.hparams import load_hparams as load_hparams
from .requests import EditRequest as EditRequest

__all__ = ["Edit", "EditContext", "EditRequest", "Speedups", "apply", "load_hparams"]
