"""Turns: many work at once, and one that is to be alone is."""

import random
import threading
import time

from edittool.judging.sandbox.turns import Turns


def test_others_work_side_by_side_and_one_is_alone() -> None:
    turns, at_work, seen = Turns(), set[int](), list[tuple[bool, int]]()
    chance = random.Random(5)
    plan = [(number, chance.random() < 0.2, chance.uniform(0, 0.01)) for number in range(60)]

    def work(number: int, alone: bool, seconds: float) -> None:
        with turns.taken(alone=alone):
            at_work.add(number)
            time.sleep(seconds)
            seen.append((alone, len(at_work)))
            time.sleep(seconds)
            at_work.remove(number)

    threads = [threading.Thread(target=work, args=each) for each in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(seen) == len(plan)
    assert {count for alone, count in seen if alone} == {1}
    assert max(count for alone, count in seen if not alone) > 1


def test_a_turn_ends_with_what_is_raised_in_it() -> None:
    turns = Turns()
    for alone in (True, False, True):
        try:
            with turns.taken(alone=alone):
                raise RuntimeError
        except RuntimeError:
            continue
    with turns.taken(alone=True):
        pass
