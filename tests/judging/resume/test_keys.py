"""Which jobs are the same job: what decides a finding is in its key, and nothing else is."""

import shutil
from dataclasses import replace
from importlib.resources import files

import pytest

from edittool.judging.resume.keys import JobKeys, code_digest, setting_digest
from edittool.judging.sandbox.job import Job, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.schemas.problems import Test

from ..conftest import COUNT, LENGTH

JOB = Job("def count(items):\n    return len(items)\n", COUNT, (LENGTH,))
OTHER = replace(LENGTH, change_id="sum", deprecated="sum", replacement="my_builtin_sum")


def key(job: Job) -> bytes:
    return JobKeys().of(job)


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, program=JOB.program + "#\n"),
        replace(JOB, changes=()),
        replace(JOB, changes=(LENGTH, OTHER)),
        replace(JOB, changes=(replace(LENGTH, shim="def my_builtin_len(*, value):\n    return 0\n"),)),
        replace(JOB, changes=(replace(LENGTH, replacement="my_len"),)),
        replace(JOB, problem=replace(COUNT, tests=COUNT.tests[:-1])),
        replace(JOB, problem=replace(COUNT, tests=(*COUNT.tests[:-1], Test("x = 1", COUNT.tests[-1].code)))),
        replace(JOB, problem=replace(COUNT, entry_point="counted")),
        replace(JOB, problem=replace(COUNT, helpers="def helper(): ...\n")),
        replace(JOB, problem=replace(COUNT, change_id=None)),
        replace(JOB, problem=replace(COUNT, solution=COUNT.solution + "#\n")),
        replace(JOB, traced=("pop",)),
    ],
    ids=[
        "program",
        "no world",
        "larger world",
        "shim",
        "replacement",
        "fewer tests",
        "setup of a test",
        "entry point",
        "helpers",
        "label in question",
        "reference that the label is held against",
        "traced attributes",
    ],
)
def test_what_decides_a_finding_changes_the_key(other: Job) -> None:
    assert key(other) != key(JOB)


@pytest.mark.parametrize(
    "same",
    [
        replace(JOB, tag="another caller's"),
        replace(JOB, problem=replace(COUNT, task_id="another", prompt="")),
    ],
    ids=["tag", "name and prompt of the problem"],
)
def test_what_decides_nothing_leaves_the_key_as_it_is(same: Job) -> None:
    assert key(same) == key(JOB)


def test_the_problems_own_change_counts_only_where_it_is_active() -> None:
    bare = replace(JOB, changes=())
    assert key(bare) == key(replace(bare, problem=replace(COUNT, change_id=None, solution="")))


def test_keys_kept_from_earlier_jobs_change_nothing() -> None:
    keys = JobKeys()
    jobs = [JOB, replace(JOB, changes=()), replace(JOB, problem=replace(COUNT, helpers="x = 1\n")), JOB]
    assert [keys.of(job) for job in jobs] == [key(job) for job in jobs]


def test_the_setting_is_image_runtime_limits_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    options = SandboxOptions()
    others = [
        setting_digest(options, "sha256:b", "runc"),
        setting_digest(options, "sha256:a", "crun"),
        setting_digest(replace(options, limits=Limits(cpu_seconds=1)), "sha256:a", "runc"),
        setting_digest(replace(options, limits=Limits(memory_mib=512)), "sha256:a", "runc"),
        setting_digest(replace(options, cpus=0.5), "sha256:a", "runc"),
        setting_digest(replace(options, hash_seed=1), "sha256:a", "runc"),
        setting_digest(replace(options, jobs_per_container=2), "sha256:a", "runc"),
    ]
    mine = setting_digest(options, "sha256:a", "runc")
    assert len({mine, *others}) == 1 + len(others)
    assert setting_digest(replace(options, workers=7, pool=9, attempts=1), "sha256:a", "runc") == mine
    monkeypatch.setattr("edittool.judging.resume.keys.code_digest", lambda: "of another edittool")
    assert setting_digest(options, "sha256:a", "runc") != mine


def test_the_code_is_known_by_its_content() -> None:
    assert len(code_digest()) == 64


@pytest.mark.parametrize("changed", ["analysis/labels.py", "analysis/tree/queries/imports.scm"])
def test_other_code_or_another_query_is_other_code(changed, tmp_path, monkeypatch) -> None:
    for package in ("analysis", "judging", "schemas"):
        shutil.copytree(files(f"edittool.{package}"), tmp_path / f"edittool.{package}")
    before = code_digest()
    monkeypatch.setattr("edittool.judging.resume.keys.files", tmp_path.joinpath)
    assert code_digest.__wrapped__() == before
    package, _, path = changed.partition("/")
    with (tmp_path / f"edittool.{package}" / path).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert before == code_digest() != code_digest.__wrapped__()
