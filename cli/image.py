"""`edittool image`: build sandbox images, verify that they keep their promises, list and remove them."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from ..judging.engine.engine import connect
from ..judging.image.build import find_image, image_tag
from ..judging.image.inventory import Image, list_images, remove_images, useless
from ..judging.verify.check import check_image
from ..judging.verify.promises import Check
from .shared.console import plain, results, talk
from .shared.exit_codes import DONE, ENVIRONMENT
from .shared.image_builds import build_standard, image_with

REMEDY = "`edittool doctor` checks the engine, `edittool image build --force` builds the image anew."


@click.group()
def image() -> None:
    """Build, verify, list and remove sandbox images, in which every sample runs."""


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
    fetched here, as wheels, from pip's index (or --wheels), and imported once in the sandbox; where one of those named
    does not import, there is no image. The name of the image is printed, for --image.

    \b
    edittool image build
    edittool image build --base python:3.11-slim-bookworm
    edittool image build --package boltons==25.0.0
    edittool image build --package numpy==1.26.4 --package pandas==2.2.3
    edittool image build --package ourlib==2.1 --wheels dist
    """
    own = bool(packages or requirements)
    if wheels and not own:
        raise click.UsageError("--wheels says where packages come from: name them with --package or --requirements.")
    client = connect()
    if not own:
        build_standard(client, base, fresh=force)
        results.print(plain(image_tag()), soft_wrap=True)
        return
    tag = image_with(client, packages, requirements, wheels, base, force=force)
    results.print(plain(tag), soft_wrap=True)


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


@image.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(as_json: bool) -> None:
    """List the images of edittool that the engine has, those of this version first.

    \b
    edittool image list
    edittool image list --json
    """
    found = list_images(connect())
    if as_json:
        results.print_json(json.dumps([asdict(each) for each in found]))
    elif found:
        results.print(_images(found), soft_wrap=True)
    else:
        talk.print(plain("the engine has no image of edittool: `edittool image build` makes one"), soft_wrap=True)


@image.command()
@click.option("--own", is_flag=True, help="Remove own images of this version as well.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(own: bool, dry_run: bool, yes: bool) -> None:
    """Remove the images of other versions of edittool, and bases that no image of this version is built on.

    Who shares the engine with you, and uses another version, has to build theirs again. An image that a container uses
    stays.

    \b
    edittool image prune --dry-run
    edittool image prune --own --yes
    """
    client = connect()
    chosen = useless(list_images(client), own=own)
    if not chosen:
        talk.print(plain("no image is to be removed"))
        return
    if dry_run:
        results.print(_images(chosen), soft_wrap=True)
        return
    if not yes and not _agreed(chosen):
        talk.print(plain("no image was removed"))
        return
    for each, reason in remove_images(client, chosen):
        if reason:
            talk.print(plain(f"{each.name} stays: {reason}", "yellow"), soft_wrap=True)
        else:
            results.print(plain(f"removed {each.name}"), soft_wrap=True)


def _agreed(chosen: Sequence[Image]) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("there is nobody to ask: give --yes, or --dry-run to see what would be removed.")
    talk.print(_images(chosen), soft_wrap=True)
    return click.confirm("Remove them?", err=True)


def _images(found: Sequence[Image]) -> Text:
    """Return a line for each image: no table, for its name is there to be copied, and long."""
    width = max(len(each.name) for each in found)
    lines = (
        f"{each.name:{width}}  {each.kind:8} {each.mib:5,.0f} MiB  {each.created[:10]}  "
        f"{'' if each.of_this_version else 'of another version  '}{', '.join(each.packages)}".rstrip()
        for each in found
    )
    return plain("\n".join(lines))
