"""Samples that several files of one import have: all are taken, and a person is told, as all of them count."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ...schemas.problems import Problem
from ...schemas.samples import Sample

_HASH: Final = 16  # bytes
_NOTES: Final = 5


@dataclass(slots=True)
class Repeats:
    """Finds programs that a file has for a task and setting which an earlier file has too.

    Of each sample it keeps a hash, of a completion two.
    """

    _first: dict[bytes, str] = field(default_factory=dict)
    _pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, file: str, sample: Sample, problem: Problem) -> None:
        """Note a sample that stands in `file`; the blank lines around its program do not matter."""
        if not (sample.solution or sample.completion or "").strip():
            return  # two answers without a program are not one twice
        programs = {sample.program(problem).strip()}
        if sample.completion is not None:  # many are whole programs
            programs.add(sample.completion.strip())
        firsts = [self._first.setdefault(_hash(sample.setting(), program), file) for program in sorted(programs)]
        first = next((one for one in firsts if one != file), None)
        if first is not None:
            self._pairs[first, file] += 1

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each of the pairs of files that share most, and how many more there are."""
        for (first, file), count in self._pairs.most_common(_NOTES):
            yield f"{count} samples of {file} are the programs of {first} again: both count"
        if len(self._pairs) > _NOTES:
            yield f"{len(self._pairs) - _NOTES} more pairs of files have the same programs: all count"


def _hash(setting: str, program: str) -> bytes:
    text = f"{setting}\n{program}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_HASH).digest()
