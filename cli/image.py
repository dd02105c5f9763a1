"""`edittool image`: build the sandbox image, and verify that it keeps its promises."""

import json
from dataclasses import asdict

import click
from rich.table import Table

from ..judging.engine import connect
from ..judging.image_check import Check, check_image
from ..judging.images import build_image, find_image, image_tag
from ..schemas.errors import EnvironmentFault
from .console import plain, results, talk
from .exit_codes import DONE, ENVIRONMENT


@click.group()
def image() -> None:
    """Build and verify the sandbox image, in which every sample runs."""


@image.command()
@click.option(
    "--base", metavar="IMAGE", help="An image with python3.11 and glibc to build on. [default: found or made]"
)
@click.option("--force", is_flag=True, help="Build every layer anew, even if the image is there.")
def build(base: str | None, force: bool) -> None:
    """Build the sandbox image of this version, if it is not there. Needs no network but for the base.

    \b
    edittool image build
    edittool image build --base python:3.11-slim-bookworm
    """
    client = connect()
    if not (force or base):
        try:
            find_image(client)
        except EnvironmentFault:
            pass
        else:
            talk.print(plain(f"{image_tag()} is there already (--force builds it anew)"))
            return
    build_image(client, base, lambda line: talk.print(plain(line, style="dim"), soft_wrap=True), fresh=force)
    results.print(plain(image_tag()))


@image.command()
@click.option("--runtime", metavar="NAME", help="The OCI runtime to verify with. [default: the engine's]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def verify(runtime: str | None, as_json: bool) -> int:
    """Look around inside a container of the image; exit with 3 if a promise of the sandbox is broken.

    \b
    edittool image verify
    edittool image verify --runtime runsc --json
    """
    client = connect()
    found = check_image(client, find_image(client), runtime)
    if as_json:
        results.print_json(json.dumps([asdict(check) for check in found]))
    else:
        results.print(_table(found))
    return DONE if all(check.kept for check in found) else ENVIRONMENT


def _table(found: list[Check]) -> Table:
    table = Table("promise", "kept", "seen", title=image_tag())
    for check in found:
        kept = plain("yes", style="green") if check.kept else plain("no", style="bold red")
        table.add_row(plain(check.promise), kept, plain(check.seen))
    return table
