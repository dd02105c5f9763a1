"""A benchmark made of tiny problems in the real sandbox: what it promises, and why the rest was left out."""

from collections import Counter
from dataclasses import replace

import pytest

from edittool.analysis.labels import label_program
from edittool.benchmark.make_changes import PRESETS, Plan, certification_record, generate
from edittool.benchmark.trials import open_trials
from edittool.benchmark.usages.designs import designs
from edittool.judging.sandbox.options import SandboxOptions
from edittool.schemas.errors import InputError

from .tiny_problems import BY_CHANCE, PROBLEMS, SOUND, TROUBLE, TWIN, WRONG, like_mbpp

pytestmark = pytest.mark.usefixtures("docker_client")

FEW = frozenset({"sorted", "sum", "str.split"})
MAIN = replace(PRESETS["main"], hash_seeds=(0, 1))  # two are enough to find what goes by chance
FULL = replace(PRESETS["full"], hash_seeds=(0, 1))


@pytest.fixture(scope="module")
def trials(docker_client):
    """Trials that remember, so that most benchmarks here cost next to nothing."""
    with open_trials(SandboxOptions()) as opened:
        yield opened


@pytest.fixture(scope="module")
def main(trials):
    return generate(PROBLEMS, MAIN, trials)


@pytest.fixture(scope="module")
def full(trials):
    return generate(PROBLEMS, FULL, trials)


def named(*names):
    return [problem for problem in PROBLEMS if problem.entry_point in names]


def subsets(made):
    return {task_id: problem.subset for task_id, problem in made.bench.problems.items()}


def of_problems(made):
    return {rejection.task_id: rejection for rejection in made.rejections if rejection.task_id is not None}


def of_apis(made):
    return {rejection.change_id: rejection for rejection in made.rejections if rejection.task_id is None}


@pytest.mark.parametrize("preset", ["main", "full"])
def test_every_check_holds(preset, request):
    made = request.getfixturevalue(preset)
    affected = sum(problem.change_id is not None for problem in made.bench.problems.values())
    held = {condition: counts["holds"] for condition, counts in made.certificate.counts().items()}
    assert made.certificate.holds
    assert made.certificate.with_state("unchecked") == []
    assert made.certificate.hash_seeds == (0, 1)
    assert held == {
        "reference_passes": len(made.bench.problems),
        "removal_fails": affected,
        "updated_passes": affected,
        "all_changes_pass": len(made.bench.problems),
        "rename_fails": affected,
    }


def test_main_changes_what_three_problems_show(main):
    assert list(main.bench.changes) == [
        "collections.Counter",
        "list.append",
        "math.pi",
        "math.sqrt",
        "sorted",
        "str.join",
        "str.split",
        "sum",
    ]
    assert main.bench.name == "main"
    assert [task for task, subset in subsets(main).items() if subset == "specificity"] == [
        "tiny/how_many",
        "tiny/read",
        "tiny/read_binary",
        "tiny/double",
        "tiny/odd",
        "tiny/negate",
        "tiny/whole",
    ]


def test_full_changes_what_two_problems_show(full, main):
    assert set(full.bench.changes) == set(main.bench.changes) | {"int", "len"}
    assert [task for task, subset in subsets(full).items() if subset == "specificity"] == [
        "tiny/double",
        "tiny/odd",
        "tiny/negate",
    ]


@pytest.mark.parametrize("preset", ["main", "full"])
def test_every_change_is_a_design_with_problems_on_both_sides(preset, request):
    bench = request.getfixturevalue(preset).bench
    sides = {api: Counter() for api in bench.changes}
    for problem in bench.problems.values():
        if problem.change_id is not None:
            sides[problem.change_id][problem.subset] += 1
    assert all(set(counted) == {"reliability", "generalization"} for counted in sides.values())
    for api, change in bench.changes.items():
        assert change.usage != "renamed"
        assert replace(change, order=None) in [design.change for design in designs(api)]
    assert sorted(change.order for change in bench.changes.values()) == list(range(len(bench.changes)))


