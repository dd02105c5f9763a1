"""A comparison that notices no mistake proves nothing: each deliberate one in the plain methods shows in it.

`python -m tests.editing.test_parity_mistakes` prints how far each mistake is from what the package learns.
"""

from functools import cache

import pytest
import torch
from torch import Tensor

from edittool.editing import Speedups

from .parity_cases import CORE, MIDDLE, VARIANTS, Case, distance, edited, plainly
from .plain.mistakes import MISTAKES
from .test_parity import ROUNDED

ALIKE = [Case("middle", "memit", (MIDDLE,)), Case("middle", "pmet", (MIDDLE,))]
CASES = {f"{case.method} {case.name}": case for case in (*CORE, *VARIANTS, *ALIKE)}
EVERY = ("rome middle", "memit middle", "pmet middle")
SPREAD = ("memit middle", "pmet middle")
WEIGHED = (*SPREAD, "emmet on-top")  # with the covariance
ABOVE = (*WEIGHED, "alphaedit on-top")  # layer after layer

# The cases (on Llama, unless a family is named) that show a mistake, one for each method in which it can be made.
SHOWN: dict[str, tuple[str, ...]] = {
    "no space before the target": ("rome middle", "memit one", "pmet one gpt2"),
    "BOS in the target": EVERY,
    "lookup one too early": EVERY,
    "labels one too late": EVERY,
    "the prompt among the labels": EVERY,
    "the last target token left out": EVERY,
    "sum over the target, no mean": EVERY,
    "the loss read at the top": ("memit start-low", "pmet both"),
    "the loss read below delta": ("memit early",),
    "no final norm": SPREAD,
    "no KL term": EVERY,
    "KL the other way round": EVERY,
    "KL at the last position": EVERY,
    "KL row without delta": EVERY,
    "no weight decay": EVERY,
    "weight decay without the square": EVERY,
    "weight decay of the MLP alone": ("pmet both",),
    "h0 read from a padded row": EVERY,
    "h0 read from the last row": EVERY,
    "no early stop": ("rome early", "memit early", "pmet early"),
    "phi never lowered": ("pmet phi",),
    "phi never raised again": ("pmet phi gpt2",),
    "no stop by the KL term": ("pmet stop",),
    "one update too many": EVERY,
    "Adam without bias correction": EVERY,
    "gradient descent for Adam": EVERY,
    "no clamp": ("rome start", "memit middle gpt2", "pmet middle"),
    "all clamped by the MLP's h0": ("pmet both",),
    "flat mean of the keys": SPREAD,
    "mean of group means": ("rome middle",),
    "keys without the bare prompt": EVERY,
    "key of the bare prompt alone": EVERY,
    "covariance not inverted": ("rome end-mom2",),
    "divided by the mean key": ("rome middle",),
    "R-ROME with the bare prompt's output": ("rome r_rome",),
    "residual not divided": SPREAD,
    "residual divided by the square root": ("memit middle",),
    "residual divided linearly": ("pmet middle",),
    "residual not measured again": ABOVE,
    "keys not measured again": ABOVE,
    "covariance not weighted": WEIGHED,
    "covariance of another layer": ABOVE,
    "update not transposed": ("pmet attention gpt2",),
    "no lambda in the constraint": ("emmet on-top",),
    "no ridge": ("emmet on-top",),
    "not projected": ("alphaedit three",),
    "the other side of the threshold": ("alphaedit three",),
    "earlier keys forgotten": ("alphaedit on-top",),
    "L2 taken for 1": ("alphaedit three",),
}
METHODS = {"rome": "ROME", "memit": "MEMIT", "pmet": "PMET", "emmet": "EMMET", "alphaedit": "AlphaEdit"}
PAIRS = [(mistake, shown) for mistake in MISTAKES for shown in SHOWN[mistake]]


def case_of(shown: str) -> Case:
    return CASES[shown.removesuffix(" gpt2")].on("gpt2" if shown.endswith(" gpt2") else "llama")


@cache
def right(shown: str) -> dict[str, Tensor]:
    return edited(case_of(shown), Speedups()).deltas()


def error(mistake: str, shown: str) -> float:
    """How far the plain method with a mistake is from what the package learns."""
    return distance(plainly(case_of(shown), torch.float32, mistake).deltas, right(shown))


def test_every_mistake_is_shown() -> None:
    assert SHOWN.keys() == set(MISTAKES)


@pytest.mark.parametrize(("mistake", "shown"), PAIRS, ids=lambda part: part.replace(" ", "_"))
def test_a_mistake_is_far_from_the_tolerance(mistake: str, shown: str) -> None:
    assert not error(mistake, shown) < 10 * ROUNDED  # where padding has no activation, not a number comes out: far too


def print_table() -> None:
    print(f"| mistake | {' | '.join(METHODS.values())} |\n|{' --- |' * (len(METHODS) + 1)}")
    for mistake in MISTAKES:
        errors = {shown.split()[0]: f"{error(mistake, shown):.0e}" for shown in SHOWN[mistake]}
        cells = [errors.get(method, "") for method in METHODS]
        print(f"| {mistake} | {' | '.join(cells)} |")


if __name__ == "__main__":
    print_table()
