import ast
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.benchmark.sources.mbpp import load_mbpp
from edittool.samples.change_docs import ChangeDocs
from edittool.samples.prompts import FIELDS, STOP, PromptMaker, PromptTemplate
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change, Example
from edittool.schemas.errors import InputError
from edittool.schemas.problems import Problem, Test

CHANGE = Change(
    "len", "len", "my_len", "keyword_only", "my_len(*, value)", "def my_len(*, value): ...", "Count.", order=1
)
OTHER = replace(CHANGE, change_id="abs", deprecated="abs", replacement="my_abs", signature="my_abs(x)", order=0)


def problem(task_id: str, subset: str, body: str, change_id: str | None = "len") -> Problem:
    prompt = f"def {task_id}(x):\n"
    program = prompt + f"    return {body}\n"
    tests = (Test("", f"assert {task_id}([]) == 0"),)
    return Problem(task_id, prompt, task_id, program, tests, subset, change_id, updated_solution=program)  # type: ignore[arg-type]


def bench(*problems: Problem, changes: tuple[Change, ...] = (CHANGE, OTHER)) -> Bench:
    return Bench("b", {one.task_id: one for one in problems}, {one.change_id: one for one in changes})


def test_an_example_is_of_another_reliability_problem_and_in_no_solution_of_the_one_that_is_asked() -> None:
    taught = problem("taught", "reliability", "my_len(value=x) + 1")
    second = problem("unlike", "reliability", "my_len(value=[*x, 2])")
    asked = problem("asked", "generalization", "my_len(value=x) * 2")
    unlike = problem("other", "generalization", "my_len(value={*x})")
    docs = ChangeDocs(bench(taught, second, asked, unlike))
    examples = {one.task_id: docs.example(CHANGE, one) for one in (taught, second, asked, unlike)}
    assert examples == {
        "taught": "my_len(value=[*x, 2])",
        "unlike": "my_len(value=x)",
        "asked": "my_len(value=[*x, 2])",
        "other": "my_len(value=x)",
    }


def test_no_example_where_all_would_tell() -> None:
    alone = problem("alone", "reliability", "my_len(value=x)")
    hidden = problem("hidden", "generalization", "my_len(value=[x])")
    long = problem("long", "reliability", f"my_len(value=[{', '.join('x' * 99)}])")
    docs = ChangeDocs(bench(alone, hidden, long))
    assert docs.example(CHANGE, alone) is None
    assert docs.example(CHANGE, hidden) == "my_len(value=x)"
    assert docs.example(OTHER, hidden) is None


def test_an_example_of_the_changes_author_comes_first_unless_it_tells() -> None:
    change = replace(CHANGE, examples=(Example("len(x)", "my_len(value=x)"), Example("len(ys)", "my_len(value=ys)\n")))
    tells = problem("tells", "generalization", "my_len(value=x)")
    free = problem("free", "generalization", "my_len(value=[x])")
    docs = ChangeDocs(bench(tells, free, changes=(change,)))
    assert docs.example(change, tells) == "my_len(value=ys)"
    assert docs.example(change, free) == "my_len(value=x)"


def test_no_prompt_of_the_builtin_benchmark_shows_a_line_of_its_own_solutions() -> None:
    builtin = load_builtin()
    for docs in ("change", "all"):
        maker = PromptMaker(builtin, "chat", docs)
        for one in builtin.problems.values():
            shown = maker.make(one).text.replace(one.prompt, "")
            for solution in filter(None, (one.solution, one.updated_solution, one.fully_updated_solution)):
                lines = [line.strip() for line in solution.removeprefix(one.prompt).splitlines()]
                assert not [line for line in lines if len(line) > 15 and line in shown], one.task_id


def test_what_is_documented(subtests: pytest.Subtests) -> None:
    own, others = (
        problem("own", "reliability", "my_len(value=x)"),
        [problem(f"s{n}", "specificity", "x", None) for n in range(3)],
    )
    of = bench(*others, own)
    rows = {
        "none": {"own": (), "s0": (), "s1": (), "s2": ()},
        "change": {"own": ("len",), "s0": ("abs",), "s1": ("len",), "s2": ("abs",)},
        "all": dict.fromkeys(("own", "s0", "s1", "s2"), ("abs", "len")),
    }
    for docs, expected in rows.items():
        with subtests.test(docs):
            maker = PromptMaker(of, "complete", docs)  # type: ignore[arg-type]
            assert {one.task_id: maker.make(one).documented for one in (own, *others)} == expected
    fields = PromptMaker(of, "complete", "change").make(others[0]).sample_fields()
    assert fields["active_changes"] == ["abs"]
    assert "active_changes" not in PromptMaker(of, "complete", "change").make(own).sample_fields()
    assert "active_changes" not in PromptMaker(of, "complete", "all").make(others[0]).sample_fields()


