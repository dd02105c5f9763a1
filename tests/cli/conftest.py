"""What tests of the command line need: the command itself, and a small data set that was built once."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from edittool.cli.main import main

from .command import run as run_command
from .small_data_set import rows, write_jsonl

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def edittool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in this process and returns (exit code, stdout, stderr).

    Signals do afterwards what they did before: a process that a later test starts would ignore what this one ignores.
    """

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edittool", *map(str, arguments)])
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def mbpp(tmp_path: Path) -> Path:
    """Return the small data set's file."""
    return write_jsonl(tmp_path / "mbpp.jsonl", rows())


@pytest.fixture(scope="session")
def built(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the certified benchmark of the small data set, built without interruption. Tests only read it."""
    folder = tmp_path_factory.mktemp("built")
    mbpp = write_jsonl(folder / "mbpp.jsonl", rows())
    done = run_command("bench", "build", "--mbpp", mbpp, "-o", folder / "bench")
    assert done.returncode == 0, done.stderr
    return folder / "bench"
