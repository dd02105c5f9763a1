"""What many tests need: a real engine, the real sandbox image, and the folder of the public data sets."""

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from edittool.judging.engine import connect
from edittool.judging.images import find_image
from edittool.schemas.errors import EnvironmentFault

from .engines import save_sandbox_image

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """Return a client of the running engine, which has the sandbox image. Fails without: nothing stands in for them."""
    try:
        client = connect()
        find_image(client)
    except EnvironmentFault as fault:
        pytest.fail(f"these tests need Docker and the sandbox image (`make setup`): {fault}", pytrace=False)
    yield client
    client.close()


@pytest.fixture(scope="session")
def sandbox_archive(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of the sandbox image, for engines of a test's own."""
    return save_sandbox_image(docker_client, tmp_path_factory.mktemp("image") / "sandbox.tar")


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of the public data sets: $EDITTOOL_DATASETS, or shared/datasets beside the repository."""
    folder = Path(os.environ.get("EDITTOOL_DATASETS") or REPOSITORY.parent / "shared" / "datasets")
    if not folder.is_dir():
        pytest.skip(
            f"no data sets in {folder}; they do not ship with the project (EDITTOOL_DATASETS names another folder)"
        )
    return folder
