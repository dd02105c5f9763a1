"""The options that every command with a sandbox takes."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ...judging.sandbox.job import TOTAL, Limits
from ...judging.sandbox.options import SandboxOptions

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--workers", type=click.IntRange(1, 1024), help="Programs judged at once. Default: one per core."),
    click.option("--pool", type=click.IntRange(1, 4096), help="Containers that may exist. Default: workers + 2."),
    click.option("--image", metavar="NAME", help="Your own sandbox image, from `edittool image build --package`."),
    click.option("--runtime", help="Container runtime, such as runc, crun or runsc. Default: the engine's own."),
    click.option("--cpus", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Cores per container."),
    click.option(
        "--memory", type=click.IntRange(128), default=256, show_default=True, help="Memory per container, MiB."
    ),
    click.option(
        "--cpu-seconds",
        type=click.FloatRange(0.1),
        default=3.0,
        show_default=True,
        help="CPU time of a program for loading, and for each test.",
    ),
    click.option(
        "--total-cpu-seconds",
        type=click.FloatRange(0.1),
        help=f"CPU time of a program for all of that together. Default: {TOTAL} times --cpu-seconds.",
    ),
    click.option(
        "--wall-seconds",
        type=click.FloatRange(0.1),
        default=15.0,
        show_default=True,
        help="Time that a program may sleep or wait; time without a CPU on a busy machine does not count.",
    ),
    click.option(
        "--engine-patience",
        type=click.FloatRange(0),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a Docker Engine that is lost on the way.",
    ),
)


def sandbox_options(command: Command) -> Command:
    """Add the sandbox's options to `command`; `make_options` turns what they give into SandboxOptions."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_TWO_IMAGES = (
    click.option(
        "--old-image",
        metavar="NAME",
        help="An image with the library before the change: there the references of real changes have to pass.",
    ),
    click.option("--new-image", metavar="NAME", help="The image with the library after it: another name for --image."),
)


def two_images(command: Command) -> Command:
    """Add --old-image and --new-image to `command`, which has the sandbox's options; see `new_image`."""
    for option in reversed(_TWO_IMAGES):
        command = option(command)
    return command


def new_image(given: dict[str, Any]) -> None:
    """Give the options in `given` the image that --new-image names."""
    name = given.pop("new_image")
    if name is not None and given["image"] is not None:
        raise click.UsageError("--new-image is another name for --image: give one of them.")
    given["image"] = given["image"] or name


def make_options(
    workers: int | None,
    pool: int | None,
    image: str | None,
    runtime: str | None,
    cpus: float,
    memory: int,
    cpu_seconds: float,
    total_cpu_seconds: float | None,
    wall_seconds: float,
    engine_patience: float,
) -> SandboxOptions:
    """Return the options that the command line asks for."""
    if total_cpu_seconds is not None and total_cpu_seconds < cpu_seconds:
        raise click.UsageError(
            f"--total-cpu-seconds {total_cpu_seconds:g} is less than --cpu-seconds {cpu_seconds:g}, "
            "the limit for each test: give at least as much."
        )
    limits = Limits(
        cpu_seconds=cpu_seconds,
        wall_seconds=wall_seconds,
        memory_mib=memory,
        total_cpu_seconds=total_cpu_seconds or 0.0,
    )
    defaults = SandboxOptions()
    chosen = workers or (min(defaults.workers, pool) if pool else defaults.workers)
    return SandboxOptions(
        limits=limits,
        workers=chosen,
        pool=pool or 0,
        image=image,
        runtime=runtime,
        cpus=cpus,
        engine_patience=engine_patience,
    )
