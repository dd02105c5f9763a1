"""The sandbox image: which one belongs to this version of the runner, and building it.

The tag is made from the image's source files, so a changed runner never meets an old image. The base is an image with
Python 3.11: one the user names, the python image of a registry, or a root file system made from Debian packages.
"""

import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, ImageNotFound

from ...sandbox_images import python as sandbox
from ...schemas.errors import EdittoolError, EnvironmentFault
from ..engine.engine import connect, engine_faults

REPOSITORY = "edittool-sandbox-python"
REGISTRY_BASE = "python:3.11-slim-bookworm"
PACKAGE_BASE = "edittool-sandbox-base"
REGISTRY_SECONDS = 15  # how long a registry may take to say that it has the base
BUILD_SECONDS = 600  # the longest silence of a build
EPOCH = 1_700_000_000
RUNNER_LABEL = "edittool.sandbox"  # the standard image whose runner is inside; images built on it inherit the label

NOTE = "note: "  # begins a line of the build that the user is told
BASE_LABEL = "edittool.base"  # the base that an image was built on; see Dockerfile

# What the build uses beside the runner's modules.
DOCKERFILE, STRIPPER, BASE_SCRIPT = "image/Dockerfile", "image/strip_base.py", "image/make_base.sh"

Sources = Mapping[str, bytes]


class ImageMissingError(EnvironmentFault):
    """There is no sandbox image of that name."""


def image_sources() -> Sources:
    """Return path (below `sandbox_images/python`) and content of every file that decides what the image is."""
    return dict(_files(_folder(), ""))


def image_tag(sources: Sources | None = None) -> str:
    """Return the name of the image that belongs to `sources` (default: those installed)."""
    return f"{REPOSITORY}:{digest(image_sources() if sources is None else sources)}"


def find_image(client: docker.DockerClient, name: str | None = None) -> str:
    """Return the id of the image called `name` (default: the standard one of this version).

    Raises ImageMissingError when it has not been built, and EnvironmentFault when its runner is that of another version
    and when the engine is lost.
    """
    wanted = name or image_tag()
    with engine_faults():
        try:
            image = client.images.get(wanted)
        except ImageNotFound:
            remedy = (
                "`edittool image build --package NAME==VERSION` makes one and prints its name"
                if name
                else "Build it: `edittool image build`"
            )
            raise ImageMissingError(f"no sandbox image {wanted}. {remedy}") from None
        except APIError as error:
            if error.is_server_error():
                raise
            raise ImageMissingError(f"no sandbox image {wanted!r}: {error.explanation}") from error
    if name:
        _check_runner(name, image.labels.get(RUNNER_LABEL))
    return str(image.id)


def _check_runner(name: str, runner: str | None) -> None:
    if runner is None:
        raise EnvironmentFault(
            f"{name} is no sandbox image of edittool. `edittool image build --package NAME==VERSION` makes one "
            "with packages of your own."
        )
    if runner != image_tag():
        raise EnvironmentFault(
            f"{name} was built for another version of the sandbox ({runner}, this is {image_tag()}). Build it again "
            "with the command that built it (`edittool image build ...`), and take the name which that prints."
        )


@engine_faults()
def build_image(
    client: docker.DockerClient,
    base: str | None,
    say: Callable[[str], None],
    *,
    fresh: bool = False,
    sources: Sources | None = None,
) -> str:
    """Build the image and return its id. `say` hears of each step.

    `base` names an image with Python 3.11 (default: found, pulled or made). `fresh` builds every layer anew.
    Raises EnvironmentFault when there is no base, EdittoolError when the build itself fails.
    """
    used = image_sources() if sources is None else sources
    name = _existing(client, base) if base else find_base(client, used, say)
    say(f"building the sandbox image on {name}")
    tag = image_tag(used)
    context = pack_context({_place(name): content for name, content in used.items()})
    run_build(client, context, tag, say, arguments={"BASE": name}, labels={RUNNER_LABEL: tag}, fresh=fresh)
    return str(client.images.get(tag).id)


def base_of(client: docker.DockerClient, say: Callable[[str], None]) -> str:
    """Return the name of the base that the standard image, which must be here, was built on.

    Where that base has gone, it is pulled or made again, as for the standard image. Raises EnvironmentFault where that
    cannot be done.
    """
    name = str(client.images.get(image_tag()).labels.get(BASE_LABEL, ""))
    if name and _image_id(client, name):
        return name
    return find_base(client, image_sources(), say)


