from collections.abc import Sequence
from typing import Any

import pytest

from edittool.editing import EditRequest, apply
from edittool.editing.methods.docs import DocsHparams
from edittool.editing.methods.hparams import hparams_of, read_hparams
from edittool.editing.methods.table import find_method
from edittool.schemas.errors import InputError


@pytest.mark.parametrize(
    ("most", "change_id", "edited", "documented"),
    [
        (4, "a", ["a"], ["a"]),
        (4, None, ["a"], ["a"]),
        (4, "a", ["a", "b", "c", "d"], ["a", "b", "c", "d"]),
        (3, "a", ["a", "b", "c", "d"], ["a", "c", "d"]),
        (3, "d", ["a", "b", "c", "d"], ["b", "c", "d"]),
        (3, None, ["a", "b", "c", "d"], ["b", "c", "d"]),
        (3, "z", ["a", "b", "c", "d"], ["b", "c", "d"]),  # a change that is not there yet is not told of
        (1, "a", ["a", "b"], ["a"]),
        (1, "z", ["a", "b"], ["b"]),
        (2, None, [], []),
    ],
)
def test_a_prompt_tells_of_its_own_change_and_the_newest_others(
    most: int, change_id: str | None, edited: Sequence[str], documented: Sequence[str]
) -> None:
    assert DocsHparams(most).documented(change_id, edited) == tuple(documented)


def test_no_preset_is_needed() -> None:
    assert read_hparams(None, find_method("docs"), "some-model").values == DocsHparams(4)
    assert hparams_of({"alg_name": "docs", "max_changes": 9}, find_method("docs")).values == DocsHparams(9)
    with pytest.raises(InputError, match="max_changes must be at least 1, not 0"):
        hparams_of({"max_changes": 0}, find_method("docs"))


def test_there_is_no_edit_to_make(llama: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match="edits no model"):
        apply("docs", llama, tokenizer, [EditRequest("a", "a", "b")], {})
