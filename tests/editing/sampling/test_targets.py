from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.editing.model.tokenizers import load_tokenizer
from edittool.editing.requests import EditRequest
from edittool.editing.sampling.targets import encode, text_after

from ..tokenizer_kinds import KINDS

TEXTS = ("def f(x):\n", "    return sorted(x)\n", "x =", " my_len(x)", "my_len(", ")", "\n", "é", "  ", "s", "sorted")


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp(request.param)
    KINDS[request.param](folder)
    return load_tokenizer(request.param, str(folder))


@given(prompt=st.lists(st.sampled_from(TEXTS), min_size=1).map("".join), target=st.sampled_from(TEXTS))
def test_the_target_s_tokens_come_back_as_its_text_after_the_prompt_s_own(kind: Any, prompt: str, target: str) -> None:
    before, after = encode(kind, EditRequest(prompt, "f", target, 0))
    assert before == kind(prompt)["input_ids"]
    assert after
    assert text_after(kind, before, after) == target


def test_tokens_that_follow_are_those_of_the_whole_text(tokenizer: Any) -> None:
    request = EditRequest("def f(x):\n", "f", "    return x\n")
    before, after = encode(tokenizer, request)
    assert before + after == tokenizer(request.prompt + request.target)["input_ids"]


def test_a_token_that_would_reach_over_the_boundary_is_not_written(tokenizer: Any) -> None:
    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text)["input_ids"]
        return found

    parts = [("sorted"[:end], "sorted"[end:]) for end in range(1, 6)]
    fused = [(prompt, target) for prompt, target in parts if ids("sorted")[: len(ids(prompt))] != ids(prompt)]
    assert fused
    for prompt, target in fused:
        before, after = encode(tokenizer, EditRequest(prompt, "s", target, 0))
        assert before == ids(prompt)
        assert [*before, *after] != ids("sorted")
        assert text_after(tokenizer, before, after) == target
