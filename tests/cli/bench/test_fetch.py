"""`edittool bench fetch` as a person meets it; tests/benchmark/sources/test_fetch.py has the downloads."""

import pytest

from edittool.benchmark.sources.fetch import DATA_SETS
from edittool.cli.bench.fetch import _buildable

from ..command import run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["apps", "-o", "data"], "'apps' is not one of 'humaneval', 'mbpp', 'humaneval+', 'mbpp+'"),
        (["mbpp"], "Missing option '-o' / '--output'"),
    ],
)
def test_wrong_usage(edittool, arguments, message):
    code, out, err = edittool("bench", "fetch", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


def test_a_file_that_is_there_and_is_not_the_data_set_is_kept(edittool, mbpp):
    before = mbpp.read_bytes()
    code, out, err = edittool("bench", "fetch", "mbpp", "-o", mbpp.parent)
    assert (code, out) == (2, "")
    assert "mbpp.jsonl is not the file of mbpp: its SHA-256 is" in err
    assert "Move it away and run this again, or choose another folder" in err
    assert mbpp.read_bytes() == before


def test_a_hub_out_of_reach(tmp_path):
    offline = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}
    done = run("bench", "fetch", "-o", tmp_path / "data", **offline)
    assert (done.returncode, done.stdout) == (3, "")
    assert "HF_HUB_OFFLINE is set (unset it)" in done.stderr
    assert f"get the file by hand: {DATA_SETS['humaneval'].by_hand}" in done.stderr
    assert f"save it as {tmp_path / 'data' / 'HumanEval.jsonl'}" in done.stderr
    assert list((tmp_path / "data").iterdir()) == []


def test_the_next_command_takes_one_edition_of_each(tmp_path):
    files = {"--mbpp": tmp_path / "m", "--mbpp-plus": tmp_path / "m p", "--humaneval": tmp_path / "h"}
    assert _buildable(files) == [f"--mbpp-plus '{tmp_path}/m p'", f"--humaneval {tmp_path}/h"]
