"""Real changes and changes in place of a library, in two own images: certified, judged and labelled."""

from collections.abc import Iterator

import docker
import pytest

from edittool.benchmark.certify import certify
from edittool.benchmark.trials import open_trials
from edittool.judging.image.own_image import build_own_image
from edittool.judging.image.packages import fetch_packages
from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.judging.world_check import check_worlds
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.errors import EdittoolError, InputError
from edittool.schemas.problems import Problem, Test

from .wheels import write_wheel

pytestmark = pytest.mark.usefixtures("docker_client")

OLD = """
class Box:
    def __init__(self, size):
        self.size = size

    def isempty(self):
        return self.size == 0


def twice(n):
    return 2 * n


def scale(n, by):
    return n * by


def share(n, parts):
    return n / parts
"""
NEW = """
class Box:
    def __init__(self, size):
        self.size = size

    def is_empty(self):
        return self.size == 0

    @property
    def doubled(self):
        return 2 * self.size


def double(n):
    return _product(n, 2)


def _product(n, m):
    return double_of(n) if m == 2 else n * m


def double_of(n):
    return n + n


def scale(n, *, factor):
    return n * factor


def share(n, parts, whole=False):
    return n // parts if whole else n / parts
"""
IS_EMPTY = Change("isempty", "ourlib.Box.isempty", "ourlib.Box.is_empty", "renamed", "is_empty()", "", "Tell.")
DOUBLE = Change(
    "twice", "ourlib.twice", "ourlib.double", "renamed", "double(n)", "", "Double.", adopt=("ourlib.Box.doubled",)
)
SCALE = Change(
    "scale",
    "ourlib.scale",
    "ourlib.scale",
    "keyword_only",
    "scale(n, *, factor)",
    "",
    "Scale.",
    old_signature="scale(n, by)",
)
SHARE = Change(
    "share",
    "ourlib.share",
    "ourlib.share",
    "reordered",
    "share(n, parts, whole=False)",
    "",
    "Share.",
    old_signature="share(n, parts)",
)
ROUND = Change(
    "share rounded",
    "ourlib.share",
    "ourlib.share",
    "keyword_only",
    "share(n, *, among)",
    "import ourlib\n\ndef share(n, *, among):\n    return ourlib.share(n, among)\n",
    "Share.",
    old_signature="share(n, parts)",
)
CHANGES = {change.change_id: change for change in (IS_EMPTY, DOUBLE, SCALE, SHARE)}


