"""Hyperparameters of ROME, MEMIT and PMET are held against the model."""

from dataclasses import replace
from typing import Any

import pytest

from edittool.editing.locate_then_edit.hparams import check_locating
from edittool.editing.model.families import family_of
from edittool.schemas.errors import InputError

from ..short_runs import METHOD_HPARAMS


@pytest.mark.parametrize("head", [None, "lm_head", "transformer.wte"])  # not read: the model knows its own head
def test_the_familys_own_names_fit(model: Any, head: str | None) -> None:
    family = family_of(model)
    hparams = replace(
        METHOD_HPARAMS["memit"],
        rewrite_module_tmp=family.mlp_out,
        layer_module_tmp=family.layer,
        mlp_module_tmp=family.mlp,
        attn_module_tmp=family.attention,
        ln_f_module=family.norm,
        lm_head_module=head,
        v_loss_layer=2,
    )
    assert check_locating(model, hparams) == family


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("layers", [0, 99], "there is no layer 99, the model has layers 0 to 2"),
        ("v_loss_layer", 31, "there is no layer 31"),
        ("rewrite_module_tmp", "h.{}.mlp", r"says 'h\.\{\}\.mlp'; for models of this family it is"),
        ("ln_f_module", "final_norm", "for models of this family it is"),
    ],
)
def test_what_does_not_fit_is_named(model: Any, field: str, value: Any, fault: str) -> None:
    with pytest.raises(InputError, match=f'"{field}".*{fault}'):
        check_locating(model, replace(METHOD_HPARAMS["memit"], **{field: value}))
