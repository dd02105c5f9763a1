"""Defects of other implementations of ROME, MEMIT, PMET and FT, one by one: the package does not have them."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from edittool.editing import EditContext, EditRequest, Speedups, apply
from edittool.editing.locate_then_edit.token_rows import LookupRow, Reading
from edittool.editing.model.families import family_of
from edittool.editing.model.forward import plain
from edittool.schemas.errors import InputError

from ..conftest import FAMILY_NAMES, make_model
from ..parity_cases import (
    BRACES,
    CONTEXTS,
    END,
    FEW,
    LAYERS,
    MIDDLE,
    TWICE,
    Case,
    byte_tokenizer,
    covariance_of,
    distance,
    edited,
    hparams_of,
    model_of,
    plainly,
    tokenizer_of,
)
from ..plain.given import Given
from ..plain.methods import learn
from ..plain.values import optimise
from ..test_parity import ROUNDED

METHODS = ("rome", "memit", "pmet")
BARE = ("{}",)


def vocabulary() -> int:
    return len(tokenizer_of("pieces"))


def taught(method: str, model: Any, tokenizer: Any, *requests: EditRequest, **changes: Any) -> dict[str, Tensor]:
    """The deltas of a short edit, which is undone."""
    hparams = hparams_of(method, family_of(model).model_type) | {"v_num_grad_steps": 3} | changes
    context = EditContext(templates=FEW, covariance=covariance_of(model, paths_of(model)))
    with apply(method, model, tokenizer, requests, hparams, context) as edit:
        return edit.deltas()


def paths_of(model: Any) -> list[str]:
    return [family_of(model).mlp_out.format(layer) for layer in range(LAYERS)]


def reading(kind: str, **changes: Any) -> Reading:
    return replace(Reading(tokenizer_of(kind), "easyedit", "subject_last", "missing"), **changes)


def tokens(kind: str, row: LookupRow) -> list[str]:
    found: list[str] = tokenizer_of(kind).convert_ids_to_tokens(list(row.targets))
    return found


# Padding: the reference counts positions as if its rows were not padded on the left.

PADDED = {"rome": "clme", "memit": "clme", "pmet": "easyedit"}
EQUAL = {  # prompt and "SUBJECT is a" have as many tokens; the study keeps the prompt itself
    "clme": EditRequest("load", "load", "("),
    "easyedit": EditRequest("a.load", "load", "("),
}


def with_the_slip(case: Case) -> Case:
    return replace(case, changes={**case.changes, "padding": "as_reference"})


@pytest.mark.parametrize("method", METHODS)
def test_padding_moves_nothing(method: str) -> None:
    case = Case("padded", method, (MIDDLE,), {"profile": PADDED[method]})
    right = plainly(case).deltas
    assert distance(edited(case, Speedups.none()).deltas(), right) <= ROUNDED
    assert distance(edited(with_the_slip(case), Speedups.none()).deltas(), right) > 0.1


@pytest.mark.parametrize("method", METHODS)
def test_the_slip_of_the_reference_needs_rows_of_unequal_length(method: str) -> None:
    profile: Any = PADDED[method]
    read = reading("bytes", profile=profile, space="never", target_join="ids")
    assert len({len(row.row.ids) for row in read.value_rows(EQUAL[profile], BARE)}) == 1
    case = Case("equal", method, (EQUAL[profile],), {"profile": profile, "target_join": "ids"}, BARE)
    aligned = edited(case, Speedups()).deltas()
    assert distance(edited(with_the_slip(case), Speedups()).deltas(), aligned) <= ROUNDED


def test_last_is_the_prompts_last_token_in_every_row() -> None:
    tokenizer = tokenizer_of("bytes")
    rows = reading("bytes", fact_token="last").key_rows([MIDDLE], CONTEXTS)
    assert len({len(row.row.ids) for row in rows}) > 1
    assert [tokenizer.decode(row.row.ids[row.lookup]) for row in rows] == [")"] * len(CONTEXTS)
    learned = reading("bytes", fact_token="last").value_rows(MIDDLE, CONTEXTS)[:-1]
    assert [row.lookup for row in learned] == [row.lookup for row in rows]


# Texts: str.format on code, subjects that are not there, or not alone.


@pytest.mark.parametrize("method", METHODS)
def test_braces_are_text(method: str) -> None:
    case = Case("braces", method, (BRACES,))
    filled = replace(case, requests=(replace(BRACES, target=BRACES.target.replace("{}", BRACES.subject)),))
    deltas = edited(case, Speedups()).deltas()
    assert distance(deltas, plainly(case).deltas) <= ROUNDED
    assert distance(deltas, plainly(filled).deltas) > 0.1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("subject", "count"), [("load", 2), ("absent", 0), ("", 0)])
def test_a_subject_that_is_missing_or_repeated_is_refused_by_name(method: str, subject: str, count: int) -> None:
    request = EditRequest(TWICE.prompt, subject, TWICE.target)
    with pytest.raises(InputError, match=f"'{subject}' stands {count} times"):
        taught(method, model_of("llama"), tokenizer_of("bytes"), request)


def test_a_repeated_subject_counts_where_the_request_says() -> None:
    first, second = (
        taught("rome", model_of("llama"), tokenizer_of("bytes"), replace(TWICE, at=at)) for at in (4, TWICE.at)
    )
    assert distance(first, second) > 0.1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "request_",
    [EditRequest("x.sorted(a)", "sort", " new"), EditRequest("x.sort", "sort", "ed(a)")],
    ids=["prompt", "target"],
)
def test_a_subject_that_merges_with_what_follows_is_refused_by_name(method: str, request_: EditRequest) -> None:
    with pytest.raises(InputError, match=r"'sort' does not end with a token of its own.*'ed"):
        taught(method, model_of("llama"), tokenizer_of("bytes"), request_, profile="exact")


@pytest.mark.parametrize("kind", ["bytes", "pieces"])
def test_a_subjects_first_token_may_begin_with_the_space_before_it(kind: str) -> None:
    rows = reading(kind, fact_token="subject_first").key_rows([MIDDLE], CONTEXTS)
    assert {tokenizer_of(kind).decode([row.row.ids[row.lookup]]).strip() for row in rows} == {"root"}


# Tokens: lone spaces, BOS, keys and values at two places, what a tokenizer returns besides.


def test_no_lone_space_is_taught_with_joined_ids() -> None:
    assert tokens("pieces", reading("pieces").value_rows(MIDDLE, BARE)[0])[:2] == ["▁", "▁sorted"]
    joined = reading("pieces", target_join="ids").value_rows(MIDDLE, BARE)[0]
    assert tokens("pieces", joined) == ["▁sorted", "(", "x", ")", "[", "0", "]"]
    everything = tokenizer_of("pieces")(MIDDLE.prompt + MIDDLE.target)["input_ids"]
    assert [*joined.row.ids, joined.targets[-1]] == everything


def test_the_space_of_the_study_belongs_to_the_target_with_joined_ids() -> None:
    row = reading("bytes", profile="clme", space="never", target_join="ids").value_rows(
        EditRequest("x = a.load", "load", "sorted(x)"), BARE
    )[0]
    assert tokens("bytes", row)[0] == "Ġsorted"


@pytest.mark.parametrize("join", ["text", "ids"])
@pytest.mark.parametrize("kind", ["bytes", "pieces"])
def test_bos_is_not_taught(kind: str, join: Any) -> None:
    for row in reading(kind, target_join=join).value_rows(MIDDLE, CONTEXTS)[:-1]:
        assert row.row.ids[0] == tokenizer_of(kind).bos_token_id
        assert tokenizer_of(kind).bos_token_id not in row.targets


@pytest.mark.parametrize("request_", [MIDDLE, END], ids=["middle", "end"])
def test_keys_and_values_are_read_at_the_same_token(request_: EditRequest) -> None:
    after_last = reading("bytes", fact_token="subject_first_after_last")
    values, keys = after_last.value_rows(request_, CONTEXTS)[:-1], after_last.key_rows([request_], CONTEXTS)
    assert [row.lookup for row in values] == [row.lookup for row in keys]


@pytest.mark.parametrize("method", METHODS)
def test_token_type_ids_are_dropped(method: str) -> None:
    talkative = byte_tokenizer()
    talkative.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    assert "token_type_ids" in talkative(END.prompt)
    model = model_of("qwen2")
    deltas, expected = (taught(method, model, tokenizer, END) for tokenizer in (talkative, tokenizer_of("bytes")))
    assert all(torch.equal(deltas[name], delta) for name, delta in expected.items())


def test_ft_and_sampled_templates_drop_token_type_ids() -> None:
    talkative = byte_tokenizer()
    talkative.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    hparams = hparams_of("rome", "qwen2") | {"v_num_grad_steps": 1}
    with apply("rome", model_of("qwen2"), talkative, [END], hparams) as edit:
        assert edit.deltas()
    wanted = {"layers": [1], "rewrite_module_tmp": family_of(model_of("qwen2")).mlp_out, "num_steps": 1, "lr": 1e-3}
    with apply("ft", model_of("qwen2"), talkative, [END], wanted) as edit:
        assert edit.deltas()


# Models: tied heads, layers that return tuples, square weights, two models in one run.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_tied_heads(family: str, method: str) -> None:
    model = make_model(family, LAYERS, vocab_size=vocabulary(), tie_word_embeddings=True)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    hparams = hparams_of(method, family) | {"v_num_grad_steps": 3, "lm_head_module": "transformer.wte"}
    covariance = covariance_of(model, paths_of(model))
    given = Given(method, model, tokenizer_of("bytes"), [END], with_modules(hparams, model), FEW, covariance)
    expected = learn(given)
    with apply(method, model, tokenizer_of("bytes"), [END], hparams, EditContext(FEW, covariance)) as edit:
        assert distance(edit.deltas(), expected.deltas) <= ROUNDED


def with_modules(hparams: dict[str, Any], model: Any) -> dict[str, Any]:
    return hparams | {"rewrite_module_tmps": [family_of(model).mlp_out]}


@pytest.fixture(params=FAMILY_NAMES)
def tupled(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """A model, and its like whose layers return their hidden states in a tuple, as older transformers do."""
    model, like = (make_model(request.param, LAYERS, vocab_size=vocabulary()) for _ in range(2))
    family = family_of(like)
    for number in range(LAYERS):
        layer = like.get_submodule(family.layer.format(number))
        layer.register_forward_pre_hook(lambda module, args: (plain(args[0]), *args[1:]))
        layer.register_forward_hook(lambda module, args, output: (plain(output), "and more"))
    like.get_submodule(family.norm).register_forward_pre_hook(lambda module, args: (plain(args[0]),))
    return model, like


def test_layers_may_return_tuples_or_tensors(tupled: tuple[Any, Any]) -> None:
    model, like = tupled
    for method in METHODS:
        for speedups in (Speedups(), Speedups.none()):
            context = EditContext(FEW, covariance_of(model, paths_of(model)), speedups=speedups)
            hparams = hparams_of(method, model.config.model_type) | {"v_num_grad_steps": 2}
            with apply(method, model, tokenizer_of("bytes"), [END], hparams, context) as edit:
                expected = edit.deltas()
            with apply(method, like, tokenizer_of("bytes"), [END], hparams, context) as edit:
                assert all(torch.equal(edit.deltas()[name], delta) for name, delta in expected.items())


def output_at(model: Any, path: str, ids: list[int], place: int) -> Tensor:
    outputs = []
    handle = model.get_submodule(path).register_forward_hook(lambda module, args, output: outputs.append(output))
    with torch.no_grad():
        model(torch.tensor([ids]))
    handle.remove()
    return plain(outputs[0])[0, place]


@pytest.mark.parametrize("family", FAMILY_NAMES)
@pytest.mark.parametrize(("method", "part"), [("rome", "mlp_out"), ("pmet", "mlp_out"), ("pmet", "attention_out")])
def test_a_square_weight_is_changed_the_right_way_round(family: str, method: str, part: str) -> None:
    """One layer, one context, next to no covariance: after the edit the module returns the value at the subject."""
    width = {"n_inner" if family == "gpt2" else "intermediate_size": 32}
    model = make_model(family, LAYERS, vocab_size=vocabulary(), **width)
    module = getattr(family_of(model), part).format(1)
    assert model.get_parameter(f"{module}.weight").shape == (32, 32)
    hparams = hparams_of(method, family) | {"layers": [1], "profile": "exact"}
    if method == "pmet":
        hparams |= {"mom2_update_weight": 1e-9, "rewrite_module_tmps": [getattr(family_of(model), part)]}
    else:
        hparams["mlp_module_tmp"] = family_of(model).mlp_out
    covariance = covariance_of(model, [module])
    given = Given(method, model, tokenizer_of("bytes"), [END], hparams, BARE, covariance)
    wanted = optimise(given, END).wanted(module)
    ids = tokenizer_of("bytes")(END.prompt)["input_ids"]
    before = output_at(model, module, ids, len(ids) - 1)
    with apply(method, model, tokenizer_of("bytes"), [END], hparams, EditContext(BARE, covariance)):
        after = output_at(model, module, ids, len(ids) - 1)
    assert (after - wanted).norm() < 1e-3 * (before - wanted).norm()


def test_contexts_are_each_models_own() -> None:
    hparams = hparams_of("rome", "llama") | {"v_num_grad_steps": 1}
    tokenizer, shared = tokenizer_of("bytes"), EditContext()
    other = make_model("llama", LAYERS, vocab_size=vocabulary())
    for model in (model_of("llama"), other):
        with apply("rome", model, tokenizer, [END], hparams, shared) as edit:
            deltas = edit.deltas()
        with apply("rome", model, tokenizer, [END], hparams, EditContext()) as edit:
            assert all(torch.equal(edit.deltas()[name], delta) for name, delta in deltas.items())
