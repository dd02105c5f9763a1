"""The locks of a container as each engine takes them: Docker as they are, Podman in a dialect of its own."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.types import Ulimit

from ...schemas.errors import EnvironmentFault
from ...schemas.folders import SharedPlaceError, cache_folder, check_private, make_private
from ...schemas.whole_files import aside, write_faults
from .engine import is_podmans

SECCOMP = "seccomp="
PODMANS_FOLDERS = ("/run", "/var/tmp")  # noqa: S108 - the container's own
READ_ONLY = "ro,noexec,nosuid,nodev,size=4k"
PODMANS_PROCESSES = 1024  # far over the limit of the control group, which is the one that counts and is reported


def host_config(api: APIClient, locks: Mapping[str, Any]) -> dict[str, Any]:
    """Return `locks`, written as for Docker, as the engine of `api` takes them, for its `create_host_config`.

    Raises EnvironmentFault when that engine cannot be told of one of them.
    """
    return podmans(locks, api.base_url) if is_podman(api) else dict(locks)


@lru_cache(maxsize=4)  # every container asks
def is_podman(api: APIClient) -> bool:
    """Tell whether the engine of `api` is Podman."""
    return is_podmans(api.version())


def podmans(locks: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Return `locks` as Podman takes them.

    It reads the seccomp profile from a file of its own machine, and knows no limit on the inodes of a tmpfs: what they
    take counts as the container's memory. Into a read-only root it mounts writable folders, unless told of them. What
    is not limited it raises as far as it may, and fails where root itself may not (without CAP_SYS_RESOURCE): so the
    number of processes gets a limit here as well.
    """
    options = [_by_file(option, address) for option in locks["security_opt"]]
    tmpfs = {path: _without_inodes(mount) for path, mount in locks["tmpfs"].items()}
    tmpfs |= dict.fromkeys(PODMANS_FOLDERS, READ_ONLY)
    processes = Ulimit(name="nproc", soft=PODMANS_PROCESSES, hard=PODMANS_PROCESSES)
    return {**locks, "security_opt": options, "tmpfs": tmpfs, "ulimits": [*locks["ulimits"], processes]}


def _by_file(option: str, address: str) -> str:
    if not option.startswith(SECCOMP):
        return option
    if address != "http+docker://localhost":  # the library's name for a socket of this machine
        raise EnvironmentFault(
            f"Podman at {address} reads the seccomp profile from a file of its own machine, where edittool cannot put "
            "it. Run edittool on that machine, or use a Docker Engine there."
        )
    return SECCOMP + str(_keep(option.removeprefix(SECCOMP)))


def _keep(profile: str) -> Path:
    """Write `profile` to the user's cache folder, under a name that says its content, and return the file.

    Raises EnvironmentFault where others could put another profile there before the engine reads it.
    """
    folder = cache_folder() / "seccomp"
    path = folder / f"{hashlib.sha256(profile.encode()).hexdigest()[:16]}.json"
    with write_faults(folder, note="Podman is to read the seccomp profile there; EDITTOOL_CACHE names another folder."):
        make_private(folder)
        try:
            check_private(path)
        except SharedPlaceError as error:
            raise EnvironmentFault(f"The seccomp profile that Podman reads is not safe: {error}.") from None
        if path.is_file() and path.read_text(encoding="utf-8") == profile:
            return path
        with aside(path, mode=0o644) as temporary:  # Podman may run as another user
            temporary.write_text(profile, encoding="utf-8")
    return path


def _without_inodes(mount: str) -> str:
    return ",".join(option for option in mount.split(",") if not option.startswith("nr_inodes="))
