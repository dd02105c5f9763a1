"""Loading a model and its tokenizer: the tiny one, a folder, or a model on the Hugging Face Hub."""

import contextlib
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from ...schemas.errors import EnvironmentFault, InputError
from .memory import check_memory, fitting
from .sources import checked_source, refuse_quantised
from .tiny import tiny_model
from .tiny_lessons import Lessons
from .tokenizers import Tell, fit_tokenizer, load_tokenizer

# Told of a model without content (on the device `meta`) and its tokenizer, before weights are read.
Check = Callable[[Any, Any], None]


def load_model(
    name: str,
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
    *,
    lessons: Lessons | None = None,
    observe: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
    check: Check = lambda outline, tokenizer: None,
    tell: Tell = lambda text: None,
) -> tuple[Any, Any]:
    """Return the model called `name`, in evaluation mode on `device`, and its tokenizer.

    `name` is `tiny` (trained on `lessons` at first use; `observe` is told of its epochs), a folder, or a Hub id.
    Weights come from safetensors only, and code that comes with a model is never run. Before they are read, which may
    take minutes, `check` is called with the model's outline (its modules and shapes, no content) and the tokenizer: it
    raises where they will not do. The tokenizer is held against texts and against the model's embeddings (see
    `tokenizers`); `tell` hears, in words, what was done about it. Raises InputError for a model that does not exist, is
    no causal language model, is quantised or an adapter, whose tokenizer loses text, or whose files are broken or
    incomplete, EnvironmentFault for no GPU, one whose memory is too small, and an unreachable Hub.
    """
    place = find_device(device)
    with _quiet():
        source = str(tiny_model(lessons or Lessons(()), observe=observe)) if name == "tiny" else checked_source(name)
        with _explained(name, "configuration"):
            config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        refuse_quantised(name, config)
        with _explained(name, "tokenizer"):
            tokenizer = load_tokenizer(name, source, tell)
        outline = _outline(name, config)
        fit_tokenizer(name, tokenizer, outline, tell)
        check(outline, tokenizer)
        check_memory(place, size_of(outline, dtype), f"the weights of {name} in {str(dtype).removeprefix('torch.')}")
        model = _read(name, source, dtype)
    return _move(model, place).eval(), tokenizer


def _outline(name: str, config: Any) -> Any:
    make: Any = AutoModelForCausalLM.from_config  # untyped
    with _explained(name, "configuration"), torch.device("meta"):
        return make(config, trust_remote_code=False)


def size_of(outline: Any, dtype: torch.dtype) -> int:
    """Return how many bytes the weights of a model take in `dtype`."""
    numbers: int = sum(parameter.numel() for parameter in outline.parameters())
    return numbers * dtype.itemsize


def _read(name: str, source: str, dtype: torch.dtype) -> Any:
    """Return the model with its weights. Raises InputError where some are missing: they would be drawn at random."""
    load: Any = AutoModelForCausalLM.from_pretrained  # typed as if it returned the model alone
    with _explained(name, "weights"):
        model, found = load(
            source,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # told below, by name
            output_loading_info=True,
        )
    for tensor, there, wanted in sorted(found["mismatched_keys"]):
        raise InputError(
            f"The model in {name} cannot be used: its weights have {tensor} in shape {tuple(there)}, and by its "
            f"config.json that is {tuple(wanted)}. Get weights and config.json of the same model."
        )
    if missing := sorted(found["missing_keys"]):
        raise InputError(
            f"The model in {name} cannot be used: its weights lack {missing[0]} ({len(missing)} tensors in all). Copy "
            "or download its safetensors files again."
        )
    return model


def find_device(name: str) -> torch.device:
    """Return the device called `name`; `auto` is a GPU where there is one.

    Raises InputError for an unknown name, EnvironmentFault for a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"There is no device {name!r}. Use auto, cpu, cuda or cuda:NUMBER.") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EnvironmentFault(
            f"{name}: PyTorch {torch.__version__} finds {torch.cuda.device_count()} GPUs on this machine. "
            "Use --device cpu, or install a driver and a PyTorch built for CUDA."
        )
    return device


def _move(model: Any, device: torch.device) -> Any:
    with fitting("the model", device):
        return model.to(device)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' notes and bars off the terminal; settings are put back."""
    logging: Any = transformers_logging  # partly typed
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _explained(name: str, part: str) -> Iterator[None]:
    """Say in words why transformers could not load that part of `name`."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # whatever its parsers raise at a file that is broken
        text = textwrap.shorten(str(error).rstrip(". \n"), 300, placeholder=" ...")
        reason = text if isinstance(error, (OSError, ValueError, ImportError)) else f"{type(error).__name__}: {text}"
        if Path(name).expanduser().is_dir() or name == "tiny":
            raise InputError(
                f"The model in {name} cannot be loaded, for its {part}: {reason}. A transformers model with a "
                "tokenizer and safetensors weights is needed; pickled weights and code of its own are never run."
            ) from error
        if _caused_by(error, RepositoryNotFoundError, GatedRepoError):
            raise InputError(
                f"The Hub has no model {name} that you may read. Check the name; for a gated one, run `hf auth login`."
            ) from error
        raise EnvironmentFault(
            f"The model {name} cannot be had from the Hub: {reason}. Where there is a network, run "
            f"`hf download {name} --local-dir FOLDER`, and give FOLDER as the model."
        ) from error


def _caused_by(error: BaseException | None, *kinds: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__ or error.__context__
    return False
