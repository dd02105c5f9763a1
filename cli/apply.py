"""`edittool apply`: a model and saved edits in, an ordinary checkpoint out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .shared.bench_argument import open_bench
from .shared.console import plain, talk
from .shared.models import open_model, require_torch

if TYPE_CHECKING:
    from ..editing.edits.checkpoints import EditFile


@click.command
@click.argument("model")
@click.argument("edits", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="The checkpoint to write."
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    help="Type of the weights.  [default: that in which the edits were made]",
)
@click.option("--device", default="cpu", show_default=True, help="auto, cpu, cuda or cuda:NUMBER.")
@click.option("--bench", default="builtin", show_default=True, help="MODEL tiny: the benchmark that it knows.")
def apply(model: str, edits: tuple[Path, ...], output: Path, dtype: str | None, device: str, bench: str) -> None:
    """Write a model with edits in it as a checkpoint that any engine can serve.

    MODEL is tiny, a folder or a model's id on the Hub; EDITS are files of `edittool edit --save-edits`, put into it in
    the order given. For a step of the sequential regime, give all files up to it. FOLDER gets weights and tokenizer in
    Hugging Face's format, and edittool.json, which says what made it.

    \b
    edittool apply tiny edits/sorted.safetensors -o edited
    edittool apply codellama/CodeLlama-7b-hf edits/0001-sorted.safetensors edits/0002-len.safetensors -o edited
    """
    require_torch("edittool apply")
    import torch

    from ..editing.edits.checkpoints import check_place, check_shapes, edited, read_edit_file, write_checkpoint
    from ..editing.model.loading import size_of
    from ..editing.model.memory import fitting
    from ..editing.runs.preflight import check_writable

    check_place(output)
    check_writable(output.parent)
    files = [read_edit_file(path) for path in edits]  # what cannot be applied is told before a model is loaded
    _warn(model, files)
    dtype = dtype or next((file.dtype for file in files if file.dtype), "float32")

    def check(outline: Any, tokenizer: Any) -> None:
        check_writable(output.parent, size_of(outline, getattr(torch, dtype)))
        check_shapes(outline, files)

    loaded, tokenizer = open_model(model, device, dtype, open_bench(bench), check)
    with fitting("the model with the edits in it", device), edited(loaded, files):
        write_checkpoint(loaded, tokenizer, output, {"model": model, "dtype": dtype}, files)
    talk.print(plain(f"{output}: {model} with {len(files)} edit{'s' * (len(files) != 1)}, {dtype}"), soft_wrap=True)


def _warn(model: str, files: list["EditFile"]) -> None:
    from ..editing.edits.checkpoints import strays

    for file in files:
        if file.model not in (None, model):
            text = f"{file.path} was made for the model {file.model}, and this is {model}: is it the same?"
            talk.print(plain(text, style="yellow"), soft_wrap=True)
    for file in strays(files):
        before = ", ".join(file.edited[:-1]) or "the unedited model"
        text = f"{file.path} was made on top of {before}, in this order; here it comes after something else."
        talk.print(plain(text, style="yellow"), soft_wrap=True)
