"""`edittool doctor`: what this machine has, what it lacks, and the fix for each."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from typing import Literal

import click
import docker
from rich.table import Table

from ..judging.engine.engine import FIX, EngineFacts, connect, describe_engine
from ..judging.engine.support import KNOWN_ON, end_of_support
from ..judging.image.build import ImageMissingError, find_image, image_tag
from ..judging.sandbox.flags import FLAGS, MIB, NOT_CONFINED, memory_bytes
from ..judging.sandbox.options import SandboxOptions
from ..judging.sandbox.runtimes import try_runtime
from ..schemas.errors import EnvironmentFault
from ..schemas.folders import SharedPlaceError, cache_folder, check_private
from .shared.console import plain, results
from .shared.exit_codes import DONE, ENVIRONMENT

ENGINE_SECONDS = 10
SANDBOX_SECONDS = 30
TORCH_SECONDS = 120
GIB = 2**30
ENOUGH_DISK = 2 * GIB  # the image, its base and the layers between take a few hundred MiB
ENOUGH_MEMORY = 1 * GIB  # a few sandboxes of 256 MiB, and the tool itself
# Words of a refusal, and what helps.
RUNTIME_FIXES = {
    "cgroups in hybrid mode": "boot with cgroup v2 alone (systemd.unified_cgroup_hierarchy=1), or use runc",
    "network enabled in root network namespace": "give runsc the runtimeArgs --network=none in daemon.json",
    "failed to load /usr/bin/python3": "this is gVisor, which edittool knows by its program, runsc, or by a name with "
    "that word, under a Docker Engine; see docs/how-to/choose-a-runtime.md",
    "seccomp is False": "give runsc the runtimeArgs --oci-seccomp in daemon.json; for any other runtime, see `seccomp`",
    "timed out": "the runtime hangs here, or the machine has too much else to do: choose another one, or try again",
    "opening seccomp profile failed": "set EDITTOOL_CACHE to a folder of this machine that Podman's user may read",
    "apparmor_parser": "apt-get install apparmor: this kernel has AppArmor on, and the engine cannot load its profile",
    NOT_CONFINED: "see the lines `limits` and `cgroups`",
}
STYLES = {"ok": "green", "warn": "yellow", "missing": "bold red"}


@dataclass(frozen=True, slots=True)
class Line:
    """What was found about one subject. A missing thing that judging needs makes judging impossible."""

    subject: str
    state: Literal["ok", "warn", "missing"]
    found: str
    fix: str = ""
    judging_needs_it: bool = True


@click.command()
@click.option("--probe", is_flag=True, help="Start a sandbox with each of the engine's runtimes, not only the default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def doctor(probe: bool, as_json: bool) -> int:
    """Check this machine, and print the fix for whatever is missing; exit with 3 if it cannot judge.

    A sandbox is really started, and asked what it sees of its own confinement.

    \b
    edittool doctor
    edittool doctor --probe
    edittool doctor --json
    DOCKER_HOST=unix:///run/user/1000/docker.sock edittool doctor    another engine
    """
    lines = [*_engine_lines(probe), *_machine_lines(), *_torch_lines()]
    possible = not any(line.state == "missing" and line.judging_needs_it for line in lines)
    if as_json:
        results.print_json(json.dumps({"judging_possible": possible, "checks": [asdict(line) for line in lines]}))
    else:
        results.print(_table(lines))
        results.print("judging is possible" if possible else "judging is not possible yet: see the fixes above")
    return DONE if possible else ENVIRONMENT


def _table(lines: list[Line]) -> Table:
    table = Table("subject", "state", "found", "fix")
    for line in lines:
        table.add_row(line.subject, plain(line.state, style=STYLES[line.state]), plain(line.found), plain(line.fix))
    return table


def _engine_lines(probe: bool) -> Iterator[Line]:
    try:
        client = connect(timeout=ENGINE_SECONDS)
        facts = describe_engine(client)
    except EnvironmentFault as fault:
        cause, _, fix = str(fault).partition(FIX)
        yield Line("engine", "missing", cause, fix)
        return
    yield Line("engine", "ok", f"{facts.name} {facts.version}, {facts.storage_driver}, {facts.operating_system}")
    yield support_line(facts.name, facts.version, date.today())
    yield _seccomp_line(facts)
    yield _cgroup_line(facts)
    yield _limits_line(facts)
    yield Line("rootless", "ok", "yes" if facts.rootless else "no")
    yield Line("user namespaces", "ok", "root inside is nobody outside" if facts.remapped else "not remapped")
    yield Line("runtimes", "ok", f"{', '.join(facts.runtimes) or 'none named'} (default: {facts.default_runtime})")
    yield _capacity_line(facts)
    yield from (Line("engine warning", "warn", warning) for warning in facts.warnings)
    yield _image_line(client)
    yield from _sandbox_lines(client, facts, probe)


def support_line(engine: str, version: str, today: date) -> Line:
    """Return whether the makers of this release of an engine still mend it."""
    found = end_of_support(engine, version)
    if found is None:
        return Line("engine's support", "ok", f"{version} is not in edittool's table", judging_needs_it=False)
    line, end = found
    if end is None:
        said = f"{line}: no end was announced by {KNOWN_ON:%B %Y}"
    elif today < end:
        said = f"{line}: until {end:%-d %B %Y}"
    else:
        fix = (
            "keep the packages up to date if a distribution still patches them (Debian and Ubuntu do while the release "
            "is theirs), else install a newer engine: a hole in it is a way out of the sandbox"
        )
        ended = f"{line}: its makers' support ended on {end:%-d %B %Y}"
        return Line("engine's support", "warn", ended, fix, judging_needs_it=False)
    return Line("engine's support", "ok", said, judging_needs_it=False)


def _seccomp_line(facts: EngineFacts) -> Line:
    if facts.seccomp:
        return Line("seccomp", "ok", "supported")
    fix = "use a kernel and an engine with seccomp: without it, programs reach the whole kernel"
    return Line("seccomp", "missing", "not supported by this engine", fix)


def _limits_line(facts: EngineFacts) -> Line:
    if not facts.missing_limits:
        *others, last = (flag.name for flag in FLAGS.values() if flag.engine_limit not in ("", "swap"))
        return Line("limits", "ok", f"{', '.join(others)} and {last}")
    found = f"{facts.name} cannot limit {', '.join(facts.missing_limits)}"
    if facts.missing_limits == ("swap",):
        return Line(
            "limits", "warn", found, "boot with swapaccount=1, or without swap: judging refuses where it matters"
        )
    if facts.rootless and facts.cgroup_version == 2:
        controllers = " ".join(facts.missing_limits)
        fix = (
            f"delegate them to the user: `Delegate={controllers}` below [Service] in "
            "/etc/systemd/system/user@.service.d/delegate.conf, `systemctl daemon-reload`, log in again"
        )
        return Line("limits", "missing", found, fix)
    if facts.rootless:
        fix = "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or use a rootful engine: v1 is root's alone"
        return Line("limits", "missing", found, fix)
    return Line("limits", "missing", found, "boot with these cgroup controllers: see /proc/cgroups")


def _cgroup_line(facts: EngineFacts) -> Line:
    found = f"version {facts.cgroup_version}, driver {facts.cgroup_driver}"
    if facts.cgroup_driver == "none" and not facts.rootless:
        fix = "start the engine where it may write to /sys/fs/cgroup: without, there are no limits"
        return Line("cgroups", "missing", found, fix)
    return Line("cgroups", "ok", found)


def _capacity_line(facts: EngineFacts) -> Line:
    found = f"{facts.cpus} cores, {facts.memory_bytes / GIB:.1f} GiB of memory"
    if facts.memory_bytes >= ENOUGH_MEMORY:
        return Line("capacity", "ok", found)
    return Line(
        "capacity",
        "warn",
        found,
        f"judge with few workers: each sandbox may use {memory_bytes(SandboxOptions()) / MIB:g} MiB",
    )


def _image_line(client: docker.DockerClient) -> Line:
    try:
        find_image(client)
    except ImageMissingError:
        return Line("sandbox image", "missing", f"{image_tag()} is not built", "edittool image build")
    except EnvironmentFault as fault:
        cause, _, fix = str(fault).partition(FIX)
        return Line("sandbox image", "missing", cause, fix)
    return Line("sandbox image", "ok", image_tag())


def _sandbox_lines(client: docker.DockerClient, facts: EngineFacts, probe: bool) -> Iterator[Line]:
    """Yield what came of starting a sandbox: with the default runtime, and to `probe` with each of the others."""
    try:
        image = find_image(client)
    except EnvironmentFault:
        return
    client.api.timeout = SANDBOX_SECONDS
    default = SandboxOptions(start_seconds=SANDBOX_SECONDS)
    yield _sandbox_line(f"sandbox ({facts.default_runtime})", try_runtime(client, image, default), needed=True)
    for runtime in facts.runtimes if probe else ():
        if runtime != facts.default_runtime:
            reason = try_runtime(client, image, replace(default, runtime=runtime))
            yield _sandbox_line(f"sandbox ({runtime})", reason, needed=False)


def _sandbox_line(subject: str, reason: str, needed: bool) -> Line:
    if not reason:
        return Line(subject, "ok", "starts, and is confined as asked", judging_needs_it=needed)
    fix = next((fix for words, fix in RUNTIME_FIXES.items() if words in reason), "see the other lines")
    return Line(subject, "missing" if needed else "warn", reason, fix, judging_needs_it=needed)


def _machine_lines() -> Iterator[Line]:
    yield Line("python", "ok", f"{sys.version.split()[0]}, {os.cpu_count()} cores")
    for subject, folder in (("disk here", "."), ("disk of Docker", "/var/lib/docker")):
        if os.path.isdir(folder):
            yield _disk_line(subject, folder)
    yield _cache_line()


def _disk_line(subject: str, folder: str) -> Line:
    free = shutil.disk_usage(folder).free
    found = f"{free / GIB:.1f} GiB free"
    if free >= ENOUGH_DISK:
        return Line(subject, "ok", found)
    return Line(subject, "warn", found, f"make room on the disk of {os.path.abspath(folder)}; `docker system df` helps")


def _cache_line() -> Line:
    """Return whether the judge uses the cache: not one that others can write to, by which they would give verdicts."""
    folder = cache_folder()
    try:
        check_private(folder / "verdicts.sqlite")
    except (SharedPlaceError, OSError) as error:
        found, _, fix = str(error).partition("; ")
        return Line("cache", "warn", f"not used: {found}", fix, judging_needs_it=False)
    return Line("cache", "ok", str(folder), judging_needs_it=False)


def _torch_lines() -> Iterator[Line]:
    """Yield what is needed to edit, which judging is not."""
    if find_spec("torch") is None:
        fix = "pip install 'edittool[edit]'"
        yield Line("torch", "warn", "not installed: needed only by `edittool edit`", fix, judging_needs_it=False)
        return
    yield Line("torch", "ok", version("torch"), judging_needs_it=False)
    yield _gpu_line()


def _gpu_line() -> Line:
    """Ask torch for GPUs, in a process of its own: importing it takes seconds and can crash on a broken driver."""
    question = (
        "import torch; print(*(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())), sep=', ')"
    )
    command = [sys.executable, "-W", "ignore", "-c", question]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TORCH_SECONDS, check=True)
    except subprocess.SubprocessError as error:
        said = (error.stderr or "") if isinstance(error, subprocess.CalledProcessError) else str(error)
        last = (str(said).strip().splitlines() or ["it ended without a word"])[-1]
        return Line("GPU", "warn", f"torch cannot be used: {last}", "reinstall torch", judging_needs_it=False)
    names = answer.stdout.strip()
    if names:
        return Line("GPU", "ok", names, judging_needs_it=False)
    fix = "edit on a machine with a GPU; small models also work without"
    return Line("GPU", "warn", "none that torch can use", fix, judging_needs_it=False)
