"""Colours: fixed for what the report always has, and the same in every run for any other name."""

import re
import subprocess
import sys

from edittool.reporting.charts.style import colour
from edittool.schemas.verdicts import FAILURES, LABELS


def test_labels_methods_and_failures_have_a_colour_each():
    for names in (LABELS, ("ft", "grace", "rome", "memit", "pmet"), FAILURES, ("compile", "partial", "full")):
        assert len({colour(name) for name in names} | {colour("reference")} - {colour("unknown")}) >= len(names)


def test_any_name_gets_the_same_colour_in_every_process():
    name = "a method of tomorrow \ud800"
    command = f"from edittool.reporting.charts.style import colour; print(colour({name!r}))"
    elsewhere = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert elsewhere.stdout.strip() == colour(name)
    assert re.fullmatch("#[0-9A-F]{6}", colour(name))
