"""A program judged in place of a sample, with no change active: says why the world of a change cannot be made."""

import builtins
import pkgutil


def probe(deprecated: str, replacement: str, shim: str) -> str | None:
    """Return why the deprecated API cannot be found or the shim cannot be loaded; None where both can."""
    is_builtin = hasattr(builtins, deprecated.partition(".")[0])
    try:
        pkgutil.resolve_name(f"builtins.{deprecated}" if is_builtin else deprecated)
        namespace: dict[str, object] = {}
        exec(shim, namespace)  # noqa: S102  the world does the same
        namespace[replacement]
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None
