"""The folder of caches: files that edittool can make again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of caches: $EDITTOOL_CACHE, else edittool under the user's own cache folder."""
    if own := os.environ.get("EDITTOOL_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edittool"
