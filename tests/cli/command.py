"""`edittool` in a process of its own, as a shell starts it."""

import os
import subprocess
import sys
from typing import Any

COMMAND = (sys.executable, "-m", "edittool.cli")


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start edittool and return its process, whose output is captured."""
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **_options(environment))


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run edittool to its end."""
    return subprocess.run([*COMMAND, *map(str, arguments)], check=False, timeout=240, **_options(environment))


def _options(environment: dict[str, str]) -> dict[str, Any]:
    return {
        "env": os.environ | environment,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