def find_base(client: docker.DockerClient, sources: Sources, say: Callable[[str], None]) -> str:
    """Return the name of a base image: one that is here, else pulled, else made from Debian packages.

    Raises EnvironmentFault, with every way to get one, where none can be made.
    """
    made = f"{PACKAGE_BASE}:{digest({BASE_SCRIPT: sources[BASE_SCRIPT]})}"
    for name in (REGISTRY_BASE, made):
        if _image_id(client, name):
            return name
    if _registry_has(REGISTRY_BASE, say):
        say(f"pulling {REGISTRY_BASE}")
        client.images.pull(REGISTRY_BASE)
        return REGISTRY_BASE
    _make_base(client, made, say)
    return made


def _folder() -> Traversable:
    return files(sandbox)


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(("Dockerfile", ".py", ".sh", ".json")):
            yield path + entry.name, entry.read_bytes()


def digest(sources: Sources) -> str:
    """Return 16 hexadecimal digits over names and contents, each with its length so that none runs into the next."""
    total = hashlib.sha256()
    for name, content in sorted(sources.items()):
        for part in (name.encode(), content):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:16]


def _image_id(client: docker.DockerClient, name: str) -> str | None:
    try:
        return str(client.images.get(name).id)
    except ImageNotFound:
        return None


def _existing(client: docker.DockerClient, base: str) -> str:
    """Return `base`, pulled if it is not here."""
    if _image_id(client, base) is None:
        try:
            client.images.pull(base)
        except APIError as error:
            raise EnvironmentFault(f"no image {base} here, and it cannot be pulled: {error.explanation}") from error
    return base


def _registry_has(name: str, say: Callable[[str], None]) -> bool:
    """Ask the registry, through the engine, with a time limit of its own: pulling has none."""
    say(f"looking for {name} in a registry")
    client = connect(timeout=REGISTRY_SECONDS)
    try:
        client.images.get_registry_data(name)
    except (APIError, requests.RequestException):
        return False
    else:
        return True
    finally:
        client.close()


def _make_base(client: docker.DockerClient, name: str, say: Callable[[str], None]) -> None:
    """Make a root file system from Debian packages and import it as `name`."""
    say("no registry answers: making a base from Debian packages")
    repository, tag = name.split(":")
    with tempfile.TemporaryDirectory() as folder, as_file(_folder() / BASE_SCRIPT) as script:
        archive = Path(folder, "base.tar")
        ended = subprocess.run(["bash", script, archive], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if ended.returncode != 0:
            raise EnvironmentFault(_no_base(name, ended))
        client.api.import_image_from_file(str(archive), repository=repository, tag=tag)


def _no_base(name: str, ended: subprocess.CompletedProcess[bytes]) -> str:
    """Return why there is no base image, and every way to get one."""
    said = "\n".join(ended.stderr.decode("utf-8", "replace").strip().splitlines()[-20:])
    return (
        f"no base image for the sandbox: no registry has {REGISTRY_BASE}, and making one failed:\n{said}\n"
        "Any one of these gives you one; then run `edittool image build` again:\n"
        f"  docker pull {REGISTRY_BASE}\n"
        f"  sudo bash {_folder() / BASE_SCRIPT} base.tar && docker import base.tar {name}\n"
        "  edittool image build --base IMAGE   # any image with python3.11 and glibc"
    )


@engine_faults()
def run_build(
    client: docker.DockerClient,
    context: bytes,
    tag: str,
    say: Callable[[str], None],
    *,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    fresh: bool,
) -> None:
    """Build the image `tag` with the engine's own builder: it is there without a plugin, and in Podman too.

    `context` is made by `pack_context`. Raises EdittoolError with the build's last words when it fails.
    """
    events = client.api.build(
        fileobj=io.BytesIO(context),
        custom_context=True,
        tag=tag,
        buildargs=dict(arguments),
        labels=dict(labels),
        network_mode="none",
        nocache=fresh,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=BUILD_SECONDS,
    )
    _follow(events, say)


def _follow(events: Iterable[dict[str, Any]], say: Callable[[str], None]) -> None:
    """Report the steps and the notes of a build; raise EdittoolError with its last lines when it fails."""
    lines: list[str] = []
    for event in events:
        said = str(event.get("stream", "")).strip().splitlines()
        lines += said
        for line in said:
            if line.startswith(("Step ", NOTE)):
                say(line)
        if "error" in event:
            raise EdittoolError("the sandbox image cannot be built:\n" + "\n".join([*lines[-20:], event["error"]]))


def pack_context(contents: Sources) -> bytes:
    """Return a build context as a tar archive: all root's, all of one time, so that equal contents share layers."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(contents.items()):
            member = tarfile.TarInfo(path)
            member.size, member.mtime, member.mode = len(content), EPOCH, 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _place(name: str) -> str:
    """Return where `name` stands in the build context: files of `image/` at its top, the runner's in `sandbox/`."""
    return name.removeprefix("image/") if name.startswith("image/") else f"sandbox/{name}"
