"""`edittool stats`: the covariances that MEMIT, its kind and ROME need, computed once for a model and a corpus."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..schemas.errors import InputError
from .shared.bench_argument import open_bench
from .shared.console import plain, progress, results, talk
from .shared.models import open_model, require_torch
from .shared.observer import Observer

if TYPE_CHECKING:
    from ..editing.covariance.compute import Computed, Settings
    from ..editing.covariance.corpora import Corpus


@click.command
@click.argument("model")
@click.option(
    "--corpus",
    default="python",
    show_default=True,
    help="python (the standard library's own source), a folder, a JSONL file, or OWNER/NAME[:CONFIG] on the Hub.",
)
@click.option("--layers", metavar="N,...", help="Layers, counted from 0.")
@click.option("--attention", is_flag=True, help="With --layers: also the inputs of attention's last linear layer.")
@click.option("--method", help="Instead of --layers: what this method needs.")
@click.option("--hparams", help="The same: a preset or a YAML file of an edit.  [default: the preset METHOD-MODEL]")
@click.option("-n", "--samples", type=int, help="Documents to read.  [default: the hyperparameters', else 100000]")
@click.option("--max-tokens", default=4096, show_default=True, help="Where a document is cut; at most the context.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="A folder.  [default: the cache]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:NUMBER.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Type of the weights. Products and sums are float32 and float64 all the same.",
)
@click.option("--batch-tokens", default=3 * 4096, show_default=True, help="Tokens that are read at once, at most.")
@click.option("--bench", default="builtin", show_default=True, help="MODEL tiny: the benchmark that it knows.")
def stats(
    model: str,
    corpus: str,
    layers: str | None,
    attention: bool,
    method: str | None,
    hparams: str | None,
    samples: int | None,
    max_tokens: int,
    output: Path | None,
    device: str,
    dtype: str,
    batch_tokens: int,
    bench: str,
) -> None:
    """Compute the statistics of a model over a corpus: what MEMIT, PMET and ROME ask of it.

    MODEL is tiny, a folder, or a model's id on the Hugging Face Hub. For each module, the covariance of its inputs
    over all tokens goes into one file, in EasyEdit's format. What is there already is not computed again; stopped at
    any time, the same command goes on where it was. `edittool edit` finds the files in the cache by itself.

    \b
    edittool stats tiny --layers 1,2
    edittool stats codellama/CodeLlama-7b-hf --layers 4,5,6,7,8 --device cuda --dtype bfloat16
    edittool stats FOLDER --hparams memit.yaml --corpus code.jsonl -n 20000 -o stats
    edittool stats FOLDER --layers 5 --corpus wikimedia/wikipedia:20231101.en --max-tokens 1024
    """
    require_torch("edittool stats")
    from ..editing.covariance.compute import Settings
    from ..editing.covariance.corpora import open_corpus

    wanted = _wanted(model, layers, attention, method, hparams)
    settings = Settings(wanted.samples if samples is None else samples, max_tokens, wanted.mom2_dtype, batch_tokens)
    documents = open_corpus(corpus)
    _tell_corpus(documents, settings, getattr(wanted.hparams, "mom2_dataset", None))
    loaded, tokenizer = open_model(model, device, dtype, open_bench(bench), lambda outline, _: _check(wanted, outline))
    started = time.monotonic()
    found = _compute(model, loaded, tokenizer, wanted.modules(loaded), documents, settings, output)
    for one in found:
        results.print(plain(f"{one.module}  {one.tokens} tokens  {one.path}"), soft_wrap=True)
    new = sum(one.new for one in found)
    talk.print(plain(f"{new} computed, {len(found) - new} were there before, {time.monotonic() - started:.0f} s"))


def _check(wanted: "_Wanted", outline: Any) -> None:
    wanted.modules(outline)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to compute: of `layers`, or what the method called `method` needs with `hparams`."""

    layers: tuple[int, ...] = ()
    attention: bool = False
    method: Any = None
    hparams: Any = None

    @property
    def samples(self) -> int:
        return getattr(self.hparams, "mom2_n_samples", 100_000)

    @property
    def mom2_dtype(self) -> Any:
        return getattr(self.hparams, "mom2_dtype", "float32")

    def modules(self, model: Any) -> Sequence[str]:
        """Return the paths of the modules in `model`. Raises InputError where neither layers nor a method name them."""
        from ..editing.model.families import modules_of_layers

        if self.method is None:
            return modules_of_layers(model, self.layers, self.attention)
        modules: Sequence[str] = self.method.check(model, self.hparams)
        if not modules:
            raise InputError(f"The method {self.method.name} needs no statistics with these hyperparameters.")
        return modules


def _wanted(model: str, layers: str | None, attention: bool, method: str | None, hparams: str | None) -> _Wanted:
    from ..editing.methods.hparams import load_hparams, read_hparams
    from ..editing.methods.table import all_methods, find_method

    if (layers is None) == (method is None and hparams is None):
        raise InputError("Say which statistics: either --layers 4,5,6, or --method or --hparams of an edit.")
    if layers is not None:
        return _Wanted(_numbers(layers), attention)
    if method is not None:
        chosen = find_method(method)
        return _Wanted(method=chosen, hparams=read_hparams(hparams, chosen, model).values)
    values = load_hparams(str(hparams)).values
    return _Wanted(method=next(one for one in all_methods() if one.hparams is type(values)), hparams=values)


def _numbers(layers: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in layers.split(",")))
    except ValueError:
        raise InputError(f"--layers {layers} is no list of layers. Give numbers with commas: --layers 4,5,6") from None


def _tell_corpus(corpus: "Corpus", settings: "Settings", asked: str | None) -> None:
    from ..editing.covariance.files import is_called

    if asked is not None and not is_called(corpus.name, asked):
        talk.print(plain(f"the hyperparameters ask for the corpus {asked} (`mom2_dataset`); {corpus.name} is read"))
    if corpus.left_out:
        talk.print(plain(f"{corpus.left_out} files are no text in UTF-8, or larger than 16 MiB: left out", "yellow"))
    if len(corpus.documents) < settings.samples:
        talk.print(plain(f"the corpus {corpus.name} has {len(corpus.documents)} documents: all are read"))


def _compute(
    name: str,
    model: Any,
    tokenizer: Any,
    modules: Sequence[str],
    corpus: "Corpus",
    settings: "Settings",
    output: Path | None,
) -> "list[Computed]":
    from ..editing.covariance.compute import compute_statistics

    with progress() as bar:
        observer = Observer(bar)
        return compute_statistics(
            name,
            model,
            tokenizer,
            modules,
            corpus,
            settings,
            folder=output,
            observe=lambda done, total: observer.show(done, total, "reading documents"),
        )
