"""The execution of a run: edit a model stage by stage and sample from it; each batch of samples is on disk at once."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ..context import EditContext
from ..model.cached import check_cached
from ..model.memory import check_placement
from ..model.tokenizers import check_texts, reader_of
from ..sampling.stops import find_stops
from ..sampling.texts import Tally
from ..success.record import EditRecord
from .asking import Asked, Chat, read
from .drafts import Drafts
from .edited_model import EditedModel, enough_memory
from .journal import Journal, MadeEdit
from .memory import check_edit_memory
from .plan import PlannedEdit, Stage, plan, untaught
from .preflight import check_prompts, check_requests, check_writable, texts_of
from .sample_writer import SampleWriter
from .sampling import Draw, Sampling, sample
from .saved_edits import SavedEdits, context_sha256, requests_sha256
from .settings import Run
from .vllm_engine import VllmEngine


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: samples in the file and in all, and what goes on, in words."""

    done: int
    total: int
    doing: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: new samples, those that were there before, edits made, changes that teach nothing, the passes.

    `records` are those of the edits that were put into the model, made or taken from files, in their order.
    """

    new: int
    found: int
    edits: int
    untaught: tuple[str, ...]
    tally: Tally = field(default_factory=Tally)
    records: tuple[EditRecord, ...] = ()


Observer = Callable[[Progress], None]
Write = Callable[[Sequence[Draw], Sampling], Iterator[list[tuple[Draw, str]]]]


def run_regime(
    model: Any,
    tokenizer: Any,
    bench: Bench,
    run: Run,
    out: Path,
    *,
    context: EditContext | None = None,
    save_edits: Path | None = None,
    dense: bool = False,
    drafts: Drafts | None = None,
    observe: Observer = lambda progress: None,
    warn: Callable[[str], None] = lambda text: None,
    hear: Callable[[MadeEdit], None] = lambda made: None,
) -> Summary:
    """Sample every stage of `run` into the JSONL file `out`; what stands there already is not done again.

    Samples are on the disk, in an order that is always the same, as soon as those before them are, so any interruption
    keeps them, and the file comes out as if there had been none (rounding apart: see `sample`). The model is left as it
    was, bit for bit. With `save_edits`, each edit that is made is saved in that folder, as factors where it has low
    rank unless `dense`; an interrupted sequence takes the edits it needs again from there. An edit that is not finite
    is undone: `warn` is told, and the rows of samples say so. `drafts` make sampling quicker where the model writes
    what they say.

    What each edit did to its own requests stands in the rows of samples (`edit`) and, with what it took, in a journal
    beside them (see `Journal`); `hear` is told of it.

    Raises InputError, before anything is edited, for what `plan` refuses, hyperparameters that do not fit the model, a
    model that does not fit the method, is spread over devices or cannot be sampled from, a covariance that is needed
    but missing, and an `out` of another run or benchmark; EnvironmentFault for too little memory of the GPU and for a
    disk that refuses.
    """
    check_placement(model)
    context = context or EditContext()
    stages = plan(bench, run)
    check_fit(model, tokenizer, stages, run, context)
    if run.engine == "transformers":
        check_cached(model)
    modules = _covered(model, run, context)
    fingerprint = context_sha256(context, modules)
    edits = list({edit: None for stage in stages for edit in stage.edits}) if run.edits else []
    check_edit_memory(model, tokenizer, edits, run, context, warn)
    chat = _chat(run, tokenizer)
    identity = run.identity() | {"tokenizer": reader_of(tokenizer)}
    identity |= {"stops": list(find_stops(model.generation_config, tokenizer).names)}
    identity |= {} if chat is None else {"chat_template_sha256": chat.template_sha256}
    identity |= {"context_sha256": fingerprint} if run.edits else {}
    corpus = getattr(context.covariance, "corpus", None) if modules else None
    identity |= {} if corpus is None else {"mom2_dataset": corpus}
    records: list[EditRecord] = []
    saved = None if save_edits is None else SavedEdits(save_edits, run, fingerprint, dense)
    tally = Tally()
    with (
        SampleWriter(out, bench, stages, run, identity, drafts) as samples,
        Journal(out, _of_edits(identity)) as journal,
    ):
        before = samples.done

        def tell(doing: str) -> None:
            observe(Progress(samples.done, samples.total, doing))

        def note(made: MadeEdit, edits: Sequence[PlannedEdit]) -> None:
            if made.seconds is not None:
                journal.add(made, requests_sha256(edits))
            records.append(made.record)
            hear(made)

        with (
            _engine(model, tokenizer, run, stages if samples.done < samples.total else (), chat) as engine,
            EditedModel(model, tokenizer, run, context, saved, warn, note) as edited,
        ):
            own = partial(sample, model, tokenizer, tally=tally)
            write: Write = own if engine is None else engine.sample
            for stage in stages:
                if draws := samples.missing(stage):
                    edited.become(stage.edits if run.edits else (), tell)
                    if engine is not None:
                        engine.follow(edited.touched)
                    made = edited.records(tell)
                    asking = _asking(draws, stage, run, bench, chat)
                    _sample(write, asking, stage, samples, edited.undone, made, tell)
        return Summary(samples.done - before, before, edited.made, untaught(bench, run), tally, tuple(records))


def check_fit(
    model: Any,
    tokenizer: Any,
    stages: Sequence[Stage],
    run: Run,
    context: EditContext,
    warn: Callable[[str], None] = lambda text: None,
) -> None:
    """Raise InputError where hyperparameters, a request or a prompt of `run` do not fit `model` or `tokenizer`.

    An outline of the model (on the device `meta`) is enough: its content is not looked at. `warn` is told of texts that
    the tokenizer changes a little.
    """
    run.method.check(model, run.hparams.values)
    edits = dict.fromkeys(edit for stage in stages for edit in stage.edits)
    requests = [request for edit in edits for request in edit.requests]
    problems = {problem.task_id: problem for stage in stages for problem in stage.problems}
    for note in check_texts(
        tokenizer, model, chain(texts_of(requests, problems.values()), _documentation(stages, run))
    ):
        warn(note)
    check_requests(model, tokenizer, requests, run.method, run.hparams.values, context)
    check_prompts(model, tokenizer, dict.fromkeys(_asked(stages, run, _chat(run, tokenizer))))


def check_output(out: Path, bench: Bench, stages: Sequence[Stage], run: Run) -> None:
    """Raise, before a model is loaded, where `run` will not be able to go on writing `out`: as `run_regime` does.

    What the edits are given besides (their context) is not known yet, so a row that differs there alone passes.
    """
    check_writable(out.parent)
    if out.exists():
        with SampleWriter(out, bench, stages, run, run.identity()):
            pass
    with Journal(out, _of_edits(run.identity())):
        pass


def _of_edits(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields of a run's identity that its edits depend on, as far as their requests do not say it."""
    wanted = ("model", "dtype", "float32_matmul_precision", "method", "regime", "hparams_sha256", "context_sha256")
    return {name: identity[name] for name in wanted if name in identity}


