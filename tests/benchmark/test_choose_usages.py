"""The choice of usage changes, tried in the real sandbox."""

import pytest

from edittool.benchmark.choose_usages import choose_designs
from edittool.benchmark.survey import survey
from edittool.benchmark.trials import open_trials
from edittool.benchmark.usages.designs import designs
from edittool.judging.sandbox.options import SandboxOptions

from .tiny_problems import PROMPT_NEEDS_SUM, SOUND, SWALLOWS, TYPE_TEST, like_mbpp

NAMES = ("ascending", "ranked", "total", "mean", "words", "last", "side", "disc", "read", "read_binary")
# Nothing is given: called by keyword, or not, it is the same.
EMPTY = like_mbpp("Nothing yet.", "def nothing():\n    return int()\n", "() == 0")
SELF_MADE = like_mbpp(
    "Sum by another name.",
    "def by_name(xs):\n    my_builtin_sum = sum\n    return my_builtin_sum(xs)\n",
    "([1, 2]) == 3",
)
PROBLEMS = [
    *(one for one in SOUND if one.entry_point in NAMES),
    *(SWALLOWS, TYPE_TEST, PROMPT_NEEDS_SUM, EMPTY, SELF_MADE),
]


@pytest.fixture(scope="module")
def trials(docker_client):
    with open_trials(SandboxOptions()) as opened:
        yield opened


@pytest.fixture(scope="module")
def users(trials):
    return survey(PROBLEMS, trials).users()


@pytest.fixture(scope="module")
def chosen(users, trials):
    return choose_designs(users, trials)


def test_every_api_has_a_design_of_its_own(chosen, users):
    assert list(chosen) == sorted(users)
    for api, one in chosen.items():
        assert one.design.change in [design.change for design in designs(api)]


def test_a_user_is_certified_or_there_is_a_reason(chosen, users):
    for api, one in chosen.items():
        groups = [one.certified, set(one.unwritable), set(one.unobserved)]
        assert sorted(task for group in groups for task in group) == sorted(u.problem.task_id for u in users[api])
        assert all([*one.unwritable.values(), *one.unobserved.values()])


def test_what_can_show_the_change_is_certified(chosen):
    assert chosen["sorted"].certified == {"tiny/ascending", "tiny/ranked"}
    assert chosen["sum"].certified == {"tiny/total", "tiny/mean"}
    assert chosen["str.split"].certified == {"tiny/words", "tiny/last"}
    assert chosen["math.pi"].certified == {"tiny/disc"}


def test_a_prompt_that_needs_the_api_cannot_be_rewritten(chosen):
    assert chosen["sum"].unwritable["tiny/heavier"].startswith("rewritten, it does not pass: failed")


def test_a_program_that_takes_the_name_cannot_be_rewritten(chosen):
    assert chosen["sum"].unwritable["tiny/by_name"] == "name_taken: the program binds my_builtin_sum"


def test_a_rename_whose_refusal_is_swallowed_shows_nothing(chosen):
    assert chosen["sum"].unobserved["tiny/total_or_0"].startswith("rename_fails: partial, misuse")


def test_a_type_that_is_only_asked_for_adopts_nothing(chosen):
    assert chosen["int"].unobserved["tiny/whole"].startswith("updated_passes: passed, workaround")


def test_the_design_with_the_most_certified_problems_wins(chosen, trials, users):
    """A keyword shows nothing in `int()`; one list does."""
    assert "keyword_only" in [design.change.usage for design in designs("int")]
    assert chosen["int"].design.change.usage == "packed"
    assert chosen["int"].certified == {"tiny/read", "tiny/read_binary", "tiny/nothing"}


def test_of_equal_designs_the_usage_with_the_fewest_problems_wins(trials, users):
    alone = {api: choose_designs({api: users[api]}, trials)[api].design.change.usage for api in ("sorted", "math.sqrt")}
    assert alone == {"sorted": "keyword_only", "math.sqrt": "keyword_only"}
    together = choose_designs({api: users[api] for api in ("math.sqrt", "sorted")}, trials)
    assert together["sorted"].design.change.usage == "keyword_only"  # it has more problems, and chooses first
    assert together["math.sqrt"].design.change.usage == "packed"


def test_an_api_that_nothing_can_stand_in_for_gets_none(users, trials):
    made = choose_designs({"ValueError": users["sum"], "sum": users["sum"]}, trials)
    assert list(made) == ["sum"]
