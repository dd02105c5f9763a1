"""What the tests of every Podman need."""

from contextlib import closing
from pathlib import Path

import docker

# What Podman cannot be asked for, or tells otherwise than Docker; docs/security.md says what it means.
PODMANS_OWN = {
    "no file can be written elsewhere",  # /proc/pressure, which it cannot be asked to make read-only
    "16 MiB and 1,024 inodes in /tmp",  # no limit on inodes
    "nothing of the host is mounted",  # passwd and group, which it writes for the container, and empty folders
    "nothing of the host in the environment",  # TERM and container, the same everywhere
    "no shared memory",  # "none" is done, and told as "shareable"
}


def load_image(host: str, archive: Path) -> None:
    """Load the images of `archive` into the engine at `host`."""
    with closing(docker.DockerClient(host)) as client, archive.open("rb") as images:
        client.images.load(images)
