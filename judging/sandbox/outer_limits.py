"""The limits of a container as its machine's control groups have them: gVisor shows none of them inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...sandbox_images.python.trusted.confinement import read_limits
from ...schemas.errors import EnvironmentFault

GROUPS = "/sys/fs/cgroup"
CONTROLLERS = ("memory", "pids", "cpu")


def read_outer_limits(identity: str, process: int) -> dict[str, Any]:
    """Return the limits of the container `identity`, whose first process is `process` on the engine's machine.

    Raises EnvironmentFault where that is another machine, and where the control groups are not to be seen.
    """
    try:
        text = Path(f"/proc/{process}/cgroup").read_text(encoding="utf-8")
    except OSError:
        text = ""
    groups = groups_in(text)
    folders = [_folder(controller, groups) for controller in CONTROLLERS]
    if not all(identity in folder and Path(folder).is_dir() for folder in folders):
        raise EnvironmentFault(
            "The limits of a gVisor container are to be seen in the control groups of its machine alone, and this "
            f"container's are not to be found in {GROUPS} here. Run edittool on the engine's own machine, outside any "
            "container, or use a runtime such as runc."
        )
    return read_limits(*folders)


def groups_in(text: str) -> Mapping[str, str]:
    """Return the group of each controller that /proc/PID/cgroup names; that of version 2 under the empty name."""
    lines = (line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2)
    return {controller: group for _, controllers, group in lines for controller in controllers.split(",")}


def _folder(controller: str, groups: Mapping[str, str]) -> str:
    if controller in groups:
        return f"{GROUPS}/{controller}{groups[controller]}"
    return f"{GROUPS}{groups.get('', '')}"
