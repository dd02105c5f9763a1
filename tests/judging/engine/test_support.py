"""What is known of an engine's release: its line and the end of its support; and what `doctor` makes of it."""

from datetime import date

import pytest

from edittool.cli.doctor import support_line
from edittool.judging.engine.support import end_of_support


@pytest.mark.parametrize(
    ("engine", "version", "expected"),
    [
        ("Docker", "20.10.24+dfsg1", ("20.10", date(2023, 12, 10))),
        ("Docker", "26.1.5+dfsg1", ("26.1", date(2025, 2, 17))),
        ("Docker", "26.0.2", ("26.0", date(2024, 6, 8))),
        ("Docker", "27.5.1", ("27", date(2025, 5, 3))),
        ("Docker", "25.0.14", ("25.0", None)),
        ("Docker", "29.3.0-rc.1", ("29", None)),
        ("Docker", "19.03.15", ("19", date(2021, 1, 8))),
        ("Docker", "2.0.1", None),
        ("Docker", "270.1.2", None),
        ("Docker", "?", None),
        ("Podman", "4.3.1", ("4", date(2024, 5, 30))),
        ("Podman", "5.4.2", ("5", date(2026, 9, 26))),
        ("Podman", "6", ("6", None)),
        ("containerd", "1.7.24", None),
    ],
)
def test_each_release_has_its_line(engine: str, version: str, expected: tuple[str, date | None] | None) -> None:
    assert end_of_support(engine, version) == expected


@pytest.mark.parametrize(
    ("engine", "version", "today", "state", "found"),
    [
        ("Docker", "20.10.24", date(2023, 12, 9), "ok", "20.10: until 10 December 2023"),
        ("Docker", "20.10.24", date(2023, 12, 10), "warn", "20.10: its makers' support ended on 10 December 2023"),
        ("Docker", "29.3.0", date(2030, 1, 1), "ok", "29: no end was announced by September 2026"),
        ("Docker", "77.0.1", date(2030, 1, 1), "ok", "77.0.1 is not in edittool's table"),
    ],
)
def test_doctor_says_what_follows(engine: str, version: str, today: date, state: str, found: str) -> None:
    line = support_line(engine, version, today)
    assert (line.state, line.found, line.judging_needs_it) == (state, found, False)
    assert bool(line.fix) == (state == "warn")
    assert "distribution" in line.fix or state == "ok"