def test_usages_are_spread(main):
    assert {change.usage for change in main.bench.changes.values()} == {
        "keyword_only",
        "packed",
        "reordered",
        "function",
    }


@pytest.mark.parametrize("preset", ["main", "full"])
def test_rewritten_solutions_adopt_the_change_and_leave_the_prompt(preset, request):
    bench = request.getfixturevalue(preset).bench
    for problem in bench.problems.values():
        if problem.change_id is None:
            assert (problem.updated_solution, problem.fully_updated_solution) == (None, None)
            continue
        assert problem.updated_solution.startswith(problem.prompt)
        assert problem.fully_updated_solution != problem.updated_solution
        change = bench.changes[problem.change_id]
        label = label_program(problem.updated_solution, change, passed=True, calls=1, outcome="passed", error=None)
        assert (label.label, label.detail) == ("correct_adoption", "clean")


def test_the_fully_rewritten_solution_names_no_changed_api(full):
    mean = full.bench.problems["tiny/mean"]
    assert mean.uses == ("len", "sum")
    assert "my_builtin_sum(" in mean.fully_updated_solution
    assert "my_builtin_len(" in mean.fully_updated_solution
    assert ("my_builtin_sum(" in mean.updated_solution) != ("my_builtin_len(" in mean.updated_solution)


def test_problems_keep_their_order_and_what_they_are(main):
    given = {problem.task_id: problem for problem in PROBLEMS}
    assert list(main.bench.problems) == [task for task in given if task in main.bench.problems]
    for task_id, made in main.bench.problems.items():
        kept = replace(
            made,
            subset="specificity",
            change_id=None,
            updated_solution=None,
            fully_updated_solution=None,
            uses=(),
            tags=(),
        )
        assert kept == given[task_id]


def test_prompts_that_name_the_api_are_tagged(main):
    assert [task for task, problem in main.bench.problems.items() if problem.tags] == ["tiny/squares"]
    assert main.bench.problems["tiny/squares"].tags == ("names_api",)


@pytest.mark.parametrize("seed", range(6))
def test_twins_are_in_one_subset(trials, seed):
    plan = Plan("twins", 2, apis=frozenset({"sum"}), seed=seed, hash_seeds=(0,))
    made = subsets(generate([*SOUND, TWIN], plan, trials))
    assert made["tiny/total"] == made[TWIN.task_id]


@pytest.mark.parametrize("preset", ["main", "full"])
def test_everything_that_is_left_out_is_listed_once_with_a_reason(preset, request):
    made = request.getfixturevalue(preset)
    tasks = Counter([*made.bench.problems, *(r.task_id for r in made.rejections if r.task_id is not None)])
    apis = Counter([*made.bench.changes, *(r.change_id for r in made.rejections if r.task_id is None)])
    assert tasks == {problem.task_id: 1 for problem in PROBLEMS}
    assert apis == dict.fromkeys(
        "collections.Counter collections.Counter.most_common dict.items int isinstance iter len list.append math.pi "
        "math.sqrt next range sorted str.join str.split sum".split(),
        1,
    )
    assert all(rejection.reason and rejection.detail for rejection in made.rejections)


def test_why_problems_were_left_out(main, full):
    expected = {
        "tiny/total_or_0": ("uncertified", "sum: rename_fails: partial, misuse"),
        "tiny/heavier": ("not_rewritable", "sum: rewritten, it does not pass: failed"),
        "tiny/by_chance": ("reference_passes", "(hash seed 1)"),
        "tiny/triple": ("reference_fails", "failed, AssertionError"),
    }
    expected_of_full = expected | {"tiny/whole": ("uncertified", "int: updated_passes: passed, workaround")}
    for made, reasons in ((main, expected), (full, expected_of_full)):
        found = of_problems(made)
        assert {task: rejection.reason for task, rejection in found.items()} == {
            task: reason for task, (reason, _) in reasons.items()
        }
        assert [task for task, (_, detail) in reasons.items() if detail not in found[task].detail] == []


