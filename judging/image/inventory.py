"""Which images of edittool an engine has: those of this version, own ones, bases, and what other versions left."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import docker
from docker.errors import APIError

from ..engine.engine import engine_faults
from .build import BASE_LABEL, PACKAGE_BASE, REPOSITORY, RUNNER_LABEL, image_tag
from .own_image import PACKAGES_LABEL

Kind = Literal["standard", "own", "base"]

_IN_USE: Final = 409


@dataclass(frozen=True, slots=True)
class Image:
    """An image under one of its names.

    `packages` are those of an own image, as NAME==VERSION. `of_this_version` is whether this version of edittool takes
    it, or its standard image was built on it. `created` is the engine's time (RFC 3339); `mib` counts what it shares
    with other images too.
    """

    name: str
    kind: Kind
    packages: tuple[str, ...]
    of_this_version: bool
    created: str
    mib: float


def list_images(client: docker.DockerClient) -> list[Image]:
    """Return the images of edittool, those of this version first. Raises EnvironmentFault when the engine is lost."""
    with engine_faults():
        found = [
            (name, image)
            for repository in (REPOSITORY, PACKAGE_BASE)
            for image in client.images.list(repository)
            for name in image.tags
            if name.startswith(f"{repository}:")
        ]
    used = {image.labels.get(BASE_LABEL) for name, image in found if name == image_tag()}
    images = [
        Image(
            name,
            _kind(name, image.labels),
            tuple(filter(None, image.labels.get(PACKAGES_LABEL, "").split(", "))),
            name in used or image.labels.get(RUNNER_LABEL) == image_tag(),
            image.attrs["Created"],
            image.attrs["Size"] / 2**20,
        )
        for name, image in found
    ]
    order: Final = ("standard", "own", "base")
    return sorted(images, key=lambda image: (not image.of_this_version, order.index(image.kind), image.name))


def _kind(name: str, labels: dict[str, str]) -> Kind:
    if name.startswith(f"{PACKAGE_BASE}:"):
        return "base"
    return "own" if PACKAGES_LABEL in labels else "standard"


def useless(images: list[Image], *, own: bool) -> list[Image]:
    """Return those of `images` that this version does not need; with `own`, its own images too.

    Own images come before what they were built on, so that an engine lets go of both.
    """
    chosen = [image for image in images if not image.of_this_version or (own and image.kind == "own")]
    return sorted(chosen, key=lambda image: ("own", "standard", "base").index(image.kind))


def remove_images(client: docker.DockerClient, images: list[Image]) -> Iterator[tuple[Image, str]]:
    """Remove `images` and yield each with the reason why it is still there, which is empty where it has gone.

    An image that a container uses stays. Raises EnvironmentFault when the engine is lost.
    """
    for image in images:
        reason = ""
        with engine_faults():
            try:
                client.images.remove(image.name)
            except docker.errors.ImageNotFound:
                pass  # somebody else was faster
            except APIError as error:
                if error.status_code != _IN_USE:
                    raise
                reason = str(error.explanation)
        yield image, reason
