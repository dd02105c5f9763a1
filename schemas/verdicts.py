"""A verdict, and the words of its outcome, label, detail, failure and errors.

The dictionaries have a sentence for each word, in deciding order: a verdict has the first outcome, label or detail that
applies, and a report counts it under the first failure that applies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

from .problems import Problem

Stopped = Literal["timeout", "out_of_memory", "output_limit", "crashed"]
Outcome = Literal["sandbox_error", Stopped, "syntax_error", "load_error", "failed", "partial", "passed"]
Stage = Literal["parse", "load", "run"]
Label = Literal["correct_adoption", "misuse", "workaround", "no_adoption"]
LabelDetail = Literal[
    "mixed",
    "clean",
    "redefinition",
    "bypass",
    "unneeded_call",
    "dead_reference",
    "stale_use",
    "other_api",
    "reimplementation",
    "not_needed",
    "does_not_compile",
    "wrong_arguments",
    "wrong_import",
    "half_migration",
    Stopped,
    "wrong_result",
    "other",
]
Called = Literal["right", "ill_called", "not_called"]
Unresolved = Literal[
    "missing_name", "missing_import", "missing_attribute", "bad_call", "old_call", "missing_entry_point"
]
ErrorKind = Literal[
    Unresolved,
    "assertion",
    "exception",
    "syntax",
    "timeout",
    "out_of_memory",
    "process_limit",
    "output_limit",
    "exit",
    "signal",
    "protocol",
    "died",  # of a test: the error of the verdict says by what
    "sandbox",
    "no_program",  # the answer that the program was to be extracted from holds none
    "too_large",  # the program is longer than what the sandbox takes, and was not run
    "tests",  # the problem's own tests or helpers cannot run
]
Isolation = Literal["container", "recycled"]
Reused = Literal["cache", "duplicate"]

STOPPED: Final[tuple[Stopped, ...]] = get_args(Stopped)
CALLED: Final[tuple[Called, ...]] = get_args(Called)
LABELS: Final[tuple[Label, ...]] = get_args(Label)  # as tables have them; LABELS_IN_WORDS has them as they decide

# An API unresolved or ill-called: the program does not compile against the APIs of its world.
UNRESOLVED: Final[frozenset[Unresolved]] = frozenset(get_args(Unresolved))

OUTCOMES_IN_WORDS: Final[dict[Outcome, str]] = {
    "sandbox_error": "the sandbox or the problem's own tests failed: nothing is counted against the sample",
    "timeout": "the program reached the limit on its time",
    "out_of_memory": "the program reached the limit on its memory",
    "output_limit": "the program printed more than the limit",
    "crashed": "the program's process ended, or broke off the exchange of results",
    "syntax_error": "the program cannot be parsed",
    "load_error": "the program fails while it loads, before any test",
    "failed": "the program loads, and passes no test",
    "partial": "the program passes some tests, not all",
    "passed": "the program passes every test",
}

LABELS_IN_WORDS: Final[dict[Label, str]] = {
    "correct_adoption": "passed, and fails without what the replacement returned to it, which is not the program's own",
    "workaround": "passed without the replacement, or without needing it",
    "misuse": "did not pass, and names or called the replacement",
    "no_adoption": "did not pass, and does not know the replacement",
}

CALLED_IN_WORDS: Final[dict[Called, str]] = {
    "right": "called the replacement, which took each call and raised in none, and its value may reach the result",
    "ill_called": (
        "called the replacement so that it refuses or raises, as an attribute of a value, or for nothing, its value "
        "thrown away"
    ),
    "not_called": "made no call of the replacement that ran",
}

_STOPPED_IN_WORDS: Final[dict[str, str]] = {
    "timeout": "ended by the limit on its time",
    "out_of_memory": "ended by the limit on its memory",
    "output_limit": "ended by the limit on its output",
    "crashed": "its process ended, or broke off the exchange of results",
}

# The keys are of LabelDetail. A detail that two rules of a label give stands where the first of them does.
DETAILS_IN_WORDS: Final[dict[Label, dict[str, str]]] = {
    "correct_adoption": {
        "mixed": "the deprecated API is named too",
        "clean": "the deprecated API is not named",
    },
    "workaround": {
        "redefinition": "defines the replacement's name itself",
        "bypass": "reached the deprecated API past the world that removed it",
        "unneeded_call": "calls the replacement, and passes all the same where that does nothing or is wrong",
        "dead_reference": "names the replacement, and makes no call of it that it takes",
        "stale_use": "names the deprecated API where it is never reached, or where its failure is swallowed",
        "other_api": (
            "other functions or methods do the work: the result depends on calls of such that the reference lacks"
        ),
        "reimplementation": (
            "does the work itself: the result depends on loops, recursion, operators, slices or displays that can do "
            "it and that the reference lacks"
        ),
        "not_needed": "nothing does the work: neither stands where the reference has the deprecated API",
    },
    "misuse": {
        "does_not_compile": "cannot be parsed, or fails while it loads and no rule for that failure holds",
        "redefinition": "defines the replacement's name itself",
        "wrong_arguments": (
            "uses the replacement as the deprecated API was used, and it refuses: other arguments, an attribute of a "
            "value (`x.my_str_split(',')`), or a constant's replacement without a call"
        ),
        "wrong_import": "imports the replacement from a place that does not have it",
        "half_migration": "uses the deprecated API too, and that is the first error, or one that it caught",
        **_STOPPED_IN_WORDS,
        "dead_reference": "names the replacement, and makes no call of it that it takes",
        "wrong_result": "calls the replacement, and is wrong or raises",
    },
    "no_adoption": {
        "does_not_compile": "cannot be parsed, or fails while it loads by no use of the deprecated API",
        "stale_use": "uses the deprecated API, and that is the first error, or one that it caught",
        **_STOPPED_IN_WORDS,
        "other": "wrong for another reason",
    },
}

# Why a program did not pass: reports sort verdicts into these by outcome and kinds of errors.
FAILURES: Final[dict[str, str]] = {
    "no_program": "the model's answer holds no program",
    "syntax": "cannot be parsed",
    "timeout": "reached the limit on its time",
    "out_of_memory": "reached the limit on its memory",
    "output_limit": "printed more than the limit",
    "crashed": "its process ended, or broke off the exchange of results",
    "missing_api": "uses a name, import or attribute that is not there: the removed API, or one that never was",
    "ill_called_api": "calls an API with arguments that it refuses",
    "missing_entry_point": "does not define the function that the tests call",
    "load": "fails while it loads, for another reason",
    "exception": "raises another exception in a test",
    "wrong_result": "runs, and its results are wrong",
    "unknown": "did not pass, and the verdict does not say why",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row of verdicts.jsonl; the fields, the sample's among them, are described in verdict.schema.json.

    `row` is the row as it was made or read, with the sample's fields that edittool does not know, and is what is
    written again. An attribute is None, empty or False where the row lacks an optional field; `attempts` is then 1.
    Another judge's `label_detail` and kinds of errors may be words that LabelDetail and ErrorKind do not have.
    """

    sample_id: str
    task_id: str
    compiles: bool
    tests_passed: int
    tests_total: int
    outcome: Outcome
    label: Label | None

    label_detail: str | None
    called: Called | None
    stage: Stage | None
    change_id: str | None
    error: Mapping[str, Any] | None
    tests: Sequence[Mapping[str, Any]]
    uses: Sequence[Mapping[str, Any]]
    calls: Mapping[str, int]
    failed_calls: Mapping[str, int]
    refused_calls: Mapping[str, int]
    disagreement: str
    opaque: bool
    bypass: Sequence[str]
    seen: Sequence[Mapping[str, Any]]
    again: Sequence[Mapping[str, Any]]
    output: str
    duration_ms: float | None
    cpu_ms: float | None
    peak_memory_kib: int | None
    attempts: int
    reused: Reused | None
    extracted: str | None
    program_sha256: str | None
    carried: Mapping[str, Any]

    image: str | None
    runtime: str | None
    isolation: Isolation | None
    limits: Mapping[str, Any]
    bench_sha256: str | None
    edittool: str | None

    completion: str | None
    solution: str | None
    sample_index: int | None
    active_changes: Sequence[str] | None
    model: str | None
    tokenizer: str | None
    method: str | None
    regime: str | None
    step: int | None
    edited: Sequence[str]
    undone: Sequence[str]
    edit: Mapping[str, Any] | None
    seed: int | None
    hparams_sha256: str | None
    context_sha256: str | None
    mom2_dataset: str | None
    subject: str | None
    requests: str | None
    requests_per_change: int | None
    taught: Mapping[str, Any]
    target: str | None
    prompt_sha256: str | None
    dtype: str | None
    float32_matmul_precision: str | None
    luck: str | None
    engine: str | None
    docs: str | None
    docs_of: Sequence[str] | None
    style: str | None
    chat_template_sha256: str | None
    stops: Sequence[str]
    raw: str | None
    extraction: Mapping[str, Any]
    imported: Mapping[str, Any]

    row: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the record of a valid row."""
        get = row.get
        index, step, per_change = get("sample_index"), get("step"), get("requests_per_change")
        return cls(
            sample_id=row["sample_id"],
            task_id=row["task_id"],
            compiles=row["compiles"],
            tests_passed=row["tests_passed"],
            tests_total=row["tests_total"],
            outcome=row["outcome"],
            label=row["label"],
            label_detail=get("label_detail"),
            called=get("called"),
            stage=get("stage"),
            change_id=get("change_id"),
            error=get("error"),
            tests=get("tests", ()),
            uses=get("uses", ()),
            calls=get("calls", {}),
            failed_calls=get("failed_calls", {}),
            refused_calls=get("refused_calls", {}),
            disagreement=get("disagreement", ""),
            opaque=get("opaque", False),
            bypass=get("bypass", ()),
            seen=get("seen", ()),
            again=get("again", ()),
            output=get("output", ""),
            duration_ms=get("duration_ms"),
            cpu_ms=get("cpu_ms"),
            peak_memory_kib=get("peak_memory_kib"),
            attempts=get("attempts", 1),
            reused=get("reused"),
            extracted=get("extracted"),
            program_sha256=get("program_sha256"),
            carried=get("carried", {}),
            image=get("image"),
            runtime=get("runtime"),
            isolation=get("isolation"),
            limits=get("limits", {}),
            bench_sha256=get("bench_sha256"),
            edittool=get("edittool"),
            completion=get("completion"),
            solution=get("solution"),
            sample_index=None if index is None else int(index),  # JSON knows 1.0 for an integer
            active_changes=get("active_changes"),
            model=get("model"),
            tokenizer=get("tokenizer"),
            method=get("method"),
            regime=get("regime"),
            step=None if step is None else int(step),
            edited=get("edited", ()),
            undone=get("undone", ()),
            edit=get("edit"),
            seed=get("seed"),
            hparams_sha256=get("hparams_sha256"),
            context_sha256=get("context_sha256"),
            mom2_dataset=get("mom2_dataset"),
            subject=get("subject"),
            requests=get("requests"),
            requests_per_change=None if per_change is None else int(per_change),
            taught=get("taught", {}),
            target=get("target"),
            prompt_sha256=get("prompt_sha256"),
            dtype=get("dtype"),
            float32_matmul_precision=get("float32_matmul_precision"),
            luck=get("luck"),
            engine=get("engine"),
            docs=get("docs"),
            docs_of=get("docs_of"),
            style=get("style"),
            chat_template_sha256=get("chat_template_sha256"),
            stops=get("stops", ()),
            raw=get("raw"),
            extraction=get("extraction", {}),
            imported=get("imported", {}),
            row=row,
        )

    def to_row(self) -> dict[str, Any]:
        """Return the JSON object of this verdict: its fields in their order, and nothing that was not there."""
        return dict(self.row)

    def program(self, problem: Problem) -> str | None:
        """Return the whole program that was judged, which answers `problem`; None where the verdict has none."""
        if self.solution is not None:
            return self.solution
        return None if self.completion is None else problem.prompt + self.completion
