"""Logs of Inspect, read by inspect_ai itself, which knows all versions of its own format."""

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ....schemas.errors import EnvironmentFault, InputError
from ....schemas.whole_files import write_faults
from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import MAX_EXPANDED, MAX_TOTAL, UNPACK, Document
from .choices import text_of
from .rows import clues_of


def read_inspect(document: Document) -> Iterator[Found]:
    """Yield the answers of each sample of a log; scores, epoch, how an answer ended and what it took are carried.

    Raises EnvironmentFault where inspect_ai is not installed, InputError for a log that it cannot read.
    """
    try:
        # Type checkers find it where it is installed, which it need not be.
        from inspect_ai.log import read_eval_log  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise EnvironmentFault(
            f"{document.name} is a log of Inspect, which inspect_ai reads ({error}). Install it: pip install inspect-ai"
        ) from None
    with _as_file(document) as path:
        _check_size(document, path)
        try:
            log = read_eval_log(str(path), resolve_attachments=True)
        except Exception as error:  # its reader raises what its libraries raise
            raise InputError(
                f"{document.name} cannot be read by inspect_ai ({type(error).__name__}: {error})."
            ) from None
    model = getattr(log.eval, "model", None)
    for sample in log.samples or ():
        yield from _answers(sample, model)


@contextlib.contextmanager
def _as_file(document: Document) -> Iterator[Path]:
    if document.path is not None:
        yield document.path.resolve()
        return
    with tempfile.TemporaryDirectory() as folder, document.open() as content:
        path = Path(folder) / f"log{document.suffix}"
        with write_faults(f"{folder} (what {document.name} holds, unpacked)"), path.open("xb") as file:
            shutil.copyfileobj(content, file)
        yield path


def _check_size(document: Document, path: Path) -> None:
    """Raise InputError for a log that expands too far, before anything else reads it."""
    if document.suffix != ".eval" or not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        sizes = [member.file_size for member in archive.infolist()]
    if sum(sizes) > MAX_TOTAL or max(sizes, default=0) > MAX_EXPANDED:
        raise InputError(f"{document.name} expands to {sum(sizes) / 2**30:.3g} GiB, more than is read. {UNPACK}")


def _answers(sample: Any, model: str | None) -> Iterator[Found]:
    place = Place(member=f"sample {sample.id}, epoch {sample.epoch}")
    row = {"id": sample.id, "epoch": sample.epoch, "input": _asked(sample.input)}
    output = sample.output
    choices = list(output.choices or ())
    if not choices:
        error = sample.error.message if sample.error else output.error
        yield Fault(place, "request_failed" if error else "no_text", str(error or "no output")[:200], row)
        return
    clues = clues_of({"id": sample.id, "metadata": dict(sample.metadata or {})})
    clues = Clues(clues.names, (*clues.prompts, _asked(sample.input)), clues.entry_points)
    carried: dict[str, Any] = {"epoch": sample.epoch, "model": output.model or model}
    if sample.scores:
        carried["scores"] = {name: score.value for name, score in sample.scores.items()}
    if output.usage is not None:
        carried["usage"] = output.usage.model_dump(exclude_none=True)
    if sample.error:
        carried["sample_error"] = sample.error.message
    for number, choice in enumerate(choices):
        text = text_of(_plain(choice.message.content)) or ""
        kept = carried | {"finish_reason": choice.stop_reason}
        index = (sample.epoch - 1) * len(choices) + number
        yield Answer(place, text, None, clues, "auto", row | {"output": text}, index, kept)


def _asked(given: Any) -> str:
    if isinstance(given, str):
        return given
    return "\n".join(text_of(_plain(message.content)) or "" for message in given if message.role == "user")


def _plain(content: Any) -> Any:
    """Return a message's content as JSON has it."""
    if isinstance(content, str):
        return content
    parts = [part if isinstance(part, Mapping) else part.model_dump() for part in content]
    return [part for part in parts if part.get("type") == "text"]
