"""What a plain method is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from edittool.editing import EditRequest
from edittool.editing.model.families import Family, family_of

from .mistakes import MISTAKES

DEFAULTS = {
    "profile": "easyedit",
    "target_join": "text",
    "fact_token": "subject_last",
    "rome_variant": "original",
    "mom2_adjustment": False,
    "nll_loss_factor": 1.0,
    "update_norm_lambda": 0.0,
    "emmet_lambda": 0.1,
}


@dataclass(frozen=True)
class Given:
    """Inputs of one edit; `mistake` is the name of the one step that is done wrong, if any.

    `earlier` has, by module, the keys (f, n) of the method's earlier edits in the model.
    """

    method: str
    model: Any
    tokenizer: Any
    requests: Sequence[EditRequest]
    hparams: Mapping[str, Any]
    templates: Sequence[str]
    covariance: Mapping[str, Tensor]
    mistake: str | None = None
    earlier: Mapping[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, field: str) -> Any:
        return self.hparams[field] if field in self.hparams else DEFAULTS[field]

    def wrong(self, mistake: str) -> bool:
        assert mistake in MISTAKES, mistake
        return self.mistake == mistake

    @property
    def family(self) -> Family:
        return family_of(self.model)

    @property
    def layers(self) -> list[int]:
        return list(self["layers"])

    def path(self, field: str, layer: int | None = None) -> str:
        """The module that a field names, at a layer; without one, at Z, the last of `layers`."""
        return str(self[field]).format(self.layers[-1] if layer is None else layer)
