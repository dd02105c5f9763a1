"""One import: files in, samples and rejections out, each written as a whole."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ...analysis.extraction import Mode
from ...schemas.bench import MANIFEST, Bench
from ...schemas.errors import InputError
from ...schemas.json_text import dump_row
from ...schemas.problems import Problem
from ...schemas.whole_files import aside, write_faults
from ..prompts import Docs, PromptMaker
from ..task_ids import TaskFinder, Unknown
from .answers import Answer, Fault
from .find_tasks import FileTasks
from .opening import Document, Passed, documents
from .places import check_given_once, check_output, folder_of, rejected_path
from .readers.python_files import check_is_python
from .readers.rows import kind
from .readers.table import READERS
from .recognise import python_shape, telling_value
from .repeats import Repeats
from .samples_of import Maker, rejected_row, sample_of
from .shapes import SHAPE_NAMES, WHOLE_ANSWERS, ShapeName, is_flat, problems_of, shape_of
from .values import Value

_Write = Callable[[Mapping[str, Any]], None]
EXAMPLES: Final = 3  # of each reason that are kept for people to read
_OF_ROWS: Final[tuple[ShapeName, ...]] = ("human-eval", "evalplus", "chat")  # which problems might be taken for
_PROBLEMS: Final = "{} holds problems of {}, not samples. Give what a model answered to them."


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be imported: `shape` None has each file tell its own, `mode` None its own way of extraction.

    `model`, `method` and `docs` (what `edittool prompts --docs` showed the model) are what its caller says of all
    samples; None leaves it to the rows.
    """

    paths: Sequence[Path]
    bench: Bench
    output: Path
    shape: ShapeName | None = None
    mode: Mode | None = None
    model: str | None = None
    method: str | None = None
    docs: Docs | None = None

    def fields(self) -> Callable[[Problem], Mapping[str, Any]]:
        """Return a function that gives the fields of a problem's samples which the caller tells.

        Raises InputError for documentation of a benchmark without changes.
        """
        told = {"model": self.model, "method": self.method}
        of_all = {name: value for name, value in told.items() if value is not None}
        if self.docs is None:
            return lambda problem: of_all
        maker = PromptMaker(self.bench, "chat", self.docs)
        return lambda problem: maker.make(problem).docs_fields() | of_all


@dataclass(slots=True)
class FileCount:
    """How many answers a file, or the programs of a folder, gave."""

    name: str
    shape: ShapeName
    read: int = 0
    taken: int = 0


