import pytest

from edittool.editing.context import Step
from edittool.editing.runs import telling
from edittool.editing.runs.telling import Telling


def test_steps_in_words_with_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, told = iter([0.0, 10.0, 20.0, 600.0]), list[str]()
    monkeypatch.setattr(telling.time, "monotonic", lambda: next(clock))
    made = Telling("editing sorted", told.append)
    made.say("writing text 1 of 10 to put before prompts")
    made.step(Step(1, 4, 1, 25, 5.118))
    made.step(Step(1, 4, 11, 25, 2.3))
    made.step(Step(2, 4, 1, 25, 2.0, done=0.51))
    made.step(Step(2, 4, 2, 25, float("nan")))
    assert told == [
        "editing sorted: writing text 1 of 10 to put before prompts",
        "editing sorted: request 1 of 4, step 1 of 25, loss 5.12",
        "editing sorted: request 1 of 4, step 11 of 25, loss 2.30, up to 89 s left",
        "editing sorted: request 2 of 4, step 1 of 25, loss 2.00, up to 20 s left",
        "editing sorted: request 2 of 4, step 2 of 25, loss nan, up to 28 min left",
    ]


def test_the_share_that_is_done() -> None:
    assert Step(1, 4, 25, 25, 0.0).share() == 0.25
    assert Step(4, 4, 25, 25, 0.0).share() == 1.0
    assert Step(4, 4, 1, 25, 0.0, done=0.01).share() == 0.01
