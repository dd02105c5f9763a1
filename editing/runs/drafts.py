"""Drafts: samples of an earlier run, as guesses at what an edited model writes."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.jsonl import read_rows

Drafts = Mapping[tuple[str, int], str]  # by task id and the sample's index


def read_drafts(path: Path, bench: Bench) -> Drafts:
    """Return what the model of the samples in `path` answered to the problems of `bench`.

    Any guess is right to use: each of its tokens is checked. Raises InputError for a file that is not of samples, one
    with two samples of the same index of a problem (such as of several edited models), and one without a sample for
    `bench`.
    """
    drafts: dict[tuple[str, int], str] = {}
    counted: Counter[str] = Counter()
    for row in read_rows(path, "sample"):
        task_id, index = row.data["task_id"], row.data.get("sample_index")
        key = task_id, counted[task_id] if index is None else int(index)  # JSON knows 1.0 for an integer
        counted[task_id] += 1
        if key in drafts:
            raise InputError(
                f"{path}, line {row.line}: sample {key[1]} of {key[0]} stands there twice, so the drafts are of more "
                "than one model. Give samples of the unedited model: `edittool edit --method none`."
            )
        drafts[key] = _answer(row.data)
    drafts = {key: draft for key, draft in drafts.items() if key[0] in bench.problems}
    if not drafts:
        raise InputError(
            f"{path} has no sample for a problem of {bench.name}. Give samples of the unedited model for the same "
            "benchmark: `edittool edit --method none`."
        )
    return drafts


def _answer(row: Mapping[str, object]) -> str:
    """Return what the model wrote after the prompt, as far as the row has it; of a whole program, nothing."""
    return str(row.get("raw", row.get("completion", "")))