def test_why_apis_were_not_kept(main):
    reasons = {api: rejection.reason for api, rejection in of_apis(main).items()}
    assert reasons == {
        "collections.Counter.most_common": "too_few_problems",
        "dict.items": "too_few_problems",
        "int": "too_few_certified",
        "isinstance": "too_few_problems",
        "iter": "too_few_problems",
        "len": "untouched",
        "next": "too_few_problems",
        "range": "untouched",
    }
    assert of_apis(main)["int"].detail == "3 problems use it and 2 can show a change of it, 3 are needed"


def test_what_certification_takes_away_counts_no_more(trials):
    """Three problems seem to show a change of sorted, until another hash seed shows that one does so by chance."""
    given = [*named("ascending", "ranked", "total", "mean", "squares", "double"), BY_CHANCE]
    made = generate(given, MAIN, trials)
    assert list(made.bench.changes) == ["sum"]
    assert subsets(made)["tiny/ascending"] == "specificity"
    assert of_apis(made)["sorted"].reason == "too_few_certified"
    assert of_apis(made)["sorted"].detail == "3 problems use it and 2 can show a change of it, 3 are needed"


def test_an_api_whose_problems_serve_others_is_not_kept(trials):
    surplus = like_mbpp("What is too much?", "def surplus(xs):\n    return sum(xs) - len(xs)\n", "([2, 1]) == 1")
    given = [*named("mean", "double"), surplus]
    made = generate(given, Plan("shared", 2, hash_seeds=(0,)), trials)
    [(api, rejection)] = of_apis(made).items()
    assert {api, *made.bench.changes} == {"len", "sum"}
    assert (rejection.reason, rejection.detail) == (
        "too_few_certified",
        "its 2 problems serve other changes, or are twins of each other",
    )


def test_what_cannot_be_rewritten_for_all_changes_is_left_out(trials):
    """It is a problem of sum, and takes the name of what stands in for sorted."""
    taken = like_mbpp(
        "Sum it up once.",
        "def once_more(xs):\n    my_builtin_sorted = sum(xs)\n    return my_builtin_sorted\n",
        "([2, 1]) == 3",
    )
    given = [*named("ascending", "ranked", "total", "mean", "double"), taken]
    made = generate(given, Plan("taken", 2, apis=FEW - {"str.split"}, hash_seeds=(0,)), trials)
    assert list(made.bench.changes) == ["sorted", "sum"]
    assert list(of_problems(made)) == ["tiny/once_more"]
    assert of_problems(made)["tiny/once_more"].reason == "not_rewritable"
    assert of_problems(made)["tiny/once_more"].detail == (
        "rewritten for all changes at once, name_taken: the program binds my_builtin_sorted"
    )


def test_only_the_apis_that_were_asked_for_change(trials):
    made = generate(PROBLEMS, replace(MAIN, apis=FEW), trials)
    assert set(made.bench.changes) == FEW
    assert subsets(made)["tiny/side"] == "specificity"
    assert "math.sqrt" not in of_apis(made)


def test_apis_with_too_few_problems_do_not_change(trials):
    made = generate(PROBLEMS, replace(MAIN, min_problems=4, apis=FEW), trials)
    assert list(made.bench.changes) == ["sum"]
    assert of_apis(made)["sorted"].detail == "4 problems use it and 3 can show a change of it, 4 are needed"
    assert of_apis(made)["str.split"].detail == "3 problems use it, 4 are needed"


def test_another_seed_is_another_division_of_the_same_apis(trials, main):
    other = generate(PROBLEMS, replace(MAIN, seed=1), trials)
    assert list(other.bench.changes) == list(main.bench.changes)
    assert [c.usage for c in other.bench.changes.values()] == [c.usage for c in main.bench.changes.values()]
    assert subsets(other).keys() == subsets(main).keys()
    assert subsets(other) != subsets(main)
    orders = [[change.order for change in made.bench.changes.values()] for made in (main, other)]
    assert orders[0] != orders[1]