def test_documentation_needs_changes() -> None:
    with pytest.raises(InputError, match="no changes"):
        PromptMaker(bench(problem("p", "specificity", "x", None), changes=()), "chat", "change")


def test_a_plain_prompt_has_the_digest_that_edit_writes() -> None:
    one = problem("p", "reliability", "my_len(value=x)")
    prompt = PromptMaker(bench(one), "complete").make(one)
    assert prompt.text == one.prompt
    assert prompt.sha256() == hashlib.sha256(one.prompt.encode()).hexdigest()
    chat = PromptMaker(bench(one), "chat").make(one)
    assert chat.sha256() == hashlib.sha256(json.dumps(chat.messages).encode()).hexdigest()
    assert one.prompt in chat.text
    assert chat.stop == ()


def test_documentation_in_front_of_a_program_is_comments() -> None:
    change = replace(CHANGE, doc="Count.\nimport os", examples=(Example("a", "my_len(\n    value=y,\n)"),))
    one = problem("p", "generalization", "x")
    text = PromptMaker(bench(one, changes=(change,)), "complete", "change").make(one).text
    assert len(ast.parse(text + "    pass\n").body) == 1
    assert "#              value=y," in text


def test_a_prompt_with_fences_is_fenced_by_more() -> None:
    one = replace(problem("p", "reliability", "x"), prompt='def p(x):\n    """```` and ```"""\n')
    assert "`````python\ndef p(x)" in PromptMaker(bench(one), "chat").make(one).text


def test_no_reference_has_a_stop_word(datasets: Path) -> None:
    problems = [*load_builtin().problems.values(), *load_humaneval(datasets / "HumanEval.jsonl")]
    problems += load_mbpp(datasets / "mbpp.jsonl")
    solutions = [(one.task_id, one.solution.removeprefix(one.prompt)) for one in problems]
    solutions += [(one.task_id, (one.fully_updated_solution or "").removeprefix(one.prompt)) for one in problems]
    assert [(task_id, word) for task_id, text in solutions for word in STOP if word in text] == []
    assert len(STOP) <= 4  # OpenAI's limit


TEMPLATES = [
    ("Ask:\n$prompt", "complete", "none", None),
    ("$docs\n${prompt}\n", "complete", "change", None),
    ("$$5 for $prompt $entry_point $task_id $fence", "chat", "none", None),
    ("a\nb $promt c", "chat", "none", "line 2: there is no field $promt"),
    ("$prompt\n\n$ 5", "chat", "none", r"line 3: a $ without"),
    ("ask\n", "chat", "none", "does not have the field $prompt"),
    ("$prompt", "chat", "all", "does not have the field $docs"),
    ("$prompt\nthanks", "complete", "none", "line 1: text after $prompt"),
    ("$$prompt", "chat", "none", "does not have the field $prompt"),
]


def test_templates(tmp_path: Path, subtests: pytest.Subtests) -> None:
    path = tmp_path / "t.txt"
    for text, style, docs, fault in TEMPLATES:
        with subtests.test(text):
            path.write_text(text)
            if fault is None:
                assert PromptTemplate.read(path, style, docs).text == text.removesuffix("\n")  # type: ignore[arg-type]
            else:
                with pytest.raises(InputError) as error:
                    PromptTemplate.read(path, style, docs)  # type: ignore[arg-type]
                assert fault in str(error.value)
                assert str(path) in str(error.value)


def test_how_an_editor_saved_a_template_changes_nothing(tmp_path: Path) -> None:
    path, read = tmp_path / "t.txt", []
    for data in (b"Ask:\n$prompt", b"Ask:\r\n$prompt\r\n", b"\xef\xbb\xbfAsk:\n$prompt\n"):
        path.write_bytes(data)
        read.append(PromptTemplate.read(path, "chat", "none"))
    assert read == [read[0]] * 3
    assert read[0].text == "Ask:\n$prompt"


@pytest.mark.parametrize(
    ("data", "fault"), [(b"\xff$prompt", "not UTF-8"), (b"x" * (2**20 + 1), "1 MiB"), (None, "path")]
)
def test_files_that_are_no_template(data: bytes | None, fault: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / "t").write_bytes(data)
    with pytest.raises(InputError, match=fault):
        PromptTemplate.read(tmp_path / "t", "chat", "none")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_a_template_and_a_problem_say_arrives_as_it_is(around: str, prompt: str) -> None:
    one = replace(problem("p", "reliability", "x"), prompt=prompt)
    template = PromptTemplate(around.replace("$", "$$") + "$prompt")
    assert PromptMaker(bench(one), "complete", template=template).make(one).text == around + prompt


def test_the_documented_fields_are_those_there_are() -> None:
    one = problem("p", "reliability", "x")
    template = PromptTemplate("".join(f"[${name}]" for name in FIELDS))
    text = PromptMaker(bench(one), "chat", template=template).make(one).text
    assert text == f"[{one.prompt}][][p][p][```]"
