"""Trials in the real sandbox: in order, none twice, and kept by all that decides them."""

import json
import threading
import time
from dataclasses import replace

import pytest

from edittool.analysis.uses.references import instrument
from edittool.benchmark.trials import Trials, open_trials
from edittool.judging.sandbox.job import Job, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.pool import OWNER_LABEL, owner_of_this_process
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import JsonlAppender
from edittool.schemas.problems import Problem, Test

from .sorted_change import SORTED

pytestmark = pytest.mark.usefixtures("docker_client")

PROBLEM = Problem(
    task_id="t/1",
    prompt="def f(x):\n",
    entry_point="f",
    solution="def f(x):\n    return sorted(x)\n",
    tests=(Test("", "assert candidate([2, 1]) == [1, 2]"), Test("", "assert candidate([3]) == [3]")),
    subset="reliability",
    change_id="sorted",
)
BROKEN = replace(PROBLEM, helpers="1 / 0")
RIGHT, WRONG = PROBLEM.solution, "def f(x):\n    return x\n"
ADOPTED = "def f(x):\n    return my_builtin_sorted(values=x)\n"

OPTIONS = SandboxOptions(limits=Limits(cpu_seconds=0.2, wall_seconds=2), workers=2, attempts=1)


def rows(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def is_known(job, log, hash_seed=0, **options):
    """Say whether Trials know from `log` what comes of `job`; what they have to run, they add to it."""
    before = log.read_bytes().count(b"\n") if log.exists() else 0
    with open_trials(replace(OPTIONS, **options), log) as trials:
        trials.run([job], hash_seed)
    return log.read_bytes().count(b"\n") == before


def test_results_stand_in_the_order_of_the_jobs():
    slow = f"import time\ntime.sleep(0.3)\n{RIGHT}"
    jobs = [Job(slow, PROBLEM), *(Job(f"{text}# {n}\n", PROBLEM) for n in range(20) for text in (WRONG, RIGHT))]
    with open_trials(OPTIONS) as trials:
        outcomes = [trial.outcome for trial in trials.run(jobs)]
    assert outcomes == ["passed", *["partial", "passed"] * 20]


def test_a_trial_says_what_came_of_it():
    with open_trials(OPTIONS) as trials:
        adopted, wrong, stale = trials.run(
            [Job(ADOPTED, PROBLEM, (SORTED,)), Job(WRONG, PROBLEM), Job(RIGHT, PROBLEM, (SORTED,))]
        )
    assert str(adopted) == "passed, correct_adoption (clean)"
    assert (adopted.outcome, adopted.label, adopted.label_detail, adopted.error) == (
        "passed",
        "correct_adoption",
        "clean",
        "",
    )
    assert (wrong.outcome, wrong.label) == ("partial", None)
    assert str(stale) == "failed, no_adoption (stale_use), NameError: name 'sorted' is not defined"
    assert adopted.cpu_ms > 0


def test_what_was_measured_is_no_part_of_what_a_trial_says():
    with open_trials(OPTIONS) as trials:
        [endless] = trials.run([Job("while True: pass\n", PROBLEM)])
    assert str(endless) == "timeout"


def test_a_job_that_is_asked_twice_runs_once_and_every_job_is_counted(tmp_path):
    log, counted = tmp_path / "log", []
    with open_trials(OPTIONS, log) as trials:
        made = trials.run([Job(RIGHT, PROBLEM), Job(WRONG, PROBLEM), Job(RIGHT, PROBLEM)], 0, lambda: counted.append(1))
        assert len(counted) == 3
        assert made[0] is made[2]
        assert len(rows(log)) == 2
        trials.run([Job(WRONG, PROBLEM)], 0, lambda: counted.append(1))
        assert len(counted) == 4
    assert len(rows(log)) == 2


def test_what_the_log_knows_needs_no_container(tmp_path):
    traced = instrument("def f(x):\n    x.sort()\n    return x\n")
    jobs = [Job(RIGHT, PROBLEM), Job(traced.program, PROBLEM, traced=("sort",)), Job(ADOPTED, PROBLEM, (SORTED,))]
    with open_trials(OPTIONS, tmp_path / "log") as trials:
        made = trials.run(jobs)
    assert made[1].trace == ((0, ("list",)),)
    kept, counted = (tmp_path / "log").read_bytes(), []
    with open_trials(OPTIONS, tmp_path / "log") as trials:
        assert trials.run(jobs, 0, lambda: counted.append(1)) == made
        assert len(counted) == 3
    assert (tmp_path / "log").read_bytes() == kept


def test_without_a_log_nothing_is_kept(tmp_path):
    with open_trials(OPTIONS) as trials:
        trials.run([Job(RIGHT, PROBLEM)])
    assert not is_known(Job(RIGHT, PROBLEM), tmp_path / "log")


def test_what_was_found_before_an_interruption_is_kept(tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    with open_trials(OPTIONS, tmp_path / "log") as trials, pytest.raises(KeyboardInterrupt):
        trials.run([Job(RIGHT, PROBLEM)], 0, interrupt)
    assert is_known(Job(RIGHT, PROBLEM), tmp_path / "log")


def test_a_log_that_is_torn_or_holds_other_rows_gives_what_it_has(tmp_path):
    log = tmp_path / "log"
    with open_trials(OPTIONS, log) as trials:
        trials.run([Job(RIGHT, PROBLEM)])
    [whole] = log.read_text().splitlines()
    row = json.loads(whole)
    other = [
        {},
        [],
        7,
        None,
        {"key": "a"},
        {"key": "a", "trial": "passed"},
        {"key": "a", "trial": {"outcome": "failed"}},
    ]
    other += [
        {"key": row["key"], "trial": row["trial"] | changed}
        for changed in ({"trace": 1}, {"trace": [1]}, {"trace": [[1]]}, {"new": 1})
    ]
    lines = [whole, *map(json.dumps, other), "no JSON", "", whole[:-20]]
    log.write_text("\n".join(lines))
    assert is_known(Job(RIGHT, PROBLEM), log)
    assert log.read_text().endswith("no JSON\n\n")


def test_what_a_problem_s_own_tests_cannot_judge_is_kept(tmp_path):
    with open_trials(OPTIONS, tmp_path / "log") as trials:
        [broken] = trials.run([Job(RIGHT, BROKEN)])
    assert broken.outcome == "sandbox_error"
    assert "ZeroDivisionError" in broken.error
    assert is_known(Job(RIGHT, BROKEN), tmp_path / "log")


def test_what_the_sandbox_failed_is_not_kept_and_ends_the_build(tmp_path, docker_client):
    waiting = Job(f"import time\ntime.sleep(6)\n{RIGHT}", PROBLEM)
    killer = threading.Thread(target=kill_own_container, args=[docker_client])
    with open_trials(OPTIONS, tmp_path / "log") as trials:
        killer.start()
        with pytest.raises(EnvironmentFault, match="the sandbox failed 1 times on t/1"):
            trials.run([waiting])
        killer.join()
        assert trials.run([waiting])[0].outcome == "passed"
    assert is_known(waiting, tmp_path / "log")
    assert len(rows(tmp_path / "log")) == 1


def kill_own_container(client):
    """Wait for a container of this process that runs, and kill it once it is at work."""
    own = {"label": f"{OWNER_LABEL}={owner_of_this_process()}", "status": "running"}
    end = time.monotonic() + 10
    while not (running := client.containers.list(filters=own)) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(3)  # on a busy machine its processes take a while to be forked
    for container in running:
        container.kill()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a log that knows RIGHT, and ADOPTED in the world of SORTED."""
    log = tmp_path_factory.mktemp("kept") / "log"
    with open_trials(OPTIONS, log) as trials:
        trials.run([Job(RIGHT, PROBLEM), Job(ADOPTED, PROBLEM, (SORTED,))])
    return log


@pytest.mark.parametrize(
    "other",
    [
        Job(RIGHT + "\n", PROBLEM),
        Job(RIGHT, replace(PROBLEM, helpers="y = 1")),
        Job(RIGHT, replace(PROBLEM, tests=PROBLEM.tests[:1])),
        Job(RIGHT, replace(PROBLEM, entry_point="g")),
        Job(RIGHT, PROBLEM, (SORTED,)),
        Job(RIGHT, PROBLEM, traced=("sort",)),
    ],
    ids=["program", "helpers", "tests", "entry point", "changes", "traced"],
)
def test_whatever_decides_a_trial_makes_it_another(kept, other):
    assert is_known(Job(RIGHT, replace(PROBLEM, prompt="", task_id="t/2")), kept)
    assert not is_known(other, kept)


def test_the_change_of_a_problem_counts_where_it_is_active(kept):
    """It decides the label there, and nothing elsewhere: what the survey ran, certification does not run again."""
    without = replace(PROBLEM, change_id=None)
    assert is_known(Job(RIGHT, without), kept)
    assert is_known(Job(RIGHT, replace(PROBLEM, change_id="max")), kept)
    assert is_known(Job(ADOPTED, PROBLEM, (SORTED,)), kept)
    assert not is_known(Job(ADOPTED, without, (SORTED,)), kept)


@pytest.mark.parametrize("field", [{"shim": SORTED.shim + "\n"}, {"replacement": "new"}, {"kind": "other"}], ids=str)
def test_another_change_makes_another_world(kept, field):
    assert is_known(Job(ADOPTED, PROBLEM, (replace(SORTED, doc="Sort it.", order=3),)), kept)
    assert not is_known(Job(ADOPTED, PROBLEM, (replace(SORTED, **field),)), kept)


def test_another_hash_seed_or_other_limits_make_another_trial(kept):
    job = Job(RIGHT, PROBLEM)
    assert is_known(job, kept, workers=1, pool=3)
    assert not is_known(job, kept, hash_seed=1)
    assert not is_known(job, kept, limits=replace(OPTIONS.limits, cpu_seconds=0.5))
    assert not is_known(job, kept, limits=replace(OPTIONS.limits, memory_mib=192))


def test_another_image_makes_another_trial_and_another_name_does_not(kept, docker_client):
    with open_trials(OPTIONS) as trials:
        standard = docker_client.images.get(trials.image)
    container = docker_client.containers.create(standard.id)
    same, other = "edittool-test-same:1", "edittool-test-other:1"
    try:
        assert standard.tag(same)
        container.commit(*other.split(":"))
        assert is_known(Job(RIGHT, PROBLEM), kept, image=same)
        assert not is_known(Job(RIGHT, PROBLEM), kept, image=other)
    finally:
        container.remove()
        docker_client.images.remove(same)
        docker_client.images.remove(other)


def test_two_builds_cannot_write_one_log(tmp_path):
    log = tmp_path / "log"
    with JsonlAppender(log), pytest.raises(InputError, match="another edittool"), open_trials(OPTIONS, log):
        pytest.fail("the log was opened twice")


def test_a_program_may_take_more_time_than_a_sample(docker_client):
    """The machine may be busy. What it took is told, so that who builds can judge it by what a sample may take."""
    busy = "def f(x):\n    import time\n    while time.process_time() < {}: pass\n    return sorted(x)\n"
    within, beyond = busy.format(1.5 * OPTIONS.limits.cpu_seconds), busy.format(1000)
    trials = Trials(docker_client, OPTIONS)
    passed, ended = trials.run([Job(within, PROBLEM), Job(beyond, PROBLEM)])
    assert trials.cpu_seconds == OPTIONS.limits.cpu_seconds
    assert (passed.outcome, ended.outcome) == ("passed", "timeout")
    assert passed.cpu_ms > 1000 * OPTIONS.limits.cpu_seconds
