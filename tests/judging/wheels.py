"""A small library made here, so that own images are tested without any index."""

import base64
import hashlib
import importlib.metadata
import sys
import zipfile
from pathlib import Path

import pytest

SOURCE = '''
"""A library of our own."""


class Box:
    def __init__(self, size):
        self.size = size

    def volume(self, *, height):
        return self.size * height


def double(number):
    return 2 * number
'''


def write_wheel(
    folder: Path, version: str = "1.0", *, tag: str = "py3-none-any", source: str = SOURCE, requires: str = ""
) -> Path:
    """Write the wheel of `ourlib` with a script into `folder` and return its path."""
    info = f"ourlib-{version}.dist-info"
    files = {
        "ourlib/__init__.py": source,
        "ourlib/old_syntax.py": "print 'this was Python 2'\n",  # packages ship such files, and nobody imports them
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: ourlib\nVersion: {version}\n"
        + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\nourlib = ourlib:double\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text.encode())}\n" for name, text in files.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ourlib-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (files | {f"{info}/RECORD": record + f"{info}/RECORD,,\n"}).items():
            archive.writestr(name, text)
    return path


def installed(name: str) -> dict[str, bytes]:
    """Return the files of a distribution that is installed here, for an own image: compiled parts, without an index.

    Skips where this Python is not the sandbox's, whose compiled parts have another interface.
    """
    if sys.version_info[:2] != (3, 11):
        pytest.skip(f"the sandbox has Python 3.11, and {name} is installed here for {sys.version.split()[0]}")
    found = {}
    for file in importlib.metadata.files(name) or ():
        path = Path(str(file.locate()))
        if not file.parts[0].startswith("..") and "__pycache__" not in file.parts and path.is_file():
            found[str(file)] = path.read_bytes()
    return found


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
