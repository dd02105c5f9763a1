"""`edittool image`: build the sandbox image, and verify that it keeps its promises."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import docker
from rich.table import Table

from ..judging.engine.engine import connect, describe_engine
from ..judging.image.build import build_image, find_image, image_tag
from ..judging.image.own_image import build_own_image, distributions, own_image_tag
from ..judging.image.packages import fetch_packages
from ..judging.verify.check import check_image
from ..judging.verify.promises import Check
from ..schemas.errors import EnvironmentFault
from .shared.console import plain, results, talk
from .shared.exit_codes import DONE, ENVIRONMENT

REMEDY = "`edittool doctor` checks the engine, `edittool image build --force` builds the image anew."


@click.group()
def image() -> None:
    """Build and verify the sandbox image, in which every sample runs."""


@image.command()
@click.option(
    "--base", metavar="IMAGE", help="An image with python3.11 and glibc to build on. [default: found or made]"
)
@click.option("--force", is_flag=True, help="Build every layer anew, even if the image is there.")
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME==VERSION",
    help="A package for an own image; may be given many times.",
)
@click.option(
    "--requirements",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A requirements file of pip: packages for an own image.",
)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Take the packages from the wheels in this folder, not from an index.",
)
def build(
    base: str | None, force: bool, packages: tuple[str, ...], requirements: Path | None, wheels: Path | None
) -> None:
    """Build the sandbox image of this version, if it is not there. Needs no network but for the base.

    With --package or --requirements: an own image, which has third-party packages for the candidate as well. They are
    fetched here, as wheels, from pip's index (or --wheels); the name of the image is printed, for --image.

    \b
    edittool image build
    edittool image build --base python:3.11-slim-bookworm
    edittool image build --package boltons==25.0.0
    edittool image build --package ourlib==2.1 --wheels dist
    """
    own = bool(packages or requirements)
    if wheels and not own:
        raise click.UsageError("--wheels says where packages come from: name them with --package or --requirements.")
    client = connect()
    _build_standard(client, base, fresh=force and not own)
    if not own:
        results.print(plain(image_tag()), soft_wrap=True)
        return
    found = fetch_packages(packages, requirements, wheels, describe_engine(client).architecture)
    _say(f"packages: {', '.join(distributions(found))}")
    tag = own_image_tag(found)
    if force or not _is_there(client, tag):
        build_own_image(client, found, _say, fresh=force)
    results.print(plain(tag), soft_wrap=True)


def _build_standard(client: docker.DockerClient, base: str | None, *, fresh: bool) -> None:
    if fresh or base or not _is_there(client, None):
        build_image(client, base, _say, fresh=fresh)


def _is_there(client: docker.DockerClient, name: str | None) -> bool:
    try:
        find_image(client, name)
    except EnvironmentFault:
        return False
    talk.print(plain(f"{name or image_tag()} is there already (--force builds it anew)"), soft_wrap=True)
    return True


def _say(line: str) -> None:
    talk.print(plain(line, style="dim"), soft_wrap=True)


@image.command()
@click.option("--image", "name", metavar="NAME", help="An own image, by the name that `image build` printed.")
@click.option("--runtime", metavar="NAME", help="The OCI runtime to verify with. [default: the engine's]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def verify(name: str | None, runtime: str | None, as_json: bool) -> int:
    """Try inside a container of the image what a hostile program would; exit with 3 if a promise is broken.

    \b
    edittool image verify
    edittool image verify --runtime runsc --json
    """
    client = connect()
    found = check_image(client, find_image(client, name), runtime)
    if as_json:
        results.print_json(json.dumps([asdict(check) for check in found]))
    else:
        results.print(plain(name or image_tag()), soft_wrap=True)
        results.print(_table(found))
    broken = sum(not check.kept for check in found)
    if broken:
        talk.print(
            plain(f"{broken} of {len(found)} promises are broken: do not judge with this. {REMEDY}"), soft_wrap=True
        )
    return ENVIRONMENT if broken else DONE


def _table(found: list[Check]) -> Table:
    table = Table("promise", "kept", "seen")
    for check in found:
        kept = plain("yes", style="green") if check.kept else plain("no", style="bold red")
        table.add_row(plain(check.promise), kept, plain(check.seen))
    return table
