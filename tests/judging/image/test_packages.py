"""Packages for an own image: wheels only, nothing that runs on this machine, nothing of this machine in the files."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from edittool.judging.image.packages import fetch_packages
from edittool.schemas.errors import EnvironmentFault, InputError

from ..wheels import write_wheel

ARCHITECTURE = "x86_64"


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep pip from this machine's settings: what a test finds is what it made."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


def fetch(folder: Path, *packages: str, requirements: Path | None = None) -> dict[str, bytes]:
    return dict(fetch_packages(packages, requirements, folder, ARCHITECTURE).files)


def test_a_wheel_is_unpacked_and_nothing_of_this_machine_is_kept(tmp_path: Path) -> None:
    write_wheel(tmp_path)
    found = fetch(tmp_path, "ourlib==1.0")
    info = "ourlib-1.0.dist-info"
    assert found.keys() == {
        "ourlib/__init__.py",
        "ourlib/old_syntax.py",
        *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt")),
    }
    assert found == fetch(tmp_path, "ourlib==1.0")


def test_what_was_asked_for_is_told_with_the_names_that_programs_import(tmp_path: Path) -> None:
    write_wheel(tmp_path)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("OurLib >= 1  # ours\n")
    for asked, file in ((["Ourlib==1.0"], None), ([], requirements)):
        assert fetch_packages(asked, file, tmp_path, ARCHITECTURE).modules == {"ourlib==1.0": ("ourlib",)}


def test_what_a_package_depends_on_comes_along(tmp_path: Path) -> None:
    write_wheel(tmp_path, requires="other")
    with pytest.raises(InputError, match="other"):
        fetch(tmp_path, "ourlib==1.0")


def test_requirements(tmp_path: Path) -> None:
    write_wheel(tmp_path)
    write_wheel(tmp_path, "2.0")
    path = tmp_path / "requirements.txt"
    path.write_text(f"# ours\n--find-links {tmp_path}\n\nourlib >=1,<2 ; python_version > '3'  # the old one\n")
    assert "ourlib-1.0.dist-info/METADATA" in fetch(tmp_path, requirements=path)


def test_requirements_with_hashes_are_held_to_them(tmp_path: Path) -> None:
    digest = hashlib.sha256(write_wheel(tmp_path).read_bytes()).hexdigest()
    path = tmp_path / "requirements.txt"
    path.write_text(f"ourlib==1.0 \\\n    --hash=sha256:{digest}\n")
    assert "ourlib/__init__.py" in fetch(tmp_path, requirements=path)
    path.write_text(f"ourlib==1.0 --hash=sha256:{digest[::-1]}\n")
    with pytest.raises(InputError, match=r"(?i)hashes"):
        fetch(tmp_path, requirements=path)


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable=.",
        ".",
        "./ourlib",
        "/srv/ourlib",
        "ourlib.tar.gz/",
        "ourlib.tar.gz",
        "ourlib.zip ; python_version > '3'",
        "ourlib-1.0.tar.gz[extra]",
        "git+https://example.org/ourlib",
        "https://example.org/ourlib.tar.gz",
        "ourlib @ file:///srv/ourlib",
        "ourlib@git+https://example.org/ourlib",
        "ourlib[extra] @ https://example.org/ourlib.tar.gz",
        "--no-binary :all:",
        "--no-binary=ourlib",
        "-r more.txt",
        "--config-settings x=y",
        "ourlib==1.0 --config-settings x=y",
        "ourlib==1.0 --global-option=--x",
        "ourlib==1.0 --hash=sha256:00 --install-option=x",
        "ourlib ; python_version > '3' --global-option=--x",
        "--find-links . --no-binary :all:",
    ],
)
def test_a_requirement_that_could_run_code_here_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"# ours\n{line}\n")
    with pytest.raises(InputError) as caught:
        fetch(tmp_path, requirements=path)
    assert f"{path}, line 2" in str(caught.value)
    assert "would run its code on this machine" in str(caught.value)


@pytest.mark.parametrize("package", ["ourlib", "ourlib>=1", "./ourlib", "-e", "git+https://x/y==1", "a==1 --no-binary"])
def test_a_package_is_a_name_and_an_exact_version(tmp_path: Path, package: str) -> None:
    with pytest.raises(InputError, match="NAME==VERSION"):
        fetch(tmp_path, package)


def test_a_source_distribution_is_not_built(tmp_path: Path) -> None:
    built = tmp_path / "built"
    setup = f"open({str(built)!r}, 'w')\nfrom setuptools import setup\nsetup(name='ourlib', version='3.0')\n".encode()
    with tarfile.open(tmp_path / "ourlib-3.0.tar.gz", "w:gz") as archive:
        for name, content in (
            ("setup.py", setup),
            ("PKG-INFO", b"Metadata-Version: 1.0\nName: ourlib\nVersion: 3.0\n"),
        ):
            member = tarfile.TarInfo(f"ourlib-3.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(InputError, match=r"No matching distribution.*ourlib==3\.0(.|\n)*Only wheels are taken"):
        fetch(tmp_path, "ourlib==3.0")
    assert not built.exists()


@pytest.mark.parametrize("tag", ["cp311-cp311-win_amd64", "cp312-cp312-manylinux_2_17_x86_64", "py2-none-any"])
def test_a_wheel_for_another_platform_or_python_is_none(tmp_path: Path, tag: str) -> None:
    write_wheel(tmp_path, tag=tag)
    with pytest.raises(InputError, match="No matching distribution"):
        fetch(tmp_path, "ourlib==1.0")


@pytest.mark.parametrize(
    "tag", ["cp311-cp311-manylinux_2_17_x86_64", "cp39-abi3-manylinux2014_x86_64", "cp311-cp311-linux_x86_64"]
)
def test_a_wheel_for_the_sandbox_fits_whatever_python_this_is(tmp_path: Path, tag: str) -> None:
    write_wheel(tmp_path, tag=tag)
    assert "ourlib/__init__.py" in fetch(tmp_path, "ourlib==1.0")


def test_an_index_that_does_not_answer_is_the_environments_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(EnvironmentFault, match=r"the index does not answer(.|\n)*--wheels"):
        fetch_packages(["ourlib==1.0"], None, None, ARCHITECTURE)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        fetch(tmp_path / "none", "ourlib==1.0")


def test_a_requirements_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        fetch(tmp_path, requirements=tmp_path / "none.txt")