def _covered(model: Any, run: Run, context: EditContext) -> tuple[str, ...]:
    """Return the modules whose covariance the method needs, all of which `context` has."""
    modules = run.method.check(model, run.hparams.values)
    missing = [module for module in modules if module not in context.covariance]
    if missing:
        raise InputError(
            f"{run.method.name} needs the covariance of the inputs of {missing[0]}, which is not there. Compute it "
            f"once with `edittool stats {run.model}` and the same hyperparameters, and give its folder as --stats."
        )
    return modules


def _chat(run: Run, tokenizer: Any) -> Chat | None:
    return Chat(tokenizer) if run.style == "chat" else None


def _asked(stages: Iterable[Stage], run: Run, chat: Chat | None) -> Iterator[tuple[str, Asked]]:
    """Yield the task id of each problem of each stage, and what the model reads for it."""
    for stage in stages:
        for problem in stage.problems:
            yield problem.task_id, read(run.question(problem, stage.edited), problem, chat)


def _documentation(stages: Iterable[Stage], run: Run) -> Iterator[tuple[str, str]]:
    """Yield what documents changes to the model, with what it is called: one text for each set of changes."""
    asked = ((problem, run.question(problem, stage.edited)) for stage in stages for problem in stage.problems)
    told = {tuple(question.documented): (problem, question) for problem, question in asked if question.documented}
    return ((f"The documentation before {problem.task_id}", question.text) for problem, question in told.values())


def _asking(draws: Sequence[Draw], stage: Stage, run: Run, bench: Bench, chat: Chat | None) -> list[Draw]:
    """Return `draws` of `stage` with what the model reads for them."""
    texts = {
        task_id: read(run.question(bench.problems[task_id], stage.edited), bench.problems[task_id], chat)
        for task_id in dict.fromkeys(draw.task_id for draw in draws)
    }
    return [replace(draw, asked=texts[draw.task_id]) for draw in draws]


def _engine(
    model: Any, tokenizer: Any, run: Run, stages: Sequence[Stage], chat: Chat | None
) -> contextlib.AbstractContextManager[VllmEngine | None]:
    """Return the engine that samples `stages` in place of `model`; none where the model does so itself."""
    if run.engine == "transformers" or not stages:
        return contextlib.nullcontext()
    lengths = (len(asked.ids(tokenizer)) for asked in {asked for _, asked in _asked(stages, run, chat)})
    return contextlib.closing(VllmEngine(model, tokenizer, run.dtype, max(lengths) + run.sampling.max_new_tokens))


def _sample(
    write: Write,
    draws: Sequence[Draw],
    stage: Stage,
    samples: SampleWriter,
    undone: Sequence[str],
    records: Sequence[EditRecord],
    tell: Callable[[str], None],
) -> None:
    doing = f"sampling {stage.title}"
    tell(doing)
    with enough_memory(doing):
        for batch in write(draws, samples.sampling):
            samples.add(stage, batch, undone, records)
            tell(doing)
