"""perf/easyedit.py: what it asks EasyEdit, what it says without it, and that both learn the same where it is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "perf" / "easyedit.py"
FOLDER = os.environ.get("EDITTOOL_EASYEDIT")

LOOK = """
import easyedit
for subject, target in easyedit.SETTINGS.values():
    for one in easyedit.readable_requests(4, subject, target):
        assert one.prompt.count(one.subject) == 1 and not set("{}") & set(one.prompt + one.target), one
        assert one.place() >= 0 and '"' * 3 in one.prompt and ">>>" not in one.prompt * (subject == "function"), one
        print(subject, target)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=SCRIPT.parent, capture_output=True, text=True, check=False)


def test_asks_what_easyedit_can_read() -> None:
    result = run("-c", LOOK)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["function solution"] * 4 + ["last_word call"] * 4


def test_says_what_it_needs(tmp_path: Path) -> None:
    without, wrong = run(str(SCRIPT)), run(str(SCRIPT), "--easyedit", str(tmp_path))
    assert (without.returncode, wrong.returncode) == (0, 1)
    assert "give --easyedit the folder of EasyEdit" in without.stdout
    assert "is no checkout of EasyEdit" in wrong.stderr


@pytest.mark.skipif(FOLDER is None, reason="EDITTOOL_EASYEDIT does not name a checkout of EasyEdit")
@pytest.mark.parametrize("method", ["ft", "grace"])
def test_both_learn_the_same(method: str) -> None:
    result = run(str(SCRIPT), "--easyedit", str(FOLDER), "--method", method, "--rounds", "1")
    assert result.returncode == 0, result.stderr
    apart = [float(number) for number in re.findall(r"\d+e[-+]\d+", result.stdout)]
    assert len(apart) == 2
    assert max(apart) <= 1e-4
