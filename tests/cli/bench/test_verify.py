"""`edittool bench verify` as a person meets it: the files, and the certification in the sandbox."""

import json

import pytest

from edittool.benchmark.builtin import load_builtin

from ..command import run
from ..small_data_set import write_jsonl
from .test_build import FULL_CHANGE, OWN


@pytest.fixture
def one(edittool, tmp_path):
    """Return a function that writes a benchmark of one problem, whose change is sorted, and returns its folder."""

    def write(solution, **fields):
        problem = OWN | {"solution": f"def f(xs):\n    return {solution}\n"} | fields
        problems = write_jsonl(tmp_path / "p.jsonl", [problem])
        changes = write_jsonl(tmp_path / "c.jsonl", [FULL_CHANGE])
        own = ("--problems", problems, "--changes", changes, "--no-certify", "-o", tmp_path / "b")
        assert edittool("bench", "build", *own)[0] == 0
        return tmp_path / "b"

    return write


def test_files_only(edittool):
    code, out, _ = edittool("bench", "verify", "builtin", "--files-only", "--json")
    assert code == 0
    assert json.loads(out) == {"bench": "builtin", "sha256": load_builtin().digest()}


def test_files_only_needs_no_engine(built):
    done = run("bench", "verify", built, "--files-only", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 0
    assert "12 problems" in done.stdout


def test_without_an_engine(built):
    done = run("bench", "verify", built, DOCKER_HOST="unix:///nowhere/docker.sock")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no Docker Engine at unix:///nowhere/docker.sock: there is no such socket. To fix it:" in done.stderr


@pytest.mark.usefixtures("docker_client")
def test_in_the_sandbox(edittool, one):
    code, out, err = edittool("bench", "verify", one("sorted(xs)"))
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["certified", "holds", "violated", "unknown", "unchecked"],
        ["reference_passes", "1", "0", "0", "0"],
        ["removal_fails", "1", "0", "0", "0"],
        ["updated_passes", "1", "0", "0", "0"],
        ["all_changes_pass", "1", "0", "0", "0"],
        ["rename_fails", "1", "0", "0", "0"],
    ]
    assert err.count("certifying under hash seed") == 3
    assert err.endswith("p is certified: all that was checked holds.\n")


@pytest.mark.usefixtures("docker_client")
def test_what_was_built_holds_under_other_hash_seeds(edittool, built):
    code, out, err = edittool("bench", "verify", built, "--hash-seeds", "5", "--json")
    certificate = json.loads(out)
    assert (code, certificate["holds"]) == (0, True)
    assert len(certificate["checks"]) == 12 + 3 * 10 + 12
    assert "certifying under hash seed 4" in err


def test_a_wrong_number_of_hash_seeds(edittool):
    code, out, err = edittool("bench", "verify", "builtin", "--hash-seeds", "0")
    assert (code, out) == (2, "")
    assert "0 is not in the range 1<=x<=100" in err


@pytest.mark.usefixtures("docker_client")
def test_a_problem_that_holds_under_one_hash_seed_only(edittool, one):
    """The order of a set of strings: "b" comes first under seed 0 or under a later one, not under all."""
    tests = [{"setup": "", "code": "assert candidate(['b', 'a']) == ['a', 'b']"}]
    unsteady = one("sorted(xs) if list(set('abcdefgh'))[0] in 'abcd' else xs", tests=tests)
    code, out, _ = edittool("bench", "verify", unsteady, "--hash-seeds", "8")
    assert code == 2
    assert "violated: own/ascending, reference_passes: failed, AssertionError" in out
    assert "(hash seed " in out


@pytest.mark.usefixtures("docker_client")
def test_a_wrong_problem(edittool, one):
    code, out, err = edittool("bench", "verify", one("xs[::-1]"), "--hash-seeds", "1")
    assert code == 2
    assert "violated: own/ascending, removal_fails: passed, workaround" in out
    assert "p is not certified: leave out or repair the problems named above" in err


@pytest.mark.usefixtures("docker_client")
def test_what_the_sandbox_could_not_judge(edittool, one):
    bench = one("sorted(xs)", helpers="1 / 0")
    code, out, err = edittool("bench", "verify", bench, "--hash-seeds", "1", "--json")
    certificate = json.loads(out)
    assert (code, certificate["holds"]) == (1, False)
    assert {check["state"] for check in certificate["checks"]} == {"unknown"}
    assert "p is not certified: the sandbox could not judge 5 of the checks" in err
