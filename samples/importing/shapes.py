"""The shapes in which people publish samples: names, words, and how a file's first values tell them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from ...schemas.problems import is_problem

ShapeName = Literal[
    "human-eval",
    "evalplus",
    "evalplus-dir",
    "evalplus-results",
    "bigcode",
    "lm-eval",
    "inspect",
    "openai-batch",
    "chat",
    "folder",
]
SHAPE_NAMES: Final[tuple[ShapeName, ...]] = get_args(ShapeName)
TELLING: Final = 100  # so many of the first values of a file, or rows of an array, may tell what it is

# The fields that hold the program of a row in HumanEval's or EvalPlus's format.
COMPLETIONS, SOLUTIONS = ("completion", "completions"), ("solution", "solutions")
# The fields that hold a conversation; its last turn is the answer, or the model's last where no other field has one.
CONVERSATIONS = ("messages", "conversations", "conversation")
# The fields that hold a whole answer: the first that a row has, and that says something. What can only be the model's
# comes first, then what may be the right answer or the text of the problem as well.
WHOLE_ANSWERS = ("full_content", "raw_response", "raw_completion")
_OF_MODELS = (
    *WHOLE_ANSWERS,
    "code_list",
    "output_list",
    "model_output",
    "model_response",
    "prediction",
    "predictions",
    "generated_text",
    "generation",
    "generations",
    "response",
    "responses",
    "output",
    "outputs",
    "answer",
    "answers",
)
_OF_PROBLEMS_TOO = ("code", "content", "text", "choices")
ANSWERS = (*_OF_MODELS, *_OF_PROBLEMS_TOO, "result")

# What rows of data sets have besides their own programs, and no row of samples does without an answer.
_OF_DATA_SETS = {"canonical_solution", "test_list", "input_output"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape: its name for `--from`, what it is in words, and whether a value of a file is of it."""

    name: ShapeName
    words: str
    fits: Callable[[Any], bool]


def _is_inspect(value: Any) -> bool:
    return _is_mapping(value) and isinstance(value.get("eval"), dict) and "status" in value and "version" in value


def _is_evalplus_results(value: Any) -> bool:
    tasks = value.get("eval") if _is_mapping(value) else None
    if not isinstance(tasks, dict) or not tasks:
        return False
    return all(isinstance(task, list) or (isinstance(task, dict) and "nfiles" in task) for task in tasks.values())


def _is_openai_batch(value: Any) -> bool:
    return _is_mapping(value) and "custom_id" in value and ("response" in value or "error" in value)


def _is_lm_eval(value: Any) -> bool:
    return _is_mapping(value) and "doc" in value and ("resps" in value or "filtered_resps" in value)


def _is_evalplus(value: Any) -> bool:
    return _has_text(value, SOLUTIONS)


def _is_human_eval(value: Any) -> bool:
    return _has_text(value, COMPLETIONS)


def _is_bigcode(value: Any) -> bool:
    if not isinstance(value, list) or not any(isinstance(entry, list) for entry in value):
        return is_flat(value)
    return all(entry is None or _is_list_of_texts(entry) for entry in value)


def is_flat(value: Any) -> bool:
    """Say whether a value is a list of texts, as one program for each task is, and much else."""
    return _is_list_of_texts(value) and any(isinstance(text, str) for text in value)


def _is_list_of_texts(value: Any) -> bool:
    """Say whether a value is a list of texts, some of which may be missing."""
    return isinstance(value, list) and all(text is None or isinstance(text, str) for text in value)


def _is_chat(value: Any) -> bool:
    if not _is_mapping(value):
        return False
    if any(isinstance(value.get(name), list) for name in CONVERSATIONS):
        return True
    return any(value.get(name) or value.get(name) == "" for name in ANSWERS) or _maps_tasks(value)


def _is_sure(value: Any) -> bool:
    """Say whether a row tells the shape of its file: one of a chat does by its words, not by an empty text.

    Beside a completion that is missing, what may be of the problem, or a verdict, is no answer of a chat.
    """
    shape = _shape_of(value)
    if shape != "chat" or any(isinstance(value.get(name), list) for name in CONVERSATIONS) or _maps_tasks(value):
        return shape is not None
    names = _OF_MODELS if value.keys() & {*COMPLETIONS, *SOLUTIONS} else ANSWERS
    return any(value.get(name) for name in names)


def _maps_tasks(value: Mapping[str, Any]) -> bool:
    """Say whether an object has a task's name for each text, or for each list of texts."""
    named = bool(value) and all(any(character.isdigit() for character in str(name)) for name in value)
    return named and all(isinstance(one, str) or _is_list_of_texts(one) for one in value.values())


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _has_text(value: Any, names: tuple[str, ...]) -> bool:
    if not _is_mapping(value):
        return False
    given = [value.get(name) for name in names]
    return any(
        isinstance(one, str) or (isinstance(one, list) and any(isinstance(text, str) for text in one)) for one in given
    )


# The first that fits is the shape: a row of LLMDebugger has a solution beside what a chat might have.
SHAPES: Final[tuple[Shape, ...]] = (
    Shape("inspect", "a log of Inspect", _is_inspect),
    Shape("evalplus-results", "results of EvalPlus", _is_evalplus_results),
    Shape("openai-batch", "the output of an OpenAI batch", _is_openai_batch),
    Shape("lm-eval", "samples of lm-evaluation-harness", _is_lm_eval),
    Shape("evalplus", "rows of EvalPlus", _is_evalplus),
    Shape("human-eval", "rows of HumanEval", _is_human_eval),
    Shape("bigcode", "generations of bigcode-evaluation-harness", _is_bigcode),
    Shape("chat", "answers of a chat", _is_chat),
    Shape("evalplus-dir", "a folder of EvalPlus", lambda value: False),
    Shape("folder", "a folder of programs", lambda value: False),
)
WORDS: Final[Mapping[ShapeName, str]] = {shape.name: shape.words for shape in SHAPES}


def shape_of(value: Any) -> ShapeName | None:
    """Return the shape of a file that `value` tells; of an array of rows, that of the first row that tells one."""
    return None if problems_of(value) else _shape_of(_telling_row(value))


def problems_of(value: Any) -> str:
    """Return whose problems a file holds as `value` tells, "a benchmark" or "a data set"; "" for others."""
    return _problems_of(_telling_row(value))


def tells(value: Any) -> bool:
    """Say whether `value` tells surely what its file is, so that no value after it needs to be asked."""
    row = _telling_row(value)
    return bool(_problems_of(row)) or _is_sure(row)


def _telling_row(value: Any) -> Any:
    """Return what tells the shape of a value: itself, or of an array of rows the first that does so most surely."""
    rows = [row for row in value[:TELLING] if _is_mapping(row)] if isinstance(value, list) else []
    for tell in (lambda row: _problems_of(row) or _is_sure(row), _shape_of):
        for row in rows:
            if tell(row):
                return row
    return rows[0] if rows else value


def _shape_of(row: Any) -> ShapeName | None:
    return next((shape.name for shape in SHAPES if shape.fits(row)), None)


def _problems_of(row: Any) -> str:
    if not _is_mapping(row):
        return ""
    if is_problem(row):
        return "a benchmark"
    answers = {*_OF_MODELS, "result", *CONVERSATIONS, *COMPLETIONS, *SOLUTIONS[:1], "resps", "filtered_resps", "doc"}
    return "a data set" if row.keys() & _OF_DATA_SETS and not row.keys() & answers else ""