def test_order_by_frequency_starts_with_the_most_problems(trials):
    bench = generate(PROBLEMS, replace(MAIN, order="frequency"), trials).bench
    counts = Counter(problem.change_id for problem in bench.problems.values() if problem.change_id)
    in_order = sorted(bench.changes.values(), key=lambda change: change.order)
    assert in_order[0].change_id == "sum"
    assert [counts[one.change_id] for one in in_order] == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("options", [SandboxOptions(workers=1), SandboxOptions(workers=4, pool=5)], ids=["1", "4"])
def test_the_same_benchmark_whatever_the_workers(trials, options):
    """Run anew, with all that is found on the way; nothing is remembered of the first time."""
    given, plan = [*SOUND[:9], *TROUBLE], Plan("few", 2, apis=FEW, hash_seeds=(0, 1))
    first = generate(given, plan, trials)
    with open_trials(options) as others:
        second = generate(given, plan, others)
    for made in ("problems", "changes"):
        rows = [[one.to_row() for one in getattr(each.bench, made).values()] for each in (first, second)]
        assert rows[0] == rows[1]
    assert first.rejections == second.rejections
    assert first.certificate == second.certificate


def test_the_presets():
    assert {name: plan.name for name, plan in PRESETS.items()} == {"main": "main", "full": "full"}
    assert (PRESETS["main"].min_problems, PRESETS["main"].untouched) == (3, {"len", "range"})
    assert (PRESETS["full"].min_problems, PRESETS["full"].untouched) == (2, frozenset())
    assert all(plan.hash_seeds == (0, 1, 2) and plan.apis is None for plan in PRESETS.values())


def test_the_order_of_the_problems_decides_nothing_but_their_order(trials, main):
    turned = generate(PROBLEMS[::-1], MAIN, trials)
    assert turned.bench.problems == main.bench.problems
    assert list(turned.bench.problems) == list(main.bench.problems)[::-1]
    assert turned.bench.changes == main.bench.changes
    assert set(turned.rejections) == set(main.rejections)


@pytest.mark.parametrize(
    ("apis", "message"),
    [
        ({"sortd"}, "there is no API called 'sortd'.*did you mean sorted"),
        ({"str.spilt"}, "did you mean str.split"),
        ({"ValueError"}, "ValueError cannot be changed: "),
        ({"collections.Counter.items"}, "'collections.Counter.items' is defined as 'dict.items': ask for that one"),
        ({"sorted", "heapq.heappush", "bin"}, "no problem uses bin, heapq.heappush. Leave out what is not used"),
    ],
)
def test_apis_that_cannot_be_asked_for(trials, apis, message):
    with pytest.raises(InputError, match=message):
        generate(PROBLEMS, Plan("wrong", 2, apis=frozenset(apis)), trials)


@pytest.mark.parametrize(
    ("problems", "min_problems", "message"),
    [
        (PROBLEMS, 9, "no API has 9 certified problems; of the APIs that so many problems use, the best has 0"),
        (PROBLEMS, 5, "no API has 5 certified problems; of the APIs that so many problems use, the best has 4"),
        ([WRONG], 2, "no API has 2 certified problems; of the APIs that so many problems use, the best has 0"),
        (named("double", "odd"), 2, "no API has 2 certified problems"),
        ([*named("total"), TWIN], 2, "No API has 2 certified problems that are not all the same task told again"),
    ],
    ids=["used by too few", "certified for too few", "no sound problem", "no API", "twins only"],
)
def test_where_no_change_can_be_made(trials, problems, min_problems, message):
    with pytest.raises(InputError, match=message):
        generate(problems, Plan("none", min_problems), trials)


def test_the_record_says_what_was_certified_and_planned(main):
    assert certification_record(main.certificate, "image:1", MAIN) == {
        "conditions": main.certificate.counts(),
        "hash_seeds": [0, 1],
        "image": "image:1",
        "plan": {"min_problems": 3, "untouched": ["len", "range"], "apis": None, "order": "chance"},
    }
    assert "plan" not in certification_record(main.certificate, "image:1")
    few = certification_record(main.certificate, "image:1", Plan("few", 2, apis=FEW))
    assert few["plan"]["apis"] == ["sorted", "str.split", "sum"]
