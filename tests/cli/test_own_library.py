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
REAL, NOT_YET = PAGE.split("## A change that nobody has made yet")
EXAMPLE = SOURCE / "examples" / "own-library"
REAL_EXAMPLE = SOURCE / "examples" / "real-change"


def script_of(text: str) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


PACKAGES = re.findall(r"--package (\w+==\S+?)\)", script_of(PAGE))


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
    """Return a folder with the wheels of the page's packages; skips where no index gives them."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]
    for package in PACKAGES:
        ended = run([*command, str(folder), package], folder)
        if ended.returncode != 0:
            pytest.skip(f"pip cannot fetch {package} here: {ended.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module")
def images(docker_client: docker.DockerClient) -> Iterator[None]:
    """Remove the images that hold the page's packages and nothing else, and were not there before."""
    before = images_of_the_packages(docker_client)
    yield
    for name in images_of_the_packages(docker_client) - before:
        docker_client.images.remove(name)


def follow(text: str, example: Path, wheels: Path, folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the commands of `text` in a copy of `example`; return where, and how they ended."""
    shutil.copytree(example, folder)
    return folder, run(
        script_of(text).replace("edittool image build", f"edittool image build --wheels {wheels}"), folder
    )


@pytest.fixture(scope="module")
def page(
    images: None, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    return follow(NOT_YET, EXAMPLE, wheels, tmp_path_factory.mktemp("page") / "own-library")


@pytest.fixture(scope="module")
def real_page(
    images: None, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    return follow(REAL, REAL_EXAMPLE, wheels, tmp_path_factory.mktemp("page") / "real-change")


def images_of_the_packages(client: docker.DockerClient) -> set[str]:
    """Return the names of own images that hold one of the page's packages and nothing else."""
    found = [
        image
        for package in PACKAGES
        for image in client.images.list(REPOSITORY, filters={"label": f"{PACKAGES_LABEL}={package}"})
    ]
    names = (tag for image in found for tag in image.tags)
    return {name for name in names if name.startswith(f"{image_tag()}-")}


def test_the_page_has_the_whole_way() -> None:
    assert PACKAGES == ["semver==2.13.0", "semver==3.0.2", "boltons==25.0.0"]
    for text in (REAL, NOT_YET):
        for command in ("image build", "bench build", "bench verify", "judge", "report"):
            assert f"edittool {command} " in script_of(text)


@pytest.mark.parametrize(("text", "example"), [(REAL, REAL_EXAMPLE), (NOT_YET, EXAMPLE)], ids=["real", "not yet"])
def test_the_change_that_the_page_shows_is_in_the_file(text: str, example: Path) -> None:
    shown = re.findall(r"^    - deprecated: .*?^(?=\S)", text, re.MULTILINE | re.DOTALL)[0]
    written = (example / "changes.yaml").read_text(encoding="utf-8")
    lines = [line.strip() for line in shown.rstrip().splitlines()]
    assert "\n".join(lines) in "\n".join(line.strip() for line in written.splitlines())


@pytest.mark.parametrize(("text", "example"), [(REAL, REAL_EXAMPLE), (NOT_YET, EXAMPLE)], ids=["real", "not yet"])
def test_the_problem_that_the_page_shows_is_in_the_file(text: str, example: Path) -> None:
    (shown,) = re.findall(r"^    - task_id: .*?^(?=\S)", text, re.MULTILINE | re.DOTALL)
    assert textwrap.dedent(shown).rstrip() in (example / "problems.yaml").read_text(encoding="utf-8")


@pytest.mark.slow  # two images, a benchmark and its verification
def test_every_command_on_a_real_change_works(real_page: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, ended = real_page
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "5 problems (2 reliability, 2 generalization, 1 specificity), 2 changes" in ended.stderr
    verdicts = read(folder / "verdicts.jsonl")
    found = sorted((row["task_id"], row["outcome"], row["label"], row.get("label_detail")) for row in verdicts)
    assert found == [
        ("own/first_broken_release", "passed", "correct_adoption", "clean"),
        ("own/newest", "passed", None, None),
        ("own/next_major", "failed", "misuse", "wrong_result"),
        ("own/next_major", "passed", "correct_adoption", "clean"),
        ("own/planned_versions", "passed", "workaround", "other_api"),
        ("own/valid_tags", "failed", "no_adoption", "stale_use"),
        ("own/valid_tags", "passed", "correct_adoption", "clean"),
        ("own/valid_tags", "passed", "workaround", "other_api"),
    ]


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
