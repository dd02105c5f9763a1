"""`edittool bench new`: files to begin a benchmark of an own library with."""

import platform
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...schemas.errors import InputError
from ..shared.console import plain, talk

if TYPE_CHECKING:
    from ...benchmark.scaffold.compare import Comparison
    from ...benchmark.scaffold.public_api import PublicApi

_SAID = {"gone": "names gone", "signature": "signatures changed", "deprecated": "names deprecated"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--package", metavar="NAME", help="Propose changes of this package, from two of its versions.")
@click.option("--old", metavar="VERSION", help="The version before the changes.")
@click.option("--new", metavar="VERSION", help="The version after them.")
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Take both versions from the wheels in this folder, not from an index.",
)
def new(folder: Path, package: str | None, old: str | None, new: str | None, wheels: Path | None) -> None:
    """Write FOLDER/changes.yaml and FOLDER/problems.yaml, to be filled in for your own library.

    With --package, --old and --new: both versions are fetched as wheels, their source is read and never run, and what
    changed between them is proposed in changes.yaml, commented out: names that are gone with what may stand for them,
    signatures that a call would notice, and names that are deprecated. Choose from it.

    \b
    edittool bench new own
    edittool bench new own --package semver --old 2.13.0 --new 3.0.2
    edittool bench new own --package ourlib --old 1.4 --new 2.0 --wheels dist
    """
    from ...benchmark.scaffold.write import changes_yaml, problems_yaml

    _check_options(package, old, new, wheels)
    paths = folder / "changes.yaml", folder / "problems.yaml"
    _check_free(paths[0], paths[1])
    comparison = _compare(package, old, new, wheels) if package and old and new else None
    _write(paths[0], changes_yaml(comparison, f"{package} {old} -> {new}"))
    _write(paths[1], problems_yaml())
    talk.print(plain(f"written: {paths[0]}, {paths[1]}", "green"), soft_wrap=True)
    named = [shlex.quote(str(path)) for path in (*reversed(paths), folder / "bench")]
    build = f"edittool bench build --problems {named[0]} --changes {named[1]} -o {named[2]}"
    if comparison is None:
        talk.print(plain(f"next: {build}"), soft_wrap=True)
        return
    before, after = (shlex.quote(f"{package}=={version}") for version in (old, new))
    talk.print(plain(f"next: choose in {paths[0]}, write problems, then\n"
                     f"OLD=$(edittool image build --package {before})\nNEW=$(edittool image build --package {after})\n"
                     f'{build} --old-image "$OLD" --new-image "$NEW"'), soft_wrap=True)  # fmt: skip


def _check_options(package: str | None, old: str | None, new: str | None, wheels: Path | None) -> None:
    if package and not (old and new):
        raise click.UsageError("--package needs two versions to compare: give --old VERSION and --new VERSION.")
    if not package and (old or new or wheels):
        raise click.UsageError("--old, --new and --wheels are about a package: name it with --package.")
    if old and old == new:
        raise click.UsageError(f"--old and --new are both {old}: name two versions.")


def _check_free(*paths: Path) -> None:
    for path in paths:
        if path.exists() or path.is_symlink():
            raise InputError(f"{path} is there already, and is kept. Move it away, or name another folder.")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}. Name another folder.") from None


def _compare(package: str, old: str, new: str, wheels: Path | None) -> "Comparison":
    from ...benchmark.scaffold.compare import compare

    apis = [_read(f"{package}=={version}", wheels) for version in (old, new)]
    found = compare(*apis)
    counts = Counter[str](proposal.sort for proposal in found.proposals)
    if found.proposals:
        said = ", ".join(f"{words}: {counts[sort]}" for sort, words in _SAID.items())
        talk.print(plain(f"proposals: {said}; without a replacement: {len(found.without)}"), soft_wrap=True)
    else:
        talk.print(plain(f"nothing to propose was found between {package} {old} and {new}", "yellow"), soft_wrap=True)
    return found


def _read(distribution: str, wheels: Path | None) -> "PublicApi":
    from ...benchmark.scaffold.public_api import read_public_api
    from ...judging.image.packages import fetch_packages

    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    api = read_public_api(fetch_packages([distribution], None, wheels, machine, alone=True).files)
    if not api.by_path and api.compiled:
        talk.print(plain(f"{distribution}: its API is in compiled modules only: their signatures cannot be read",
                         "yellow"), soft_wrap=True)  # fmt: skip
    elif api.compiled:
        talk.print(plain(f"{distribution}: {len(api.compiled)} compiled modules cannot be read", "dim"), soft_wrap=True)
    return api
