from dataclasses import replace
from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext
from edittool.editing.methods.table import find_method
from edittool.editing.requests import EditRequest
from edittool.editing.runs.asking import Asked
from edittool.editing.runs.preflight import check_prompts, check_requests
from edittool.schemas.errors import InputError

from ..conftest import make_model, problem
from ..short_runs import METHOD_HPARAMS

REQUEST = EditRequest("def root(x):\n", "root", "    return x ** 0.5\n")


def tokens(model: Any, tokenizer: Any, method: str, context: EditContext | None = None) -> int:
    """Return the shortest context of a model that takes the request."""
    for room in range(1, 100):
        model.config.max_position_embeddings = room
        try:
            check_requests(
                model, tokenizer, [REQUEST], find_method(method), METHOD_HPARAMS[method], context or EditContext()
            )
        except InputError:
            continue
        return room
    raise AssertionError("it does not fit")


# The last token is only predicted by ROME and its like, so it is not read; a context of theirs has 10 tokens and ". ".
@pytest.mark.parametrize(
    ("method", "between", "more"),
    [("ft", "", 0), ("grace", " ", 0), ("rome", " ", 11), ("memit", "", 11), ("pmet", "", 11)],
)
def test_a_request_and_its_context(model: Any, tokenizer: Any, method: str, between: str, more: int) -> None:
    ids = tokenizer(f"{REQUEST.prompt}{between}{REQUEST.target}")["input_ids"]
    assert tokens(model, tokenizer, method) == len(ids) + more


def test_templates_that_are_given(llama: Any, tokenizer: Any) -> None:
    template = "Sorted. {}"
    bare = tokens(llama, tokenizer, "rome", EditContext(templates=[]))
    given = tokens(llama, tokenizer, "rome", EditContext(templates=["{}", template]))
    assert given - bare == len(tokenizer(template)["input_ids"])


def test_what_is_too_long_is_named(llama: Any, tokenizer: Any) -> None:
    llama.config.max_position_embeddings = 5
    with pytest.raises(InputError, match=r"request for 'root', prompt 'def root.* tokens .*; the model reads 5\."):
        check_requests(llama, tokenizer, [REQUEST], find_method("ft"), METHOD_HPARAMS["ft"], EditContext())


@pytest.mark.parametrize("method", ["rome", "memit", "pmet"])
def test_a_subject_that_merges_is_told_by_an_outline(tokenizer: Any, method: str) -> None:
    with torch.device("meta"):
        outline = make_model("llama")
    merging = EditRequest("def sorted(x):\n", "sort", "    return x\n")
    with pytest.raises(InputError, match="'sort' does not end with a token of its own"):
        check_requests(outline, tokenizer, [merging], find_method(method), METHOD_HPARAMS[method], EditContext())


def test_a_prompt_leaves_room(llama: Any, tokenizer: Any) -> None:
    asked = replace(problem("long", "specificity", None), prompt="def long(x):\n" * 20)
    count = len(tokenizer(asked.prompt)["input_ids"])
    llama.config.max_position_embeddings = count + 1
    check_prompts(llama, tokenizer, [("t/long", Asked(asked.prompt))])
    llama.config.max_position_embeddings = count
    with pytest.raises(InputError, match=f"prompt of t/long has {count} tokens; the model reads from 1 to {count - 1}"):
        check_prompts(llama, tokenizer, [("t/long", Asked(asked.prompt))])
