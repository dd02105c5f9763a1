"""What there is to say of files of samples: what the judge noticed in them, and which command reads other shapes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote

from ...judging.notices import Noticed
from ...samples.importing import recognise
from ...samples.importing.shapes import WORDS
from ...schemas.errors import RowsError

_KINDS = {"fences": "fences", "thinking": "<think> and the like", "tokens": "special tokens such as <|endoftext|>"}
_EXTRACT = "`edittool judge BENCH SAMPLES -o OTHER --extract auto`"


def notices_in_words(noticed: Noticed) -> Iterator[str]:
    """Yield a line for each thing that was noticed."""
    looks, skipped, foreign = noticed.looks, noticed.skipped, noticed.foreign
    if noticed.extraction:
        yield f"programs taken from {noticed.extraction.total()} answers: {_counts(noticed.extraction)}"
    if looks["answers"]:
        yield from _answers_in_words(looks, bool(noticed.extraction))
    if looks["with_prompt"]:
        yield (
            f"{looks['with_prompt']} solutions parse only with the prompt in front: they are bodies, not whole "
            f"programs. Put them in the field completion, or give {_EXTRACT}"
        )
    if looks["without_prompt"]:
        yield (
            f"{looks['without_prompt']} completions parse only without the prompt in front: they are whole programs. "
            f"Put them in the field solution, or give {_EXTRACT}"
        )
    if looks["stripped"]:
        yield (
            f"{looks['stripped']} completions parse only with their first line indented: what wrote them took spaces "
            f"off the answer. {_EXTRACT} puts them back"
        )
    if looks["marked"]:
        yield (
            f"{looks['marked']} samples begin with a byte order mark (U+FEFF), and Python reads no program with one. "
            f"{_EXTRACT} takes it off"
        )
    if looks["unnamed"]:
        yield f"{looks['unnamed']} solutions do not name the function that the tests call"
    if looks["evalplus"]:
        yield (
            f"{looks['evalplus']} task ids are EvalPlus's (Mbpp/2), and the benchmark has the original MBPP: EvalPlus "
            "changed names, arguments and tests, so some programs that are right for it fail here (43 of 378 "
            "references of MBPP+ do). A benchmark with its tests: `edittool bench build --mbpp-plus FILE`"
        )
    if looks["verdicts"]:
        yield (
            f"{looks['verdicts']} rows are verdicts of an earlier judge: their programs are judged again, in the "
            "worlds that they name; what was found then is carried"
        )
    if skipped:
        what = "samples are of problems that the benchmark does not have"
        yield f"{skipped.total()} {what}: skipped ({_counts(skipped)})"
    if foreign:
        yield (
            f"fields with values of a foreign type, kept under carried, not read: {_counts(foreign, 'in {} samples')}"
        )
    if looks["unfit"]:
        yield f"{looks['unfit']} numbers that JSON does not have, such as NaN, are carried as text"


def _answers_in_words(looks: Counter[str], extracted: bool) -> Iterator[str]:
    kinds = ", ".join(f"{looks[kind]} with {words}" for kind, words in _KINDS.items() if looks[kind])
    what = f"{looks['answers']} samples look like answers, not programs, and do not parse ({kinds})"
    if extracted:
        yield f"{what}, as extracted"
        return
    tried = (
        f"{looks['extracted']} of them"
        if looks["tried"] == looks["answers"]
        else (f"{looks['extracted']} of the first {looks['tried']}")
    )
    yield f"{what}; {tried} do once the program is taken out: {_EXTRACT}"


def _counts(counts: Counter[str], of: str = "") -> str:
    return ", ".join(f"{name} {of.format(count)}" if of else f"{count} {name}" for name, count in counts.most_common())


@contextmanager
def naming_the_importer(bench: str) -> Iterator[None]:
    """Say of a file that does not hold rows of samples which shape it has, and the command that reads that."""
    try:
        yield
    except RowsError as error:
        raise _with_shape(error, bench) from None


def _with_shape(error: RowsError, bench: str) -> RowsError:
    """Return the error that names the shape of the file, and the command that reads it; `error` where nobody does."""
    found = recognise(error.path)
    if found is None:
        return error
    command = f"`edittool import {quote(str(error.path))} --bench {quote(bench)} -o samples.jsonl`"
    unpacked = found.words.removesuffix(", packed with gzip")
    if unpacked == WORDS[found.shape] and unpacked.startswith("rows of "):  # the other rows may be samples as they are
        return RowsError(f"{error} {command} takes what can be taken of such a file, and lists the rest.", error.path)
    return RowsError(f"{error.path} is {found.words}, not one sample a line: {command} makes them of it.", error.path)
