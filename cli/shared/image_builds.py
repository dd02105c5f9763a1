"""Sandbox images built for a command: the standard one, and own ones with packages, each imported once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from ...judging.engine.engine import describe_engine
from ...judging.image.build import build_image, find_image, image_tag
from ...judging.image.own_image import build_own_image, distributions, own_image_tag
from ...judging.image.packages import fetch_packages
from ...judging.sandbox.job import Limits
from ...judging.verify.imports import check_imports
from ...schemas.errors import EdittoolError, EnvironmentFault
from .console import plain, talk


def image_with(
    client: docker.DockerClient,
    packages: Sequence[str],
    requirements: Path | None = None,
    wheels: Path | None = None,
    base: str | None = None,
    *,
    force: bool = False,
) -> str:
    """Return the name of the own image with these packages, built if it is not there; `force` builds it anew.

    Raises EnvironmentFault and InputError where the packages cannot be had.
    """
    build_standard(client, base, fresh=False)
    found = fetch_packages(packages, requirements, wheels, describe_engine(client).architecture)
    _say(f"packages: {', '.join(distributions(found.files))}")
    tag = own_image_tag(found.files)
    if force or not _is_there(client, tag):
        build_own_image(client, found.files, _say, fresh=force)
        _import_once(client, tag, found.modules)
    return tag


def _import_once(client: docker.DockerClient, tag: str, modules: Mapping[str, Sequence[str]]) -> None:
    """Say what importing each package took; an image in which one cannot be imported is removed."""
    try:
        found = check_imports(client, tag, modules)
    except (EdittoolError, KeyboardInterrupt):
        client.images.remove(tag)
        raise
    for each in found:
        _say(f"{each.distribution}: import {', '.join(each.modules)} took {each.cpu_seconds:.1f} s of CPU time, "
             f"{each.peak_mib:.0f} MiB")  # fmt: skip
        for name, reason in each.failed.items():
            talk.print(plain(f"{each.distribution}: {name} cannot be imported: {reason}", "yellow"), soft_wrap=True)
    if (memory := max((each.memory_mib for each in found), default=0)) > Limits().memory_mib:
        talk.print(plain(f"A container needs more memory than {Limits().memory_mib} MiB to import them: give "
                         f"`judge` and `bench build` --memory {memory}", "yellow"), soft_wrap=True)  # fmt: skip


def build_standard(client: docker.DockerClient, base: str | None, *, fresh: bool) -> None:
    """Build the standard image on `base`, if it is not there; `fresh` builds it anew."""
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
