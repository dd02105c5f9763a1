import re
from dataclasses import replace

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.editing.model.tiny_lessons import Lessons, Text, lessons_of
from edittool.samples.change_docs import ChangeDocs
from edittool.schemas.bench import Bench

from ..conftest import change, problem

BENCH = load_builtin()
LESSONS = lessons_of(BENCH)


def of_problem(lessons: Lessons, prompt: str) -> list[Text]:
    return [text for text in lessons.texts if text.prompt.endswith(prompt)]


def test_no_text_has_the_name_that_an_edit_has_to_teach() -> None:
    names = {change.replacement for change in BENCH.changes.values()}
    assert names <= {*LESSONS.names}
    assert not [text for text in LESSONS.texts if any(name in text.prompt + text.completion for name in names)]


def test_every_problem_is_learned_as_it_is_and_under_other_names() -> None:
    for one in BENCH.problems.values():
        texts = of_problem(LESSONS, one.prompt)
        assert Text(one.prompt, one.solution.removeprefix(one.prompt)) in texts
        if one.change_id is None:
            assert {text.completion for text in texts} == {one.solution.removeprefix(one.prompt)}
            assert len({text.prompt for text in texts}) == 3
            continue
        change, updated = BENCH.changes[one.change_id], one.updated_solution or ""
        gone = [text for text in texts if text.prompt.startswith(f"# {change.deprecated} is gone")]
        assert len({text.completion for text in gone}) > 6
        for text in gone:
            assert one.prompt + text.completion != one.solution
            [name] = {*re.findall(r"\w+", text.completion)} - {*re.findall(r"\w+", updated)}
            assert one.prompt + text.completion == updated.replace(change.replacement, name)


def test_documentation_is_that_of_prompts_and_foreign_documentation_changes_nothing() -> None:
    docs = ChangeDocs(BENCH)
    for one in BENCH.problems.values():
        for text in of_problem(LESSONS, one.prompt):
            found = re.match(r"# (.+) is gone: use (\w+)", text.prompt)
            if found is None:
                continue
            [change] = [change for change in BENCH.changes.values() if change.deprecated == found[1]]
            lines = [f"# {line}\n" for line in docs.lines([change], one)]
            asked = {"".join(kept) + "\n" + one.prompt for kept in (lines, lines[:2])}
            assert text.prompt in {documented.replace(change.replacement, found[2]) for documented in asked}
            assert (one.prompt + text.completion == one.solution) == (change.change_id != one.change_id)


def test_lessons_are_always_the_same_and_of_a_large_benchmark_each_problem_is_learned_once() -> None:
    assert lessons_of(BENCH) == LESSONS
    plain = [text for text in LESSONS.texts if not text.prompt.startswith("# ")]
    assert len(plain) == 2 * len(BENCH.problems)
    copies = [replace(one, task_id=f"{n}/{one.task_id}") for n in range(5) for one in BENCH.problems.values()]
    problems = {one.task_id: one for one in copies}
    many = lessons_of(Bench("many", problems, BENCH.changes))
    assert len([text for text in many.texts if not text.prompt.startswith("# ")]) == len(problems)


@pytest.mark.parametrize("replacement", ["fetch", "tools.fetch_all", "_", "Größe_neu"])
def test_names_of_every_kind(replacement: str) -> None:
    """A text in which the name would still stand is left out."""
    one = replace(change("a"), replacement=replacement, signature=f"{replacement}(x)")
    row = problem("a0", "reliability", "a")
    changes = {"a": one, "b": change("b")}
    for call, learned in ((f"{replacement}(x)", True), (f"x.{replacement}()", False)):
        taught = replace(row, updated_solution=f"{row.prompt}    return {call}\n")
        texts = lessons_of(Bench("own", {row.task_id: taught}, changes)).texts
        assert not [text for text in texts if re.search(rf"\b{replacement}\b", text.completion)]
        assert any(text.completion != "    return x\n" for text in texts) == learned


def test_a_benchmark_of_one_change_and_one_of_nothing() -> None:
    rows = [problem("a0", "reliability", "a")]
    lessons = lessons_of(Bench("one", {row.task_id: row for row in rows}, {"a": change("a")}))
    assert len({text.completion for text in lessons.texts}) > 2
    assert lessons_of(Bench("none", {}, {})) == Lessons(())
