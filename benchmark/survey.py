"""The survey: reference solutions are run and traced, and the APIs that they use are read with the trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..analysis.uses.references import Instrumented, References, instrument, read_references
from ..analysis.uses.resolution import Receivers
from ..judging.sandbox.job import Job
from ..schemas.problems import Problem
from ..schemas.rejections import Rejection
from .progress import Progress, silent
from .trials import Trial, Trials
from .usages.apis import UnchangeableApiError, UnknownApiError, find_api


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A problem whose reference passes: the references after its prompt, and the APIs that prompt and answer use.

    Only APIs that can be changed count: exceptions, typing and the like are left alone.
    """

    problem: Problem
    references: References
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Survey:
    """The problems that can enter a benchmark, in their order, and those that cannot."""

    surveyed: tuple[Surveyed, ...]
    rejections: tuple[Rejection, ...]

    def users(self) -> dict[str, list[Surveyed]]:
        """Return, for each API that is used at all, the problems that use it."""
        users: dict[str, list[Surveyed]] = {}
        for one in self.surveyed:
            for api in one.uses:
                users.setdefault(api, []).append(one)
        return dict(sorted(users.items()))


def survey(problems: Sequence[Problem], trials: Trials, progress: Progress = silent) -> Survey:
    """Run and read the references of `problems`.

    Left out are those that do not pass, and those that take more than half of the CPU time there is: a sample that
    does the same work a little slower would be counted as wrong. Raises EnvironmentFault when the sandbox fails.
    """
    jobs = [Job(problem.solution, problem) for problem in problems]
    plain = trials.run(jobs, on_trial=progress("running the references", len(jobs)))
    faults = [_find_fault(problem, trial, trials.cpu_seconds) for problem, trial in zip(problems, plain, strict=True)]
    sound = [problem for problem, fault in zip(problems, faults, strict=True) if fault is None]
    references = trace_references(sound, trials, progress)
    surveyed = tuple(_survey(problem, references[problem.task_id]) for problem in sound)
    return Survey(surveyed, tuple(fault for fault in faults if fault))


def _find_fault(problem: Problem, trial: Trial, cpu_seconds: float) -> Rejection | None:
    if trial.outcome != "passed":
        return Rejection(problem.task_id, None, "reference_fails", str(trial))
    if trial.cpu_ms > 1000 * cpu_seconds / 2:
        detail = f"its reference takes more than {cpu_seconds / 2:g} s of CPU time, half of a sample's for a test"
        return Rejection(problem.task_id, None, "too_slow", detail)
    return None


def trace_references(problems: Sequence[Problem], trials: Trials, progress: Progress = silent) -> dict[str, References]:
    """Return the references of each problem's solution by task id, read with the receivers seen while it ran.

    Raises EnvironmentFault when the sandbox fails.
    """
    programs = [instrument(problem.solution) for problem in problems]
    jobs = [
        Job(program.program, problem, traced=tuple(name for _, name in program.attributes))
        for program, problem in zip(programs, problems, strict=True)
    ]
    traces = trials.run(jobs, on_trial=progress("tracing the references", len(jobs)))
    return {
        problem.task_id: read_references(problem.solution, _receivers(program, trace))
        for problem, program, trace in zip(problems, programs, traces, strict=True)
    }


def _receivers(program: Instrumented, trial: Trial) -> Receivers:
    """Return what was seen at each attribute, by its place. A traced run that fails has still seen what it saw."""
    return {program.attributes[index][0]: frozenset(paths) for index, paths in trial.trace}


def _survey(problem: Problem, references: References) -> Surveyed:
    uses = frozenset(reference.api for reference in references.found if is_changeable(reference.api))
    return Surveyed(problem, answer_of(problem, references), uses)


def answer_of(problem: Problem, references: References) -> References:
    """Return what stands after the prompt. Whoever answers it has to take the code of the prompt as it is."""
    prompt = problem.prompt.encode("utf-8", "replace")
    return references.after(len(prompt)) if references.source.startswith(prompt) else references


@cache
def is_changeable(api: str) -> bool:
    """Say whether a change can be made for `api`."""
    try:
        find_api(api)
    except (UnknownApiError, UnchangeableApiError):
        return False
    return True
