"""The execution of a run: edit a model stage by stage and sample from it; each batch of samples is on disk at once."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ..context import EditContext
from ..model.families import input_widths
from ..model.memory import check_memory
from .chat import Chat, ids_of
from .edited_model import EditedModel, enough_memory
from .plan import Stage, plan, untaught
from .preflight import check_prompts, check_requests, check_writable
from .sample_writer import SampleWriter
from .sampling import Draw, sample
from .saved_edits import SavedEdits, context_sha256
from .settings import Run
from .stops import find_stops
from .vllm_engine import VllmEngine


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: samples in the file and in all, and what goes on, in words."""

    done: int
    total: int
    doing: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: new samples, those that were there before, edits made, changes that teach nothing."""

    new: int
    found: int
    edits: int
    untaught: tuple[str, ...]


Observer = Callable[[Progress], None]


def run_regime(
    model: Any,
    tokenizer: Any,
    bench: Bench,
    run: Run,
    out: Path,
    *,
    context: EditContext | None = None,
    save_edits: Path | None = None,
    observe: Observer = lambda progress: None,
) -> Summary:
    """Sample every stage of `run` into the JSONL file `out`; what stands there already is not done again.

    Each batch is on the disk before the next begins, so any interruption keeps it, and the file comes out as if there
    had been none. The model is left as it was, bit for bit. With `save_edits`, each edit that is made is saved in that
    folder; an interrupted sequence takes the edits it needs again from there.

    Raises InputError, before anything is edited, for what `plan` refuses, hyperparameters that do not fit the model, a
    covariance that is needed but missing, and an `out` of another run or benchmark; EnvironmentFault for too little
    memory of the GPU and for a disk that refuses.
    """
    context = context or EditContext()
    stages = plan(bench, run)
    check_fit(model, tokenizer, stages, run, context)
    fingerprint = context_sha256(context, _covered(model, run, context))
    chat = _chat(run, tokenizer)
    identity = run.identity() | {"stops": list(find_stops(model.generation_config, tokenizer).names)}
    identity |= {} if chat is None else {"chat_template_sha256": chat.template_sha256}
    identity |= {} if run.regime == "none" else {"context_sha256": fingerprint}
    saved = None if save_edits is None else SavedEdits(save_edits, run, fingerprint)
    with SampleWriter(out, bench, stages, run.sampling, identity, run.messages) as samples:
        before = samples.done

        def tell(doing: str) -> None:
            observe(Progress(samples.done, samples.total, doing))

        with (
            _engine(model, tokenizer, run, stages if samples.done < samples.total else (), chat) as engine,
            EditedModel(model, tokenizer, run, context, saved) as edited,
        ):
            for stage in stages:
                if draws := samples.missing(stage):
                    edited.become(stage.edits, tell)
                    if engine is not None:
                        engine.follow(edited.touched)
                    _sample(model, tokenizer, _asked(draws, bench, chat), stage, samples, engine, tell)
        return Summary(samples.done - before, before, edited.made, untaught(bench, run))


def check_fit(model: Any, tokenizer: Any, stages: Sequence[Stage], run: Run, context: EditContext) -> None:
    """Raise InputError where hyperparameters, a request or a prompt of `run` do not fit `model`.

    An outline of the model (on the device `meta`) is enough: its content is not looked at.
    """
    run.method.check(model, run.hparams.values)
    edits = dict.fromkeys(edit for stage in stages for edit in stage.edits)
    requests = [request for edit in edits for request in edit.requests]
    check_requests(model, tokenizer, requests, run.method, run.hparams.values, context)
    problems = {problem.task_id: problem for stage in stages for problem in stage.problems}
    check_prompts(model, tokenizer, problems.values(), _chat(run, tokenizer))


def check_output(out: Path, bench: Bench, stages: Sequence[Stage], run: Run) -> None:
    """Raise, before a model is loaded, where `run` will not be able to go on writing `out`: as `run_regime` does.

    What the edits are given besides (their context) is not known yet, so a row that differs there alone passes.
    """
    check_writable(out.parent)
    if out.exists():
        with SampleWriter(out, bench, stages, run.sampling, run.identity(), run.messages):
            pass


def _covered(model: Any, run: Run, context: EditContext) -> tuple[str, ...]:
    """Return the modules whose covariance the method needs, all of which `context` has."""
    modules = run.method.check(model, run.hparams.values)
    missing = [module for module in modules if module not in context.covariance]
    if missing:
        raise InputError(
            f"{run.method.name} needs the covariance of the inputs of {missing[0]}, which is not there. Compute it "
            f"once with `edittool stats {run.model}` and the same hyperparameters, and give its folder as --stats."
        )
    check_memory(model.device, _factored_bytes(model, modules), "the factored covariances that the method needs")
    return modules


def _factored_bytes(model: Any, modules: Sequence[str]) -> int:
    """Return the memory that solving takes: each covariance in float64, and one more while it is factored."""
    sizes = [8 * width**2 for width in input_widths(model, modules).values()]
    return sum(sizes) + max(sizes, default=0)


def _chat(run: Run, tokenizer: Any) -> Chat | None:
    return None if run.messages is None else Chat(tokenizer, run.messages)


def _asked(draws: Sequence[Draw], bench: Bench, chat: Chat | None) -> list[Draw]:
    """Return `draws` with the chats that ask for them, where the model is asked in chats."""
    if chat is None:
        return list(draws)
    texts = {task_id: chat.text(bench.problems[task_id]) for task_id in dict.fromkeys(draw.task_id for draw in draws)}
    return [replace(draw, chat=texts[draw.task_id]) for draw in draws]


def _engine(
    model: Any, tokenizer: Any, run: Run, stages: Sequence[Stage], chat: Chat | None
) -> contextlib.AbstractContextManager[VllmEngine | None]:
    """Return the engine that samples `stages` in place of `model`; none where the model does so itself."""
    if run.engine == "transformers" or not stages:
        return contextlib.nullcontext()
    problems = {problem.task_id: problem for stage in stages for problem in stage.problems}
    lengths = (len(ids_of(tokenizer, one, chat)) for one in problems.values())
    return VllmEngine(model, tokenizer, run.dtype, max(lengths) + run.sampling.max_new_tokens)


def _sample(
    model: Any,
    tokenizer: Any,
    draws: list[Draw],
    stage: Stage,
    samples: SampleWriter,
    engine: VllmEngine | None,
    tell: Callable[[str], None],
) -> None:
    doing = f"sampling {stage.title}"
    tell(doing)
    with enough_memory(doing):
        sampling = samples.sampling
        written = sample(model, tokenizer, draws, sampling) if engine is None else engine.sample(draws, sampling)
        for batch in written:
            samples.add(stage, batch)
            tell(doing)
