"""The sandbox images of the benchmarks that come with edittool: found if they are there, else built."""

from collections.abc import Sequence
from contextlib import closing

from ...benchmark.shipped import SHIPPED
from ...judging.engine.engine import connect
from .image_builds import image_with


def image_of(bench: str, image: str | None) -> str | None:
    """Return `image` where one was named, else that of the shipped benchmark `bench`; None for the standard one."""
    shipped = SHIPPED.get(bench)
    return image or (_image(shipped.packages) if shipped else None)


def old_image_of(bench: str, image: str | None) -> str | None:
    """Return the image before the changes of `bench`, as `image_of` does the one after them."""
    shipped = SHIPPED.get(bench)
    return image or (_image(shipped.old_packages) if shipped else None)


def _image(packages: Sequence[str]) -> str | None:
    if not packages:
        return None
    with closing(connect()) as client:
        return image_with(client, packages)
