from dataclasses import replace
from typing import Any

import pytest

from edittool.editing.edits.sizes import Sizes
from edittool.editing.methods.ft import FtHparams
from edittool.editing.methods.grace import GraceHparams
from edittool.editing.success.measure import Measured
from edittool.editing.success.record import EditRecord, summary_of, what_to_try

from ..short_runs import METHOD_HPARAMS

BEFORE = Measured(4, 20, 3.7312345678, 0.25, 0, 12.5)
AFTER = Measured(4, 20, 0.01, 1.0, 4, 1.0)
RECORD = EditRecord(("len",), BEFORE, AFTER, Sizes(0.1234567891, 1e-9))


def with_learned(number: int) -> EditRecord:
    return replace(RECORD, after=replace(AFTER, learned=number))


def test_the_fields_of_a_row() -> None:
    assert RECORD.to_fields() == {
        "changes": ["len"],
        "requests": 4,
        "target_tokens": 20,
        "nll_before": 3.73123,
        "nll_after": 0.01,
        "greedy_tokens_before": 0.25,
        "greedy_tokens_after": 1.0,
        "learned_before": 0,
        "learned_after": 4,
        "first_rank_before": 12.5,
        "first_rank_after": 1.0,
        "norm": 0.123457,
        "rounded": 1e-9,
    }
    later = replace(RECORD, now=replace(AFTER, nll=None, learned=1)).to_fields()
    assert (later["nll_now"], later["learned_now"], later["first_rank_now"]) == (None, 1, 1.0)


@pytest.mark.parametrize(("learned", "took"), [(4, "wholly"), (3, "in part"), (1, "in part"), (0, "not")])
def test_whether_it_took(learned: int, took: str) -> None:
    assert with_learned(learned).took == took
    assert with_learned(learned).in_words() == f"{learned} of 4 targets learned, NLL 3.73 -> 0.01"


def test_one_target_and_no_number() -> None:
    one = replace(RECORD, before=replace(BEFORE, requests=1), after=replace(AFTER, requests=1, learned=1, nll=None))
    assert one.in_words() == "1 of 1 target learned, NLL 3.73 -> not a number"


def test_the_summary_counts_edits_and_weighs_tokens() -> None:
    small = replace(
        with_learned(0), before=replace(BEFORE, target_tokens=20, nll=1.73), after=replace(AFTER, learned=0)
    )
    assert summary_of([RECORD]) == "1 edit: 1 took wholly; 4 of 4 targets learned, NLL 3.73 -> 0.01"
    assert summary_of([RECORD, small, with_learned(2)]) == (
        "3 edits: 1 took wholly, 1 took in part, 1 did not take; 6 of 12 targets learned, NLL 3.06 -> 0.01"
    )


@pytest.mark.parametrize(
    ("hparams", "whole", "what"),
    [
        (
            FtHparams([2], "mlp", num_steps=25, lr=5e-4, norm_constraint=1e-4),
            True,
            "profile: exact (with easyedit, a space may stand before each target, which the model is not to write); "
            "larger num_steps (25) or lr (0.0005); a wider norm_constraint (0.0001); other layers (2); "
            "shorter targets (--requests call)",
        ),
        (
            FtHparams([2], "mlp", num_steps=25, lr=5e-4, norm_constraint=False, profile="exact"),
            False,
            "larger num_steps (25) or lr (0.0005); other layers (2)",
        ),
        (
            GraceHparams(["model.layers[4].mlp.down_proj"], edit_lr=1, n_iter=30, eps=1.0, profile="exact"),
            False,
            "larger n_iter (30) or edit_lr (1)",
        ),
    ],
)
def test_what_to_try_names_what_there_is(hparams: Any, whole: bool, what: str) -> None:
    assert what_to_try(RECORD, hparams, whole_solutions=whole) == what


def test_rounding_that_took_much_is_named() -> None:
    hparams = FtHparams([2], "mlp", num_steps=25, lr=5e-4, profile="exact")
    lost = replace(RECORD, sizes=Sizes(0.1, 0.38))
    assert "--dtype float32 (rounding took 38% of the change)" in what_to_try(lost, hparams, whole_solutions=False)


@pytest.mark.parametrize("method", METHOD_HPARAMS)
def test_there_is_something_to_try_for_every_method(method: str) -> None:
    told = what_to_try(RECORD, METHOD_HPARAMS[method], whole_solutions=False)
    assert "larger " in told