@pytest.fixture(scope="module")
def images(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the names of images with ourlib before its changes and after them; they are removed in the end."""
    built = {}
    for version, source in (("1.0", OLD), ("2.0", NEW)):
        folder = tmp_path_factory.mktemp("wheels")
        write_wheel(folder, version, source=source)
        files = fetch_packages([f"ourlib=={version}"], None, folder, "x86_64").files
        built[version] = build_own_image(docker_client, files, lambda line: None)
    yield built
    for name in built.values():
        docker_client.images.remove(name)


# The change, a program, and what it is found to be: outcome, label, detail, and how the replacement was called.
PROGRAMS = [
    (
        IS_EMPTY,
        "from ourlib import Box\ndef f(n): return Box(n).is_empty()",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        IS_EMPTY,
        "import ourlib as o\ndef f(n): return o.Box(n).is_empty()",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        IS_EMPTY,
        "from ourlib import Box as B\ndef f(n): return any(map(B.is_empty, [B(n)]))",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        IS_EMPTY,
        "import ourlib\nclass Mine(ourlib.Box): pass\ndef f(n): return Mine(n).is_empty()",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        IS_EMPTY,
        "from ourlib import Box\ndef f(n): return getattr(Box(n), 'is_' + 'empty')()",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (IS_EMPTY, "from ourlib import Box\ndef f(n): return Box(n).isempty()", "failed", "no_adoption", "stale_use", None),
    (
        IS_EMPTY,
        "from ourlib import Box\ndef f(n):\n    box = Box(n)\n"
        "    return box.isempty() if hasattr(box, 'isempty') else box.is_empty()",
        "passed",
        "correct_adoption",
        None,
        "right",
    ),
    (IS_EMPTY, "def f(n): return n == 0", "passed", "workaround", None, "not_called"),
    (IS_EMPTY, "from ourlib import Box\ndef f(n): return Box(n).size == 0", "passed", "workaround", None, "not_called"),
    (
        IS_EMPTY,
        "from ourlib import Box\ndef f(n):\n    Box(n).is_empty()\n    return n == 0",
        "passed",
        "workaround",
        "unneeded_call",
        "ill_called",
    ),
    (
        IS_EMPTY,
        "from ourlib import Box\ndef f(n): return Box(n).is_empty(n)",
        "failed",
        "misuse",
        "wrong_arguments",
        "ill_called",
    ),
    (
        IS_EMPTY,
        "from ourlib import Box\ndef f(n): return not Box(n).is_empty()",
        "failed",
        "misuse",
        "wrong_result",
        "right",
    ),
    (
        IS_EMPTY,
        "from ourlib import is_empty\ndef f(n): return is_empty(n)",
        "load_error",
        "no_adoption",
        None,
        "not_called",
    ),
    (
        IS_EMPTY,
        "import ourlib\nourlib.Box.is_empty = lambda self: self.size == 0\ndef f(n): return ourlib.Box(n).is_empty()",
        "passed",
        "workaround",
        None,
        "not_called",
    ),
    (
        DOUBLE,
        "from ourlib import double\ndef f(n): return double(n) == 0",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        DOUBLE,
        "from ourlib import Box\ndef f(n): return Box(n).doubled == 0",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        DOUBLE,
        "from ourlib import twice\ndef f(n): return twice(n) == 0",
        "load_error",
        "no_adoption",
        "stale_use",
        "not_called",
    ),
    (
        SCALE,
        "from ourlib import scale\ndef f(n): return scale(n, factor=3) == 0",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        SCALE,
        "from ourlib import scale\ndef f(n): return scale(n, 3) == 0",
        "failed",
        "no_adoption",
        "stale_use",
        "not_called",
    ),
    (
        SCALE,
        "from ourlib import scale\ndef f(n): return scale(n, to=3) == 0",
        "failed",
        "misuse",
        "wrong_arguments",
        "ill_called",
    ),
    (
        SCALE,
        "from ourlib import scale\ndef f(n): return scale(n, factor=3) > 0",
        "failed",
        "misuse",
        "wrong_result",
        "right",
    ),
    (SCALE, "def f(n): return 3 * n == 0", "passed", "workaround", None, "not_called"),
    (
        SHARE,
        "from ourlib import share\ndef f(n): return share(n, 2, True) == 0",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        SHARE,
        "from ourlib import share\ndef f(n): return int(share(n, 2)) == 0",
        "passed",
        "workaround",
        "stale_use",
        "not_called",
    ),
    (
        ROUND,
        "from ourlib import share\ndef f(n): return share(n, among=2) == 0",
        "passed",
        "correct_adoption",
        "clean",
        "right",
    ),
    (
        ROUND,
        "from ourlib import share\ndef f(n): return share(n, 2) == 0",
        "failed",
        "no_adoption",
        "stale_use",
        "not_called",
    ),
]


def judged(image: str, jobs: list[Job]) -> dict[int, Finding]:
    return {job.tag: finding for job, finding in run_jobs(jobs, SandboxOptions(image=image, jobs_per_container=32))}


def test_labels_speak_of_what_the_library_has(images: dict[str, str]) -> None:
    tests = (Test("", "assert candidate(0) is True"), Test("", "assert candidate(4) is False"))
    jobs = [
        Job(
            program,
            Problem("own/f", "", "f", "def f(n): return n == 0\n", tests, "reliability", change.change_id),
            (change,),
            number,
        )
        for number, (change, program, *_) in enumerate(PROGRAMS)
    ]
    found = judged(images["2.0"], jobs)
    seen, wanted = {}, {}
    for number, (_, program, outcome, label, detail, called) in enumerate(PROGRAMS):
        finding = found[number]
        seen[program] = (
            "failed" if finding.outcome == "partial" else finding.outcome,
            finding.label,
            finding.label_detail if detail else None,
            finding.called if called else None,
        )
        wanted[program] = outcome, label, detail, called
        assert finding.disagreement is None or "getattr" in program, (program, finding.disagreement)
    assert seen == wanted


def problem(change: Change | None, old: str, new: str | None) -> Problem:
    head = "import ourlib\n\n\ndef f(n):\n"
    return Problem(
        f"own/{change.change_id if change else 'other'}",
        head,
        "f",
        f"{head}    return {old}\n",
        (Test("", "assert candidate(0) == 0"), Test("", "assert candidate(4) == 8")),
        "reliability" if change else "specificity",
        change.change_id if change else None,
        updated_solution=f"{head}    return {new}\n" if new else None,
    )


PROBLEMS = [
    problem(IS_EMPTY, "0 if ourlib.Box(n).isempty() else 2 * n", "0 if ourlib.Box(n).is_empty() else 2 * n"),
    problem(DOUBLE, "ourlib.twice(n)", "ourlib.double(n)"),
    problem(SCALE, "ourlib.scale(n, 2)", "ourlib.scale(n, factor=2)"),
    problem(SHARE, "int(ourlib.share(4 * n, 2))", "ourlib.share(4 * n, 2, True)"),
    problem(None, "ourlib.Box(n).size * 2", None),
]


def test_old_and_new_are_certified_in_their_images(images: dict[str, str]) -> None:
    bench = Bench("own", {one.task_id: one for one in PROBLEMS}, CHANGES)
    with open_trials(SandboxOptions(workers=2, image=images["2.0"])) as trials:
        certificate = certify(bench, trials, (0,), old=trials.beside(images["1.0"]))
        in_one = certify(bench, trials, (0,))
    violated = {(check.task_id, check.condition): check.seen for check in certificate.with_state("violated")}
    # Both versions of the library take the old call of share: the change cannot be shown so, and what to do is told.
    assert violated.keys() == {("own/share", "removal_fails")}
    assert "The library still takes the old call of ourlib.share" in violated["own/share", "removal_fails"]
    assert not certificate.with_state("unknown")
    gone = {
        check.task_id: check.seen for check in in_one.with_state("violated") if check.condition == "reference_passes"
    }
    assert gone.keys() == {"own/isempty", "own/twice", "own/scale"}
    assert "Where the image has no ourlib.twice any more, give --old-image one that has it" in gone["own/twice"]


@pytest.mark.parametrize(
    ("fields", "version", "reason"),
    [
        ({}, "1.0", r"module 'ourlib' has no attribute 'double'.*Correct \"replacement\", \"adopt\" or \"shim\""),
        ({"adopt": ["ourlib.Box.tripled"]}, "2.0", "type object 'Box' has no attribute 'tripled'"),
        ({"replacement": "nolib.double"}, "2.0", "No module named 'nolib'.*--image"),
        ({"replacement": "array.array"}, "2.0", "array.array is a class written in C, whose calls cannot be counted"),
        (
            {
                "deprecated": "ourlib.Box",
                "replacement": "ourlib.Box",
                "old_signature": "Box(a)",
                "shim": "def Box(): 1",
            },
            "2.0",
            "ourlib.Box is a class, and a shim in its place would be none",
        ),
        (
            {"deprecated": "ourlib.scale", "replacement": "ourlib.scale", "old_signature": "f(a)", "shim": "import x"},
            "2.0",
            "No module named 'x'",
        ),
    ],
)
def test_a_world_that_cannot_be_made_is_told_with_its_reason(
    images: dict[str, str], fields: dict[str, object], version: str, reason: str
) -> None:
    change = Change.from_row(DOUBLE.to_row() | fields)
    with pytest.raises(EdittoolError, match=reason) as caught:
        check_worlds([change], SandboxOptions(workers=1, image=images[version]))
    assert isinstance(caught.value, InputError) or "--image" in str(caught.value)
