"""docs/own-library.md: every command of the page, run as it stands there on the files that it speaks of."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.image.build import REPOSITORY, image_tag
from edittool.judging.image.own_image import PACKAGES_LABEL

SOURCE = Path(__file__).resolve().parent.parent.parent
PAGE = (SOURCE / "docs" / "own-library.md").read_text(encoding="utf-8")
EXAMPLE = SOURCE / "examples" / "own-library"
SCRIPT = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
PACKAGE = re.findall(r"--package (boltons==\S+?)\)", SCRIPT)


def run(command: list[str] | str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    arguments = ["bash", "-euo", "pipefail", "-c", command] if isinstance(command, str) else command
    return subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel of the page's package; skips where no index gives it."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]
    ended = run([*command, str(folder), *PACKAGE], folder)
    if ended.returncode != 0:
        pytest.skip(f"pip cannot fetch {PACKAGE} here: {ended.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module")
def page(
    docker_client: docker.DockerClient, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    """Yield the folder in which the page's commands were run, and how they ended; the image is removed afterwards."""
    folder = tmp_path_factory.mktemp("page") / "own-library"
    shutil.copytree(EXAMPLE, folder)
    before = images_of_the_package(docker_client)
    try:
        script = SCRIPT.replace("edittool image build", f"edittool image build --wheels {wheels}")
        yield folder, run(script, folder)
    finally:
        for name in images_of_the_package(docker_client) - before:
            docker_client.images.remove(name)


def images_of_the_package(client: docker.DockerClient) -> set[str]:
    """Return the names of own images that hold the page's package and nothing else."""
    found = client.images.list(REPOSITORY, filters={"label": f"{PACKAGES_LABEL}={PACKAGE[0]}"})
    names = (tag for image in found for tag in image.tags)
    return {name for name in names if name.startswith(f"{image_tag()}-")}


def test_the_page_has_the_whole_way() -> None:
    assert len(PACKAGE) == 1
    for command in ("image build", "image verify", "bench build", "bench verify", "judge", "report"):
        assert f"edittool {command} " in SCRIPT


def test_the_change_that_the_page_shows_is_in_the_file() -> None:
    (shown,) = re.findall(r"^    - deprecated: .*?^(?=\S)", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("    ") for line in shown.rstrip().splitlines()]
    written = (EXAMPLE / "changes.yaml").read_text(encoding="utf-8")
    assert "\n".join(f"  {line}" if line else "" for line in lines) in written


def test_the_problem_that_the_page_shows_is_in_the_file() -> None:
    (shown,) = re.findall(r"^    - task_id: .*?^(?=\S)", PAGE, re.MULTILINE | re.DOTALL)
    assert textwrap.dedent(shown).rstrip() in (EXAMPLE / "problems.yaml").read_text(encoding="utf-8")


@pytest.mark.slow  # an image, a benchmark and its verification
def test_every_command_of_the_page_works(page: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, ended = page
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "7 problems (3 reliability, 3 generalization, 1 specificity), 3 changes" in ended.stderr


def test_the_samples_get_the_verdicts_that_the_page_speaks_of(
    page: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, ended = page
    assert ended.returncode == 0, ended.stderr
    verdicts = read(folder / "verdicts.jsonl")
    found = sorted((row["task_id"], row["outcome"], row["label"], row["label_detail"]) for row in verdicts)
    assert found == [
        ("own/count_words", "failed", "misuse", "wrong_arguments"),
        ("own/first_seen", "partial", "no_adoption", "stale_use"),
        ("own/first_seen", "passed", "correct_adoption", "clean"),
        ("own/pages", "load_error", "no_adoption", "stale_use"),
        ("own/pages", "passed", "correct_adoption", "clean"),
        ("own/pages", "passed", "workaround", "reimplementation"),
    ]


def test_an_image_of_another_version_is_refused(
    docker_client: docker.DockerClient, page: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    folder, _ = page
    built = {"labels": {"edittool.sandbox": f"{REPOSITORY}:0123456789abcdef"}, "network_mode": "none", "rm": True}
    with (folder / "Dockerfile").open("wb+") as dockerfile:
        dockerfile.write(f"FROM {image_tag()}\n".encode())
        dockerfile.seek(0)
        image, _ = docker_client.images.build(fileobj=dockerfile, tag="edittool-test-old", **built)
    try:
        ended = run(["edittool", "bench", "verify", "bench", "--image", "edittool-test-old"], folder)
        assert ended.returncode == 3
        assert "edittool-test-old was built for another version of the sandbox" in ended.stderr
        assert "Build it again" in ended.stderr
    finally:
        docker_client.images.remove(image.id, force=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def my_cardinalize(count, noun):", "def my_cardinalize(count, noun:", 'line 24: field "shim" is not Python'),
        ("usage: reordered", "usage: shuffled", 'line 20: field "usage" must be one of'),
        ("boltons.strutils.cardinalize", "strr.split", None),
        (
            "boltons.strutils.cardinalize",
            "str.spilt",
            "line 18: field \"deprecated\": there is no API called 'str.spilt'",
        ),
    ],
)
def test_a_wrong_file_of_changes_ends_with_2(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    text = (EXAMPLE / "changes.yaml").read_text(encoding="utf-8")
    (tmp_path / "changes.yaml").write_text(text.replace(old, new), encoding="utf-8")
    problems = (EXAMPLE / "problems.yaml").read_text(encoding="utf-8")
    problems = re.sub(
        r"change_id: .*\n  subset: .*", "subset: specificity", problems
    )  # whatever the changes are called
    (tmp_path / "problems.yaml").write_text(problems, encoding="utf-8")
    ended = build_uncertified(tmp_path)
    assert ended.returncode == (0 if message is None else 2), ended.stderr
    assert message is None or f"changes.yaml, {message}" in ended.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return chunked(lines, height)", "return chunked(lines, height", 'line 13: field "completion" is not Python'),
        ("assert candidate([], 3) == []", "assert", 'line 20: field "tests" is not Python (invalid syntax, line 2)'),
        ("subset: generalization", "subset: general", 'line 24: field "subset" must be one of'),
        ("change_id: boltons.strutils.cardinalize", "change_id: str", "line 42: field \"change_id\" names 'str'"),
    ],
)
def test_a_wrong_file_of_problems_ends_with_2(tmp_path: Path, old: str, new: str, message: str) -> None:
    shutil.copy(EXAMPLE / "changes.yaml", tmp_path)
    text = (EXAMPLE / "problems.yaml").read_text(encoding="utf-8")
    (tmp_path / "problems.yaml").write_text(text.replace(old, new), encoding="utf-8")
    ended = build_uncertified(tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert f"problems.yaml, {message}" in ended.stderr


def build_uncertified(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["edittool", "bench", "build", "--problems", "problems.yaml", "--changes", "changes.yaml"]
    return run([*command, "--no-certify", "-o", "bench"], folder)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--package", "boltons"], 2, "not NAME==VERSION"),
        (["--package", "./boltons"], 2, "not NAME==VERSION"),
        (["--wheels", "."], 2, "name them with --package or --requirements"),
        (["--package", "nothing-of-the-kind==1", "--wheels", "."], 2, "Only wheels are taken"),
        (["--requirements", "none.txt"], 2, "cannot be read"),
    ],
)
def test_packages_that_cannot_be_had(
    docker_client: docker.DockerClient, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    ended = run(["edittool", "image", "build", *arguments], tmp_path)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in re.sub(r"\s+", " ", ended.stderr)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
