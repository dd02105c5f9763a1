"""Which images an engine has, which of them this version needs, and that the others can be removed."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from edittool.judging.image.build import PACKAGE_BASE, REPOSITORY, RUNNER_LABEL, image_tag
from edittool.judging.image.inventory import list_images, remove_images, useless
from edittool.judging.image.own_image import PACKAGES_LABEL, build_own_image

from ...engines import private_engine

OLD = f"{REPOSITORY}:0123456789abcdef"
OLD_OWN = f"{OLD}-fedcba9876543210"
BASE = f"{PACKAGE_BASE}:0123456789abcdef"


@pytest.fixture(scope="module")
def client(sandbox_archive: Path) -> Iterator[docker.DockerClient]:
    """Return a client of an engine of its own: what is removed there is nobody's."""
    with private_engine(image=sandbox_archive) as engine, closing(engine.client()) as client:
        yield client


def make(client: docker.DockerClient, name: str, base: str, **labels: str) -> None:
    recipe = io.BytesIO(f"FROM {base}\n".encode())
    client.images.build(fileobj=recipe, tag=name, labels=labels, network_mode="none", rm=True)


def test_the_images_of_this_version_stay_and_the_others_go(client: docker.DockerClient) -> None:
    own = build_own_image(client, {"ourlib.py": b"", "ourlib-1.0.dist-info/METADATA": b""}, lambda line: None)
    make(client, OLD, image_tag(), **{RUNNER_LABEL: OLD})
    make(client, OLD_OWN, OLD, **{PACKAGES_LABEL: "ourlib==1.0, other==2.0"})
    make(client, BASE, OLD)
    make(client, "somebody/elses:1", OLD)
    found = {image.name: image for image in list_images(client)}
    assert {name: (image.kind, image.of_this_version, image.packages) for name, image in found.items()} == {
        image_tag(): ("standard", True, ()),
        own: ("own", True, ("ourlib==1.0",)),
        OLD: ("standard", False, ()),
        OLD_OWN: ("own", False, ("ourlib==1.0", "other==2.0")),
        BASE: ("base", False, ()),
    }
    assert [image.of_this_version for image in found.values()] == [True, True, False, False, False]
    assert found[image_tag()].mib > 20

    chosen = useless(list(found.values()), own=False)
    assert [image.name for image in chosen] == [OLD_OWN, OLD, BASE]
    assert own in [image.name for image in useless(list(found.values()), own=True)]

    holder = client.containers.create(OLD_OWN)
    try:
        told = [(image.name, bool(reason)) for image, reason in remove_images(client, chosen[:1])]
        assert told == [(OLD_OWN, True)]
    finally:
        holder.remove()
    assert [reason for _, reason in remove_images(client, chosen)] == ["", "", ""]
    assert [reason for _, reason in remove_images(client, chosen)] == ["", "", ""]
    assert [image.name for image in list_images(client)] == [image_tag(), own]
    assert client.images.get("somebody/elses:1")
