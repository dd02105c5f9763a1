"""`edittool bench fetch`: public data sets from the Hugging Face hub."""

import shlex
from pathlib import Path

import click

from ...benchmark.sources.fetch import DATA_SETS
from ...benchmark.sources.fetch import fetch as fetch_one
from ..shared.console import plain, talk


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(DATA_SETS)), metavar="[humaneval|mbpp|humaneval+|mbpp+]...")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder to save them in; what is there already is checked and kept.",
)
def fetch(names: tuple[str, ...], folder: Path) -> None:
    """Get data sets to build benchmarks from.

    They come from the Hugging Face hub, or the mirror of it that HF_ENDPOINT names, and are checked by their SHA-256.
    Without a name: humaneval and mbpp. Prints the path of each file.

    \b
    edittool bench fetch -o data
    edittool bench fetch humaneval+ mbpp+ -o data
    HF_ENDPOINT=https://mirror.example edittool bench fetch mbpp -o data
    """
    options: dict[str, Path] = {}
    for name in dict.fromkeys(names or ("humaneval", "mbpp")):
        data_set = DATA_SETS[name]
        if not (folder / data_set.saved_as).exists():
            talk.print(plain(f"fetching {name} from {data_set.repository}"), soft_wrap=True)
        done = fetch_one(data_set, folder)
        checked = "as expected" if data_set.sha256 else f"pinned by the commit {data_set.revision[:12]} alone"
        state = "fetched" if done.new else "there already"
        talk.print(plain(f"{name}: {state}; SHA-256 {done.sha256}, {checked}", style="green"), soft_wrap=True)
        click.echo(done.path)
        options[data_set.option] = done.path
    talk.print(plain(f"next: edittool bench build {' '.join(_buildable(options))} -o bench"), soft_wrap=True)


def _buildable(files: dict[str, Path]) -> list[str]:
    """Return the options of `bench build`. Of a data set and its EvalPlus edition, only one goes into a benchmark."""
    chosen = {option: path for option, path in files.items() if f"{option}-plus" not in files}
    return [f"{option} {shlex.quote(str(path))}" for option, path in chosen.items()]
