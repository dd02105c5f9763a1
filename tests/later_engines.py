"""The engines of Debian 13 beside this machine's own, each in a mount namespace with that release as its root.

`scripts/setup-later-engines.sh` makes the root; engines share it, and keep what they change in folders of their own.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from .engines import PREFIX, PrivateEngine, remove_abandoned
from .other_engines import Service, podman_in
from .tiers import refuse_if_pure

# In the developer's cache, not in that of a test.
CACHE: Final = os.environ.get("EDITTOOL_CACHE") or Path(__file__).resolve().parent.parent / ".cache" / "edittool"
ROOT: Final = Path(CACHE, "engines-trixie")
# Becomes the given command with the folder $0 as its root. Whatever is mounted vanishes with the namespace.
ENTER: Final = """
set -e
mount --bind "$0" "$0"
for part in proc sys dev tmp; do mount --rbind "/$part" "$0/$part"; done
for part in run dev/shm; do mount -t tmpfs tmpfs "$0/$part"; done
cd "$0"
pivot_root . was
umount --lazy was
exec "$@"
"""
WITHOUT_UNIFIED: Final = """#!/bin/sh
exec unshare --mount --propagation slave sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"' crun "$@"
"""
RUNTIMES: Final = """{{"runtimes": {{
  "crun": {{"path": "{crun}"}},
  "runsc": {{"path": "/usr/bin/runsc", "runtimeArgs": ["--network=none", "--oci-seccomp"]}}
}}}}
"""


class LaterEngine(PrivateEngine):
    """Debian 13's Docker Engine with runc, crun and gVisor; dockerd looks after a containerd of its own."""

    def start(self) -> None:
        """Start dockerd, on the state that is there, and wait until it answers."""
        crun = self.folder / "crun"
        crun.write_text(WITHOUT_UNIFIED)
        crun.chmod(0o755)
        (self.folder / "daemon.json").write_text(RUNTIMES.format(crun=crun))
        self._dockerd = self._spawn(*entering(later_root()), "dockerd", *self._dockerd_flags(), *self._flags)
        self._wait_for(self._answers, self._dockerd)

    def _dockerd_flags(self) -> list[str]:
        return [flag for flag in super()._dockerd_flags() if not flag.startswith("--containerd=")]


def later_root() -> Path:
    """Return the root of the later release. Skips the test where there is none."""
    refuse_if_pure("an engine of a later release")
    if os.getuid() != 0:
        pytest.skip(f"only root can start engines in a root of their own; this is user {os.getuid()}")
    if not ROOT.is_dir():
        pytest.skip(f"no engines of Debian 13 in {ROOT}: `make engines` makes them where it can, and says why not")
    return ROOT


def entering(root: Path) -> Sequence[str]:
    """Return what makes a command run with `root` as its root."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, str(root)]


@contextmanager
def later_engine(image: Path) -> Iterator[LaterEngine]:
    """Start Debian 13's Docker Engine with the images of the archive `image`; nothing of it is left afterwards."""
    later_root()
    remove_abandoned()
    engine = LaterEngine(Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/tmp")))
    try:
        engine.start()
        engine.load(image)
        yield engine
    finally:
        engine.close()


@contextmanager
def later_podman() -> Iterator[Service]:
    """Start the service of Debian 13's Podman as root."""
    with podman_in(entering(later_root())) as service:
        yield service
