"""`edittool bench verify`: a benchmark's files, and its certification again."""

from typing import TYPE_CHECKING, Any

import click

from ...judging.sandbox.options import SandboxOptions
from ...schemas.bench import Bench
from ..shared.bench_argument import open_bench
from ..shared.console import plain, print_whole, results, talk
from ..shared.exit_codes import BAD_INPUT, DONE, UNJUDGED
from ..shared.observer import show_stages
from ..shared.sandbox_options import make_options, new_image, sandbox_options, two_images
from ..shared.shipped_images import image_of, old_image_of
from .show import certification_table, print_bench, print_json

if TYPE_CHECKING:
    from ...benchmark.certify import Certificate


@click.command()
@click.argument("name", metavar="BENCH")
@click.option("--files-only", is_flag=True, help="Check the files alone: no sandbox is needed.")
@click.option(
    "--hash-seeds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Under how many of Python's hash seeds everything has to hold.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@two_images
@sandbox_options
def verify(name: str, files_only: bool, hash_seeds: int, as_json: bool, **sandbox: Any) -> int:
    """Check the files of a benchmark, then certify each problem in the sandbox again.

    Files: hashes, schemas, unique ids. Sandbox: the reference passes, fails once its API is gone, passes again when it
    is rewritten, also with all changes active, and is refused when the API is merely renamed. Exit code 0 where all of
    it holds, 2 where something does not, 1 where the sandbox could not tell.

    \b
    edittool bench verify builtin
    edittool bench verify numpy2
    edittool bench verify bench --files-only
    edittool bench verify bench --hash-seeds 10
    edittool bench verify bench --json > certificate.json
    """
    made = open_bench(name)
    if files_only:
        print_json({"bench": made.name, "sha256": made.digest()}) if as_json else print_bench(made)
        return DONE
    new_image(sandbox)
    sandbox["image"] = image_of(name, sandbox["image"])
    old_image = old_image_of(name, sandbox.pop("old_image"))
    return _certify(made, tuple(range(hash_seeds)), make_options(**sandbox), as_json, old_image)


def _certify(
    made: Bench, hash_seeds: tuple[int, ...], options: SandboxOptions, as_json: bool, old_image: str | None
) -> int:
    from ...benchmark.certify import certify
    from ...benchmark.trials import open_trials
    from ...judging.world_check import check_worlds

    check_worlds(made.changes.values(), options)
    with open_trials(options) as trials, show_stages() as progress:
        old = trials.beside(old_image) if old_image else None
        certificate = certify(made, trials, hash_seeds, progress, old=old)
    print_json(certificate.to_json()) if as_json else _print_certificate(certificate)
    if certificate.with_state("violated"):
        talk.print(plain(f"{made.name} is not certified: leave out or repair the problems named above.", "red"))
        return BAD_INPUT
    if unknown := certificate.with_state("unknown"):
        said = f"{made.name} is not certified: the sandbox could not judge {len(unknown)} of the checks."
        talk.print(plain(f"{said} What it said of each stands above; `edittool doctor` checks the machine.", "red"))
        return UNJUDGED
    talk.print(plain(f"{made.name} is certified: all that was checked holds.", "green"))
    return DONE


def _print_certificate(certificate: "Certificate") -> None:
    print_whole(certification_table(certificate.counts()))
    for check in (*certificate.with_state("violated"), *certificate.with_state("unknown")):
        results.print(plain(f"{check.state}: {check.task_id}, {check.condition}: {check.seen}"), soft_wrap=True)
