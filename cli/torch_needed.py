"""The check that PyTorch and transformers are there: only the commands that load a model need them."""

from ..schemas.errors import EnvironmentFault


def require_torch(command: str) -> None:
    """Raise EnvironmentFault, with what to install for `edittool COMMAND`, where they cannot be imported."""
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise EnvironmentFault(
            f"`edittool {command}` needs PyTorch and transformers ({error}). Install them: pip install 'edittool[edit]'"
        ) from None
