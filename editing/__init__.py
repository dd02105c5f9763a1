"""Editing methods, model families, sampling, regimes and the tiny model. The only package that needs torch.

The API for programs: `apply` edits a model, `load_hparams` reads hyperparameters, `Edit.load` an edit that was saved.
"""

from .api import apply as apply
from .context import EditContext as EditContext
from .edit import Edit as Edit
from .hparams import load_hparams as load_hparams
from .requests import EditRequest as EditRequest
from .speedups import Speedups as Speedups

__all__ = ["Edit", "EditContext", "EditRequest", "Speedups", "apply", "load_hparams"]
