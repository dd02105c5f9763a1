"""`edittool bench new` as a person meets it."""

import pytest

from edittool.benchmark.own.changes import load_changes
from edittool.benchmark.own.problems import load_problems

from ...judging.wheels import write_wheel

OLD = "def isvalid(x): pass\ndef f(a, b): pass\n"
NEW = "def is_valid(x): pass\ndef f(b, a): pass\n@deprecated('use \\x1b[31m `f`')\ndef g(): pass\n"


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    write_wheel(folder, "1.0", source=OLD, requires="no-such-dependency-anywhere")
    write_wheel(folder, "2.0", source=NEW)
    return folder


def test_templates_that_load(edittool, tmp_path):
    code, out, err = edittool("bench", "new", tmp_path / "own")
    assert (code, out) == (0, "")
    changes = load_changes(tmp_path / "own" / "changes.yaml")
    assert len(load_problems(tmp_path / "own" / "problems.yaml", changes)) == 1
    assert f"next: edittool bench build --problems {tmp_path / 'own' / 'problems.yaml'}" in err


def test_proposals_from_two_wheels(edittool, tmp_path, wheels):
    versions = ("--old", "1.0", "--new", "2.0", "--wheels", wheels)
    code, out, err = edittool("bench", "new", tmp_path / "own", "--package", "ourlib", *versions)
    assert (code, out) == (0, "")
    assert "names gone: 1, signatures changed: 1, names deprecated: 1" in err
    assert "NEW=$(edittool image build --package ourlib==2.0)" in err
    text = (tmp_path / "own" / "changes.yaml").read_text()
    assert "# - deprecated: ourlib.isvalid\n#   replacement: ourlib.is_valid\n" in text
    assert "#   old_signature: f(a, b)\n#   signature: f(b, a)\n" in text
    assert "\\x1b[31m" in text
    assert len(load_changes(tmp_path / "own" / "changes.yaml")) == 1


def test_nothing_found_is_told(edittool, tmp_path):
    for version in ("1.0", "2.0"):
        write_wheel(tmp_path / "wheels", version)
    versions = ("--old", "1.0", "--new", "2.0", "--wheels", tmp_path / "wheels")
    code, _, err = edittool("bench", "new", tmp_path / "own", "--package", "ourlib", *versions)
    assert code == 0
    assert "nothing to propose was found between ourlib 1.0 and 2.0" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--package", "ourlib", "--old", "1.0"], "--package needs two versions to compare"),
        (["--old", "1.0"], "name it with --package"),
        (["--package", "ourlib", "--old", "1.0", "--new", "1.0"], "name two versions"),
        (["--package", "our lib", "--old", "1.0", "--new", "2.0"], "not NAME==VERSION"),
    ],
)
def test_wrong_usage(edittool, tmp_path, arguments, message):
    code, out, err = edittool("bench", "new", tmp_path / "own", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert not (tmp_path / "own").exists()


def test_a_version_that_is_not_there(edittool, tmp_path, wheels):
    versions = ("--old", "1.0", "--new", "3.0", "--wheels", wheels)
    code, _, err = edittool("bench", "new", tmp_path / "own", "--package", "ourlib", *versions)
    assert code == 2
    assert "ourlib==3.0" in err


@pytest.mark.parametrize("name", ["changes.yaml", "problems.yaml"])
def test_files_that_are_there_are_kept(edittool, tmp_path, name):
    (tmp_path / name).write_text("mine")
    code, _, err = edittool("bench", "new", tmp_path)
    assert code == 2
    assert "is there already, and is kept. Move it away, or name another folder." in err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_folder_that_cannot_be_made(edittool, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = edittool("bench", "new", tmp_path / "file" / "own")
    assert code == 2
    assert "cannot be written: Not a directory. Name another folder." in err


def test_semver(edittool, tmp_path):
    versions = ("--old", "2.13.0", "--new", "3.0.2")
    code, _, err = edittool("bench", "new", tmp_path / "own", "--package", "semver", *versions)
    if code == 3:
        pytest.skip(f"pip cannot fetch semver here: {err}")
    assert code == 0, err
    text = (tmp_path / "own" / "changes.yaml").read_text()
    assert "# - deprecated: semver.VersionInfo.isvalid\n#   replacement: semver.Version.is_valid\n" in text