@dataclass(slots=True)
class Summary:
    """What an import did. `examples` has a few of each reason, in words; `notes` what a person should know."""

    output: Path
    rejected_file: Path
    files: dict[tuple[str, str], FileCount] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    matched: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    modes: dict[str, set[str]] = field(default_factory=dict)
    passed: Passed = field(default_factory=Passed)
    notes: list[str] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Return how many answers, and rows that gave none, were read."""
        return sum(file.read for file in self.files.values())

    @property
    def taken(self) -> int:
        """Return how many samples were made."""
        return sum(file.taken for file in self.files.values())

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        files = [
            {"file": one.name, "from": one.shape, "read": one.read, "taken": one.taken} for one in self.files.values()
        ]
        return {
            "output": str(self.output),
            "rejected_file": str(self.rejected_file) if self.rejected else None,
            "read": self.read,
            "taken": self.taken,
            "rejected": dict(sorted(self.rejected.items())),
            "files": files,
            "matched": dict(sorted(self.matched.items())),
            "extraction": dict(sorted(self.kinds.items())),
            "not_read": {reason: len(names) for reason, names in sorted(self.passed.names.items())},
            "notes": self.notes,
        }


def run_import(request: Request, on_read: Callable[[int], None] = lambda read: None) -> Summary:
    """Read what is given, and write the samples and what was rejected; `on_read` gets how much has been read.

    Every answer is taken or rejected with its reason. Where nothing was taken, the output stays as it was. Raises
    InputError for a file that is missing, broken, of no shape that is known, or would be overwritten; EnvironmentFault
    where a place cannot be written or a library is missing.
    """
    return _Import(request, on_read).run()


class _Import:
    def __init__(self, request: Request, on_read: Callable[[int], None]):
        self._request, self._on_read = request, on_read
        self._finder = TaskFinder(request.bench)
        self._maker = Maker(request.mode, request.fields())
        self._summary = Summary(request.output, rejected_path(request.output))
        self._repeats = Repeats()
        self._evalplus_ids = self._displaced = 0
        self._whole_answers: Counter[str] = Counter()
        self._beside: Counter[tuple[str, str]] = Counter()

    def run(self) -> Summary:
        output, rejected, summary = self._request.output, self._summary.rejected_file, self._summary
        check_given_once(self._request.paths)
        check_output(output, self._request.paths, self._request.bench.folder)
        for path in self._request.paths:
            if (path / MANIFEST).is_file():
                raise InputError(_PROBLEMS.format(path, "a benchmark"))
        with (
            folder_of(output),
            _written(rejected, lambda: bool(summary.rejected), keep=False) as reject,
            _written(output, lambda: summary.taken > 0, keep=True) as write,
        ):
            for path in self._request.paths:
                for document in documents(path, summary.passed):
                    self._import(document, path.parent, write, reject)
        summary.kinds = self._maker.kinds
        self._note()
        return summary

    def _import(self, document: Document, folder: Path, write: _Write, reject: _Write) -> None:
        shape = self._shape(document)
        if shape is None:
            return
        read = READERS[shape]
        tasks = FileTasks(self._finder, lambda: read(document))
        file = document.name.partition("/")[0] if document.suffix == ".py" and not document.alone else document.name
        count = self._summary.files.setdefault((file, shape), FileCount(file, shape))
        # EvalPlus has a folder for each run, with one for each task.
        place = str(folder / (PurePosixPath(document.name).parent.parent if shape == "evalplus-dir" else file))
        for found in read(document):
            count.read += 1
            made = self._take(found, tasks, shape, document.name)
            if isinstance(made, Fault):
                self._reject(made, document)
                reject(rejected_row(made, shape, document.name))
            else:
                count.taken += 1
                write(made)
                self._repeats.add(place, sample_of(made), self._request.bench.problems[made["task_id"]])
            self._on_read(self._summary.read)
        self._displaced += tasks.displaced

    def _take(self, found: Answer | Fault, tasks: FileTasks, shape: ShapeName, file: str) -> dict[str, Any] | Fault:
        if isinstance(found, Fault):
            return found
        known = tasks.find(found)
        if isinstance(known, Unknown):
            return Fault(found.place, known.reason, known.detail, found.row)
        made = self._maker.make(found, known, shape, file)
        if isinstance(made, dict):
            self._summary.matched[known.by] += 1
            self._summary.modes.setdefault(self._request.mode or found.mode, set()).add(shape)
            name = str(found.clues.names[0]) if found.clues.names else ""
            self._evalplus_ids += name.startswith("Mbpp/") and known.problem.task_id.startswith("MBPP/")
            if shape in ("human-eval", "evalplus") and isinstance(found.row, dict):
                more = next((one for one in WHOLE_ANSWERS if isinstance(found.row.get(one), str)), None)
                self._whole_answers.update([more] if more else [])
            self._beside.update([found.beside] if found.beside else [])
        return made

    def _reject(self, fault: Fault, document: Document) -> None:
        self._summary.rejected[fault.reason] += 1
        examples = self._summary.examples.setdefault(fault.reason, [])
        if len(examples) < EXAMPLES:
            where = f", line {fault.place.line}" if fault.place.line else ""
            within = fault.place.within or (f", {fault.place.member}" if document.suffix != ".py" else "")
            examples.append(f"{document.name}{where}{within if within != ', None' else ''}: {fault.detail}")

    def _shape(self, document: Document) -> ShapeName | None:
        """Return the shape of a file; None for one of no shape among others. Raises InputError for one given alone."""
        given = self._request.shape
        if given in ("folder", "evalplus-dir"):
            if document.alone:
                check_is_python(document)
            elif document.suffix != ".py":
                self._summary.passed.add("no program", document.name)
                return None
            return given
        if document.suffix == ".py" and given is None:
            return python_shape(document.inner)
        if document.suffix == ".eval":
            return given or "inspect"
        if given not in (None, *_OF_ROWS):
            return given
        first = self._telling_value(document)
        problems = problems_of(first.data) if first is not None else ""
        if problems == "a benchmark" or (problems and given is None):
            if document.alone:
                raise InputError(_PROBLEMS.format(document.name, problems))
            self._summary.passed.add(f"problems of {problems}", document.name)
            return None
        if given is not None:
            return given
        found = None if first is None else shape_of(first.data)
        if first is not None and is_flat(first.data) and not self._finder.has_length(len(first.data)):
            found = None  # a list of anything
        if first is not None and first.data in ({}, []) and document.alone:
            raise InputError(f"{document.name} holds no rows: there is nothing to import.")
        if found is None and document.alone:
            what = "holds no JSON" if first is None else _unknown(first.data)
            raise InputError(
                f"{document.name} {what}. `--from` names the shape of a file: {', '.join(SHAPE_NAMES)}; "
                "docs/samples.md says what each of them is."
            )
        if found is None:
            self._summary.passed.add("no shape that is known", document.name)
        return found

    def _telling_value(self, document: Document) -> Value | None:
        """Return what tells the shape of a file; None of one among others that cannot be read: it is passed over."""
        try:
            return telling_value(document)
        except InputError:
            if document.alone or self._request.shape is not None:
                raise
            return None

    def _note(self) -> None:
        maker, notes = self._maker, self._summary.notes
        if self._evalplus_ids:
            notes.append(
                f"{self._evalplus_ids} samples have ids of EvalPlus (Mbpp/), and the benchmark has the original MBPP: "
                "EvalPlus changed names and arguments of some problems, so correct programs for these may fail"
            )
        if self._displaced:
            notes.append(
                f"{self._displaced} entries of a list hold a program for another problem than that of their place, and "
                "nearly all others agree with theirs: the place was taken"
            )
        for name, count in self._whole_answers.items():
            notes.append(f"{count} rows also have the whole answer, in `{name}`: `--from chat` reads these")
        for (name, other), count in self._beside.items():
            notes.append(f"{count} rows also have `{other}`: `{name}` was taken")
        notes.extend(self._repeats.notes())
        if maker.unfit:
            notes.append(f"{maker.unfit} numbers that JSON lacks (NaN, Infinity) are carried as text")
        if maker.both:
            notes.append(
                f"{maker.both} rows have a completion beside the solution: the solution is the program, the completion "
                "is kept in `imported`"
            )
        if maker.renumbered:
            notes.append(f"{maker.renumbered} samples have a number that another of their task has: they got a new one")


def _unknown(value: Any) -> str:
    if isinstance(value, dict):
        shown = ", ".join(str(name) for name in list(value)[:8])
        return f"holds rows of no shape that is known (fields: {shown})"
    return f"is of no shape that is known ({kind(value)} comes first)"


@contextlib.contextmanager
def _written(path: Path, holds: Callable[[], bool], *, keep: bool) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that writes rows to `path`, which appears as a whole at the end where it `holds` any.

    Where it holds none, an old file stays with `keep`, and goes without.
    """
    try:
        with write_faults(path), aside(path) as temporary:
            with temporary.open("x", encoding="ascii", newline="\n") as file:

                def write(row: Mapping[str, Any]) -> None:
                    file.write(dump_row(row) + "\n")

                yield write
            if not holds():
                raise _Nothing
    except _Nothing:
        if not keep:
            with write_faults(path):
                path.unlink(missing_ok=True)


class _Nothing(Exception):  # noqa: N818  not an error: it has `aside` leave what is there
    """Nothing was written."""
