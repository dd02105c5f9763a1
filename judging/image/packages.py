"""Third-party packages for an own sandbox image: fetched on this machine, as wheels only, and never run here.

A wheel is unpacked; a source distribution would run its build on this machine, outside any sandbox. So what is asked
for may name packages, never folders, addresses or options that lead to a build.
"""

import importlib.metadata
import inspect
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...schemas.errors import EnvironmentFault, InputError
from ...schemas.whole_files import read_text

PYTHON = "3.11"  # the sandbox's
NEWEST_GLIBC = 36  # 2.36, of Debian 12, on which the sandbox stands
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9,._ -]*\])?"
_PINNED = re.compile(rf"{_NAME}==[A-Za-z0-9.!+_-]+")
_VERSIONS = r"\(?(?:[<>=!~]{1,3}\s*[A-Za-z0-9.*!+_-]+\s*,?\s*)+\)?"  # a name alone might be a file: x.tar.gz
_MARKER = r"(?:;(?:(?!\s-).)*)?"
_REQUIREMENT = re.compile(rf"{_NAME}\s*{_VERSIONS}\s*{_MARKER}(?:\s+--hash=\S+)*")
_INDEX = re.compile(r"(?:-i|-f|--index-url|--extra-index-url|--find-links)[ =]\s*\S+|--no-index|--require-hashes")

# Of the host that installed them, not of the package: they differ from machine to machine.
_OF_THE_HOST = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
_UNREACHABLE = re.compile(r"Retrying \(|Connection|ProxyError|SSLError|timed out|HTTP error|Max retries", re.IGNORECASE)
_NO_WHEEL = (
    "Only wheels are taken, for Python 3.11 on Linux: building a source distribution would run its code on this "
    "machine, outside any sandbox. Build a wheel yourself where you trust the package (`pip wheel --no-deps -w FOLDER "
    "PACKAGE`) and name its folder with --wheels."
)


@dataclass(frozen=True, slots=True)
class Packages:
    """What an own image holds: path and content of every file, and what of it was asked for.

    `modules` has for each distribution that was asked for, as NAME==VERSION, the names that programs import it by.
    """

    files: Mapping[str, bytes]
    modules: Mapping[str, tuple[str, ...]]


def fetch_packages(
    packages: Sequence[str],
    requirements: Path | None,
    wheels: Path | None,
    architecture: str,
    *,
    alone: bool = False,
) -> Packages:
    """Return the packages, with what they depend on unless they are wanted `alone`.

    `packages` are NAME==VERSION, `requirements` is a file of pip's; `wheels` is a folder that stands in for the index.
    `architecture` is the engine's (x86_64, aarch64). Raises InputError for what cannot be asked for and for a package
    without a fitting wheel, EnvironmentFault where pip is missing or the index does not answer.
    """
    for package in packages:
        if not _PINNED.fullmatch(package):
            raise InputError(f"--package {package}: not NAME==VERSION, as in boltons==25.0.0. Name one exact version.")
    if requirements is not None:
        _check_requirements(requirements)
    if wheels is not None and not wheels.is_dir():
        raise InputError(f"--wheels {wheels} is no folder. Name the folder that holds the wheels.")
    with tempfile.TemporaryDirectory() as folder:
        wanted = _wanted(packages, requirements, wheels)
        _install(Path(folder), ["--no-deps", *wanted] if alone else wanted, architecture)
        asked = {_normal(package) for package in packages}
        asked |= set() if requirements is None else {_normal(line) for _, line in _lines(requirements)}
        return Packages(_collect(Path(folder)), _modules(Path(folder), asked))


def _wanted(packages: Sequence[str], requirements: Path | None, wheels: Path | None) -> list[str]:
    file = [] if requirements is None else ["--requirement", str(requirements)]
    source = [] if wheels is None else ["--no-index", "--find-links", str(wheels)]
    return [*source, *file, *packages]


def _check_requirements(path: Path) -> None:
    """Raise InputError for a line that pip could take for more than the name of a package."""
    for number, asked in _lines(path):
        if not (_REQUIREMENT.fullmatch(asked) or _INDEX.fullmatch(asked)):
            raise InputError(
                f"{path}, line {number}: {asked!r} does not name a package by its version, such as boltons==25.0.0 "
                f"(options of an index and --hash may stand there too). {_NO_WHEEL}"
            )


def _lines(requirements: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that asks for something."""
    joined = read_text(requirements).replace("\\\n", "  ")  # a line that goes on; only the last one's number is small
    for number, line in enumerate(joined.splitlines(), 1):
        asked = re.sub(r"(^|\s)#.*", "", line).strip()
        if asked:
            yield number, asked


def _normal(requirement: str) -> str:
    """Return the name that `requirement` begins with, in the one form of all its spellings (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]*", requirement)
    return re.sub(r"[-_.]+", "-", name.group() if name else "").strip("-").lower()


def _modules(folder: Path, asked: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the names to import of each distribution in `folder` that is among `asked`, which are normal names."""
    found = {}
    for distribution in importlib.metadata.distributions(path=[str(folder)]):
        if _normal(distribution.name) in asked:
            paths = [Path(str(file)) for file in distribution.files or () if file.suffix in (".py", ".so")]
            names = {path.parts[0] if len(path.parts) > 1 else inspect.getmodulename(path.name) for path in paths}
            public = sorted(name for name in names if name and name.isidentifier() and not name.startswith("_"))
            found[f"{distribution.name}=={distribution.version}"] = tuple(public)
    return dict(sorted(found.items()))


def _install(folder: Path, wanted: Sequence[str], architecture: str) -> None:
    """Have pip resolve and unpack `wanted`.

    It reads environment markers (`; python_version < "3.12"`) for the Python that it runs on.
    """
    platforms = [f"manylinux_2_{minor}_{architecture}" for minor in range(NEWEST_GLIBC, 4, -1)]
    platforms += [f"manylinux2014_{architecture}", f"linux_{architecture}"]
    command = [
        *(sys.executable, "-m", "pip", "install", "--target", str(folder), "--only-binary=:all:", "--no-compile"),
        *("--python-version", PYTHON, "--implementation", "cp"),
        *(f"--platform={platform}" for platform in platforms),
        *("--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore", *wanted),
    ]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if ended.returncode == 0:
        return
    said = _last_words(ended.stderr)
    if "No module named pip" in ended.stderr:
        raise EnvironmentFault(f"{sys.executable} has no pip, which fetches the packages: `python -m ensurepip`")
    if _UNREACHABLE.search(ended.stderr):
        raise EnvironmentFault(
            f"the packages cannot be fetched, the index does not answer:\n{said}\n"
            "Check the network and pip's settings (`pip config list`), or name a folder of wheels with --wheels."
        )
    remedy = _NO_WHEEL if "No matching distribution" in ended.stderr else "Correct what pip names."
    raise InputError(f"the packages cannot be installed:\n{said}\n{remedy}")


def _last_words(stderr: str) -> str:
    """Return pip's errors, and the last of its warnings that says why an index gave nothing."""
    lines = stderr.strip().splitlines()
    unreachable = [line for line in lines if _UNREACHABLE.search(line) and not line.startswith("ERROR")]
    errors = [line for line in lines if line.startswith("ERROR")]
    return "\n".join([*unreachable[-1:], *errors] or lines[-10:])


def _collect(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if _is_wanted(path.relative_to(folder))}


def _is_wanted(path: Path) -> bool:
    is_script = path.parts[0] == "bin"  # it starts with the path of this machine's Python
    return not (is_script or path.name in _OF_THE_HOST or path.suffix == ".pyc")
