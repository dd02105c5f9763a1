"""The contexts around a prompt."""

from typing import Any

import pytest

from edittool.editing.context import EditContext
from edittool.editing.locate_then_edit.contexts import OPENINGS, find_templates
from edittool.schemas.errors import InputError


def test_the_bare_prompt_comes_first(llama: Any, tokenizer: Any) -> None:
    for given in (["So. {}"], ["{}", "So. {}"], ["So. {}", "{}"], [["{}"], ["So. {}"]]):
        assert find_templates(llama, tokenizer, EditContext(templates=given), [], "") == ["{}", "So. {}"]


@pytest.mark.parametrize("template", ["So.", "{} and {}"])
def test_a_template_has_one_place_for_the_prompt(llama: Any, tokenizer: Any, template: str) -> None:
    with pytest.raises(InputError, match=r"write \{\} once"):
        find_templates(llama, tokenizer, EditContext(templates=[template]), [], "")


def test_texts_of_the_model_itself(llama: Any, tokenizer: Any) -> None:
    context = EditContext(seed=3)
    found = find_templates(llama, tokenizer, context, [(5, 10), (8, 5)], "")
    assert len(found) == 1 + 10 + 5
    for place, template in enumerate(found[1:]):
        opening = OPENINGS[place // 2 if place < 10 else place - 10]
        assert template.startswith(opening)
        assert template.endswith(". {}")
        assert template.count("{") == template.count("}") == 1
    assert find_templates(llama, tokenizer, context, [(5, 10), (8, 5)], "") is found  # written once for a run


def test_the_seed_decides_them(llama: Any, tokenizer: Any) -> None:
    first, again, other = (
        find_templates(llama, tokenizer, EditContext(seed=seed), [(10, 5)], " ") for seed in (1, 1, 2)
    )
    assert first == again != other
