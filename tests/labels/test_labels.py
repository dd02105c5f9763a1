"""Programs labelled by hand and run in the sandbox: the tool gives all their labels, and nearly all details."""

import ast
from collections import Counter
from dataclasses import replace

import docker
import pytest

from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.verdicts import CALLED, DETAILS_IN_WORDS

from .labelled import LABELS, OPTIONS, Judged, confusion, judge, own_changes, own_problems, problems, read_cases

CASES = read_cases()
LEAST = 400  # programs
LEAST_AGREEMENT = 0.97  # of details; of labels it is all


@pytest.fixture(scope="module")
def judged(docker_client: docker.DockerClient) -> list[Judged]:
    """Judge every program."""
    return judge(CASES, docker_client)


def test_the_label_is_that_of_a_careful_reader(judged, subtests, record_property):
    record_property("adoption labels", confusion(judged))  # shown below the results of the tests
    for each in judged:
        case, finding = each.case, each.finding
        with subtests.test(f"{case.family}: {case.name}"):
            assert finding.label == case.label, (case.why, finding)


def test_nearly_every_detail_is_that_of_a_careful_reader(judged):
    agreeing = sum(each.agrees for each in judged)
    assert agreeing >= LEAST_AGREEMENT * len(judged), confusion(judged)


def test_how_the_replacement_is_called_is_what_a_careful_reader_sees(judged, subtests):
    for each in judged:
        with subtests.test(f"{each.case.family}: {each.case.name}"):
            assert (each.finding.called or "unknown") == each.case.called, (each.case.why, each.finding)


def test_how_it_is_called_agrees_with_the_label(judged):
    found = {(each.finding.label, each.finding.called) for each in judged}
    assert found == {
        ("correct_adoption", "right"),
        ("correct_adoption", "ill_called"),  # refused once, which it caught
        *(("misuse", called) for called in (*CALLED, None)),
        *(("workaround", called) for called in CALLED),
        ("no_adoption", "not_called"),
    }


def test_every_program_really_ran(judged):
    assert [each.case.name for each in judged if each.finding.outcome == "sandbox_error"] == []
    limits = {"timeout", "out_of_memory", "output_limit", "crashed"}
    assert [each.case.name for each in judged if each.case.detail in limits - {each.finding.outcome}] == []
    assert [each.case.name for each in judged if each.case.detail == "bypass" and not each.finding.bypass] == []


def test_labels_follow_from_passing(judged):
    passing = {each.case.label for each in judged if each.finding.outcome == "passed"}
    failing = {each.case.label for each in judged if each.finding.outcome != "passed"}
    assert (passing, failing) == ({"correct_adoption", "workaround"}, {"misuse", "no_adoption"})


def test_the_matrix_counts_each_program_where_it_belongs(judged):
    case = replace(judged[0].case, label="workaround", detail="clean", why="for this test")
    finding = replace(judged[0].finding, label="misuse", label_detail="crashed")
    lines = confusion([*judged[1:], Judged(case, finding)]).splitlines()
    columns = lines[1].split()
    row = next(line.split() for line in lines[2:] if line.split()[0] == "workaround")
    assert columns == list(LABELS)
    assert row[1 + columns.index("misuse")] == "1"
    assert any("workaround clean by hand, misuse crashed by the tool" in line for line in lines)


def test_there_are_many_programs_and_no_two_are_the_same():
    assert len({"".join(case.program.split()) for case in CASES}) == len(CASES) >= LEAST


def test_names_are_unique():
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


def test_every_label_and_every_detail_is_reached():
    reached = {(case.label, case.detail) for case in CASES}
    assert reached == {(label, detail) for label, details in DETAILS_IN_WORDS.items() for detail in details}


def test_every_kind_of_api_and_every_usage_is_reached():
    changes = [problems()[case.task][1] for case in CASES]
    kinds = "builtin_function builtin_type module_function module_class module_constant builtin_method class_method"
    assert {change.kind for change in changes} == set(kinds.split())
    assert {change.usage for change in changes} == {"renamed", "reordered", "keyword_only", "packed", "function"}


def test_every_problem_that_has_a_change_is_tried():
    tried = {case.task for case in CASES}
    assert {task for task, (_, change) in problems().items() if change is not None} == tried


def test_programs_are_python_but_for_those_that_cannot_be_parsed():
    broken = {case.name for case in CASES if not _compiles(case.program)}
    cut_off = {case.name for case in CASES if case.source and case.detail == "does_not_compile"}
    assert broken == cut_off | {case.name for case in CASES if case.family == "unparsable"}


def _compiles(program: str) -> bool:
    try:
        compile(ast.parse(program), "program", "exec")
    except SyntaxError:
        return False
    return True


def test_the_problems_of_this_folder_need_their_change(docker_client):
    changes = {change.change_id: change for change in own_changes()}
    jobs = []
    for problem in own_problems():
        change = changes[problem.change_id]
        jobs += [
            Job(problem.solution, problem, (), ("passed", None, None)),
            Job(problem.solution, problem, (change,), ("failed", "no_adoption", "stale_use")),
            Job(problem.updated_solution, problem, (change,), ("passed", "correct_adoption", "clean")),
        ]
    for job, found in run_jobs(jobs, OPTIONS, docker_client):
        outcome = "failed" if found.outcome == "partial" else found.outcome  # an empty input may need no API
        assert (outcome, found.label, found.label_detail) == job.tag, job.program
