from pathlib import Path

import pytest

from edittool.reporting.explain.pick import pick_verdict
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows


@pytest.fixture
def verdicts(verdict, tmp_path: Path) -> Path:
    """Two samples of rel/0 by two models, one of gen/0; the id of the last but one starts like the first's."""
    rows = [
        verdict("rel/0", 2, sample_id="abc1", sample_index=0, model="m"),
        verdict("rel/0", 0, sample_id="abc2", sample_index=1, model="m"),
        verdict("gen/0", 1, sample_id="abc", sample_index=0, model="evil\nmodel", method="ft", step=3),
        verdict("spe/0", 1, sample_id="fff0", sample_index=10_000_000),
    ]
    write_rows(tmp_path / "verdicts.jsonl", rows)
    return tmp_path / "verdicts.jsonl"


@pytest.mark.parametrize(
    ("wanted", "sample_id"),
    [
        ("abc1", "abc1"),
        ("abc", "abc"),  # a whole id is no prefix of others
        ("f", "fff0"),
        ("gen/0", "abc"),
        ("GEN/0", "abc"),
        ("rel/0:1", "abc2"),
        ("spe/0:10000000", "fff0"),
    ],
)
def test_a_sample_is_found_by_its_id_its_start_or_its_task(verdicts, wanted, sample_id):
    assert pick_verdict(verdicts, wanted).sample_id == sample_id


@pytest.mark.parametrize("wanted", ["ab", "rel/0"])
def test_what_means_several_names_them(verdicts, wanted):
    with pytest.raises(InputError, match=r"means [23] verdicts in .*abc1 \(rel/0:0 m\); abc2 \(rel/0:1 m\)"):
        pick_verdict(verdicts, wanted)


def test_a_name_in_a_message_stays_on_its_line(verdicts):
    with pytest.raises(InputError) as caught:
        pick_verdict(verdicts, "a")
    assert "abc (gen/0:0 evil model ft 3)" in str(caught.value)


@pytest.mark.parametrize(("wanted", "near"), [("rel/00", "rel/0"), ("rel/0:7", "rel/0"), ("", None), ("zzz", None)])
def test_what_means_nothing_is_said_to_with_the_tasks_near(verdicts, wanted, near):
    with pytest.raises(InputError, match=r"has no verdict of the sample") as caught:
        pick_verdict(verdicts, wanted)
    assert ("Near: " in str(caught.value)) is (near is not None)
    assert near is None or near in str(caught.value)


def test_a_sample_that_stands_twice_counts_once_by_its_first_row(verdict, tmp_path):
    path = tmp_path / "twice.jsonl"
    write_rows(path, [verdict("rel/0", passed, sample_id="abc") for passed in (2, 0)])
    assert pick_verdict(path, "rel/0").outcome == "passed"


def test_a_last_line_cut_short_is_left_out(verdicts):
    with verdicts.open("a") as file:
        file.write('{"sample_id": "abc9')
    assert pick_verdict(verdicts, "f").sample_id == "fff0"
