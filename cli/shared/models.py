"""Models on the command line: the libraries it takes, and loading it with progress."""

from typing import TYPE_CHECKING, Any

from ...schemas.bench import Bench
from ...schemas.errors import EnvironmentFault
from .console import plain, progress, talk
from .observer import Observer

if TYPE_CHECKING:
    from ...editing.model.loading import Check


def require_torch(command: str) -> None:
    """Raise EnvironmentFault where `command` lacks PyTorch or transformers."""
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise EnvironmentFault(
            f"`{command}` needs PyTorch and transformers ({error}). Install them: pip install 'edittool[edit]'"
        ) from None


def open_model(
    name: str,
    device: str,
    dtype: str,
    bench: Bench,
    check: "Check" = lambda outline, tokenizer: None,
) -> tuple[Any, Any]:
    """Return a model and its tokenizer; `tiny` is that of `bench`, trained where none is. Raises as `load_model`."""
    import torch

    from ...editing.model.loading import load_model
    from ...editing.model.tiny_lessons import lessons_of

    talk.print(plain(f"loading {name}"))
    with progress() as bar:
        training = Observer(bar)
        return load_model(
            name,
            device,
            getattr(torch, dtype),
            lessons=lessons_of(bench),
            observe=lambda epoch, epochs, loss: training.show(epoch, epochs, "training the tiny model, once"),
            check=check,
            tell=lambda text: talk.print(plain(text, "yellow"), soft_wrap=True),
        )
