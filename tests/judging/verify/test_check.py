"""`image verify` keeps a promise too: of a container with weaker locks it says which promises are broken, no others."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker
import pytest
from docker.types import LogConfig

from edittool.judging.image.build import build_image, find_image, image_sources, image_tag
from edittool.judging.sandbox.flags import flags
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.pool import OWNER_LABEL, owner_of_this_process
from edittool.judging.verify import promises
from edittool.judging.verify.check import ObservedContainer, check_image
from edittool.judging.verify.promises import Check, checks
from edittool.schemas.errors import EnvironmentFault

from .recording import RecordingContainer, broken, change

Weaken = Callable[[dict[str, Any]], None]

ALONE = SandboxOptions(worlds=False)  # in its container no other process waits


def weaker(weaken: Weaken) -> type[ObservedContainer]:
    """Return containers whose configuration, as the engine takes it, went through `weaken`."""

    class WeakerContainer(ObservedContainer):
        def _config(self) -> dict[str, Any]:
            config = super()._config()
            weaken(config)
            return config

    return WeakerContainer


def host(**settings: object) -> Weaken:
    return lambda config: config["HostConfig"].update(settings)


@pytest.fixture(scope="module")
def image(docker_client: docker.DockerClient) -> str:
    return find_image(docker_client)


@pytest.fixture(scope="module")
def recorded(docker_client: docker.DockerClient, image: str) -> tuple[list[Check], type[RecordingContainer]]:
    class Recording(RecordingContainer):
        pass

    return check_image(docker_client, image, container_class=Recording), Recording


def test_a_container_keeps_every_promise(recorded):
    found, _ = recorded
    assert broken(found) == set()
    assert len({check.promise for check in found}) == len(found) > 35


def test_every_promise_about_a_flag_is_checked(recorded):
    found, _ = recorded
    promised = {flag.promised(ALONE) for flag in flags(ALONE) if flag.promise}
    assert len(promised) > 20
    assert promised <= {check.promise for check in found}


def test_no_container_is_left(recorded, docker_client):
    mine = f"{OWNER_LABEL}={owner_of_this_process()}"
    assert docker_client.containers.list(all=True, filters={"label": ["edittool=image-verify", mine]}) == []


# Real containers, weakened

OPEN_TMP = {"/tmp": "rw,exec,suid,dev,size=32m,mode=1777"}
MORE_TMPFS = {"/tmp": "rw,noexec,nosuid,nodev,size=16m,nr_inodes=1024,mode=1777", "/srv": "rw,mode=1777"}
CREATES = "no file can be created but in /tmp"
MOUNTED = "nothing of the host is mounted"
UNCONFINED = ["no-new-privileges", "seccomp=unconfined"]
WEAKENED = {
    "root file system writable": (host(ReadonlyRootfs=False), {"root file system read-only"}),
    "tmpfs open": (
        host(Tmpfs=OPEN_TMP),
        {"a tmpfs on /tmp: noexec, nosuid, nodev", "16 MiB and 1,024 inodes in /tmp"},
    ),
    "another tmpfs": (host(Tmpfs=MORE_TMPFS), {CREATES, MOUNTED}),
    "a folder of the host": (host(Binds=["/usr/share/zoneinfo:/host:ro"]), {MOUNTED}),
    "masks taken off": (host(MaskedPaths=[]), {"the kernel's memory, keys and firmware hidden"}),
    "the host's network": (
        lambda config: config.update(NetworkDisabled=False) or config["HostConfig"].update(NetworkMode="host"),
        {"no network interface but lo", "no route"},
    ),
    "no profile": (
        host(SecurityOpt=UNCONFINED),
        {"no socket of any family", "seccomp filters on, the container's and the program's", "system calls refused"},
    ),
    "a capability": (host(CapAdd=["NET_RAW"]), {"no capability in any of the five sets"}),
    "new privileges": (
        host(SecurityOpt=["seccomp=unconfined"]),
        {
            "no new privileges",
            "no socket of any family",
            "seccomp filters on, the container's and the program's",
            "system calls refused",
        },
    ),
    "less memory": (host(Memory=192 << 20, MemorySwap=192 << 20), {"memory limited to 256 MiB", "no swap"}),
    "swap": (host(MemorySwap=-1), {"no swap"}),
    "many processes": (host(PidsLimit=0), {"processes limited to 32"}),
    "all the CPU": (host(NanoCpus=0), {"CPU limited to 1"}),
    "no limits": (
        host(Ulimits=[]),
        {
            "size of a file limited to 16,777,216 bytes",
            "no core dump",
            "no message queue",
            "no locked memory",
            CREATES,  # in /dev/mqueue, which only its limit keeps empty
        },
    ),
    "shared memory": (host(IpcMode="private"), {"no shared memory", CREATES, MOUNTED}),
    "a log": (host(LogConfig=LogConfig(type="json-file")), {"nothing is logged"}),
    "a device": (
        host(Devices=[{"PathOnHost": "/dev/kmsg", "PathInContainer": "/dev/kmsg", "CgroupPermissions": "r"}]),
        {"no device but the harmless ones"},
    ),
    "a secret": (
        lambda config: config["Env"].append("http_proxy=http://user:password@proxy"),
        {"nothing of the host in the environment"},
    ),
    "a name": (lambda config: config.update(Hostname="login-node"), {"host name is sandbox"}),
    "root": (
        lambda config: config.update(User="0:0"),
        {
            "user and groups are nobody else's",
            "interpreter unreadable",
            "the trusted process cannot be looked into",
            CREATES,
            "no file can be written elsewhere",
        },
    ),
}


@pytest.mark.parametrize(("weaken", "promises_broken"), WEAKENED.values(), ids=WEAKENED)
def test_a_weaker_container_breaks_these_promises(docker_client, image, weaken, promises_broken):
    assert broken(check_image(docker_client, image, container_class=weaker(weaken))) == promises_broken


# Images with more in them


def pack(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Return a tar archive of `files`: their contents and modes by their paths."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (content, mode) in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def layered(docker_client: docker.DockerClient, image: str) -> Iterator[Callable[[str, int], str]]:
    """Yield what makes an image with one more file in it, of a given mode."""
    made: list[str] = []

    def make(path: str, mode: int) -> str:
        more = pack({path: (b"#!/usr/bin/python3\n", mode)})  # an archive of its own: COPY drops the setuid bit
        recipe = f"FROM {image}\nADD more.tar /\n".encode()
        context = io.BytesIO(pack({"Dockerfile": (recipe, 0o644), "more.tar": (more, 0o644)}))
        built, _ = docker_client.images.build(fileobj=context, custom_context=True, network_mode="none", rm=True)
        made.append(built.id)
        return str(built.id)

    yield make
    for identity in made:
        docker_client.images.remove(identity, force=True)


@pytest.mark.parametrize(
    ("path", "mode", "promises_broken"),
    [
        ("usr/bin/sh", 0o755, {"no shell", "no other program"}),
        ("usr/bin/apt", 0o755, {"no package manager", "no other program"}),
        ("usr/local/bin/gcc", 0o755, {"no compiler", "no other program"}),
        ("usr/bin/passwd", 0o4755, {"no setuid or setgid file", "no other program"}),
        ("usr/share/notes", 0o2644, {"no setuid or setgid file"}),
        ("var/notes", 0o666, set()),  # the root is read-only all the same
    ],
)
def test_an_image_with_more_in_it_breaks_these_promises(docker_client, layered, path, mode, promises_broken):
    assert broken(check_image(docker_client, layered(path, mode))) == promises_broken


# What no setting of the engine weakens: each finding by itself


@pytest.mark.parametrize(
    ("path", "value", "promise"),
    [
        ("writable_files", ["/proc/sys/kernel/hostname"], "no file can be written elsewhere"),
        ("tmp.executable", True, "a tmpfs on /tmp: noexec, nosuid, nodev"),
        ("devices", {"/dev/sda": ["block", 1, 3]}, "no device but the harmless ones"),
        ("routes", ["eth0"], "no route"),
        ("calls.mount", 0, "system calls refused"),
        ("calls.clone3", 1, "system calls refused"),
        ("calls", {}, "system calls refused"),
        ("beyond_itself", ["fork"], "a program starts no process and no program, and signals nobody"),
        ("secrets", ["mem"], "the trusted process cannot be looked into"),
        ("processes", [1, 17], "no process but the trusted one is seen"),
        ("capabilities.CapAmb", "0000000000002000", "no capability in any of the five sets"),
        ("capabilities", {"CapEff": "0"}, "no capability in any of the five sets"),
        ("ids", [20000, 0], "user and groups are nobody else's"),
        ("memory_and_swap", 2**62, "no swap"),
    ],
)
def test_one_finding_breaks_one_promise(recorded, path, value, promise):
    _, container = recorded
    found = json.loads(container.result["output"])
    facts = (container.confinement, container.engine, ALONE)
    assert broken(checks(found, *facts)) == set()
    assert broken(checks(change(found, path, value), *facts)) == {promise}


@pytest.mark.parametrize(
    ("swap", "kept"), [({"swap": 0}, True), ({"swap": 2**30}, False), ({}, True)], ids=["none", "some", "not seen"]
)
def test_swap_under_cgroup_v2_and_where_nothing_is_seen(recorded, swap, kept):
    _, container = recorded
    found = json.loads(container.result["output"]) | {"memory_and_swap": None, "swap": None} | swap
    seen = {check.promise: check for check in checks(found, container.confinement, container.engine, ALONE)}
    assert seen["no swap"].kept is kept


@pytest.mark.parametrize(
    ("field", "value", "promise"),
    [("dumpable", True, "the trusted process is not dumpable"), ("cpus", None, "CPU limited to 1")],
)
def test_what_the_trusted_process_sees_breaks_a_promise(recorded, field, value, promise):
    _, container = recorded
    found, trusted = json.loads(container.result["output"]), {**container.confinement, field: value}
    assert broken(checks(found, trusted, container.engine, ALONE)) == {promise}


def test_a_long_list_is_cut(recorded):
    _, container = recorded
    found = json.loads(container.result["output"]) | {"programs": [f"/bin/{number}" for number in range(20)]}
    seen = {check.promise: check for check in checks(found, container.confinement, container.engine, ALONE)}
    assert seen["no other program"].seen.endswith(f" and {20 - promises.MAX_LISTED} more")


# Faults


def test_an_unknown_runtime_is_reported(docker_client, image):
    with pytest.raises(EnvironmentFault, match="edittool-none"):
        check_image(docker_client, image, runtime="edittool-none")


def test_a_runner_that_does_not_answer_is_reported(docker_client):
    sources = {**image_sources(), "trusted/runner.py": b"def main():\n    raise SystemExit('no runner')\n"}
    build_image(docker_client, None, lambda line: None, sources=sources)
    try:
        with pytest.raises(EnvironmentFault, match="cannot be run"):
            check_image(docker_client, image_tag(sources))
    finally:
        docker_client.images.remove(image_tag(sources), noprune=True)
