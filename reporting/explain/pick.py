"""The choice of one verdict of a file, by a sample id, the beginning of one, TASK_ID or TASK_ID:INDEX."""

import difflib
from pathlib import Path

from ...schemas.errors import InputError
from ...schemas.jsonl import read_rows
from ...schemas.verdicts import Verdict
from ..read.verdict_files import Tally

EXACT, TASK, PREFIX = range(3)  # the ways to match, the surest first: one that matches hides those after it
SHORT = 12  # hex digits of a sample id in a message


def pick_verdict(path: Path, wanted: str) -> Verdict:
    """Return the verdict of `path` that `wanted` means; a sample that stands twice counts once, by its first row.

    Raises InputError for a file that cannot be read, and when no verdict or more than one matches. A last line that
    was cut short is left out: the judge may be at work.
    """
    first: dict[int, Verdict] = {}
    matches = {way: Tally() for way in (EXACT, TASK, PREFIX)}
    seen: set[str] = set()
    tasks: set[str] = set()
    for row in read_rows(path, "verdict", on_torn_end=lambda line: None):
        verdict = Verdict.from_row(row.data)
        tasks.add(verdict.task_id)
        way = _match(verdict, wanted)
        if way is not None and verdict.sample_id not in seen:
            seen.add(verdict.sample_id)
            first.setdefault(way, verdict)
            matches[way].add(_name(verdict))
    if not first:
        raise InputError(f"{path} has no verdict of the sample {wanted!r}. {_hint(wanted, tasks)}")
    surest = min(first)
    found = matches[surest]
    if found.count > 1:
        raise InputError(f"{wanted!r} means {found.count} verdicts in {path}: {found}. Give one's id to --sample.")
    return first[surest]


def _match(verdict: Verdict, wanted: str) -> int | None:
    task, index = verdict.task_id.casefold(), verdict.sample_index
    if verdict.sample_id == wanted:
        return EXACT
    if wanted.casefold() in ({task} if index is None else {task, f"{task}:{index}"}):
        return TASK
    return PREFIX if wanted and verdict.sample_id.startswith(wanted) else None


def _name(verdict: Verdict) -> str:
    """Return what tells a verdict from its neighbours: a short id, its task and number, its model and edit."""
    number = "" if verdict.sample_index is None else f":{verdict.sample_index}"
    setting = (verdict.model, verdict.method, verdict.regime, verdict.step)
    words = [f"{verdict.task_id}{number}", *(str(value) for value in setting if value is not None)]
    return f"{verdict.sample_id[:SHORT]} ({' '.join(' '.join(words).split())})"


def _hint(wanted: str, tasks: set[str]) -> str:
    near = difflib.get_close_matches(wanted.rpartition(":")[0] or wanted, sorted(tasks), n=3, cutoff=0.4)
    names = f" Near: {', '.join(near)}." if near else ""
    return f"Give a sample_id of that file, the start of one, TASK_ID, or TASK_ID:INDEX.{names}"
