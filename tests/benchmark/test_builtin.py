"""The built-in benchmark: what it promises, and its certification in the real sandbox."""

import ast
import builtins
import doctest
import inspect
import re
from collections import Counter

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.certify import certify
from edittool.benchmark.trials import open_trials
from edittool.judging.sandbox.options import SandboxOptions
from edittool.schemas.bench import Bench, write_bench

BENCH = load_builtin()
PROBLEMS = list(BENCH.problems.values())
CHANGES = list(BENCH.changes.values())
WITH_CHANGE = [problem for problem in PROBLEMS if problem.change_id is not None]


def words(program: str) -> set[str]:
    """Return every name and attribute of a program."""
    nodes = list(ast.walk(ast.parse(program)))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def last_name(change_id: str) -> str:
    return change_id.rpartition(".")[2]


def define(program: str, name: str, **names: object) -> object:
    namespace: dict[str, object] = dict(names)
    exec(program, namespace)
    return namespace[name]


def shape(program: str) -> str:
    """Return a program without its names, texts and annotations: equal for programs that differ only in those."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.name, node.body, node.returns = "f", node.body[1:], None
        elif isinstance(node, ast.arg):
            node.arg, node.annotation = "x", None
        elif isinstance(node, ast.Name):
            node.id = "x"
        elif isinstance(node, ast.Constant):
            node.value = 0
    return ast.dump(tree)


def test_counts():
    assert BENCH.manifest["counts"] == {
        "problems": 60,
        "changes": 15,
        "reliability": 20,
        "generalization": 25,
        "specificity": 15,
    }


def test_every_change_has_both_subsets():
    subsets = {change.change_id: Counter() for change in CHANGES}
    for problem in WITH_CHANGE:
        subsets[problem.change_id][problem.subset] += 1
    assert all(len(counts) == 2 and counts.total() == 3 for counts in subsets.values())


def test_usages_are_spread_and_at_most_one_is_a_mere_rename():
    usages = Counter(change.usage for change in CHANGES)
    assert usages["renamed"] <= 1
    assert all(usages[usage] >= 3 for usage in ("keyword_only", "packed", "reordered", "function"))


def test_same_folder_whoever_writes_it(tmp_path):
    written = write_bench(tmp_path, BENCH.name, PROBLEMS, CHANGES)
    assert Bench.load(tmp_path) == written == BENCH
    assert written.digest() == BENCH.digest()


def test_programs_alike_but_for_their_names_stand_in_one_subset():
    clusters: dict[str, set[str]] = {}
    for problem in PROBLEMS:
        clusters.setdefault(shape(problem.solution), set()).add(problem.subset)
    assert len(clusters) > 1
    assert all(len(subsets) == 1 for subsets in clusters.values())


def test_order_is_the_place():
    assert [change.order for change in CHANGES] == list(range(15))


def test_texts(subtests):
    for problem in PROBLEMS:
        body = problem.solution.removeprefix(problem.prompt)
        with subtests.test(problem.task_id):
            assert problem.task_id == f"builtin/{problem.entry_point}"
            assert problem.source == "edittool builtin"
            assert problem.prompt.endswith('    """\n')
            assert len(problem.prompt) <= 300
            assert body != problem.solution
            assert 1 <= len(body) <= 350
            assert len(problem.tests) == len({test.code for test in problem.tests}) >= 3


def test_the_docstring_s_example_is_true(subtests):
    for problem in PROBLEMS:
        with subtests.test(problem.task_id):
            function = define(problem.solution, problem.entry_point)
            example = doctest.DocTestParser().get_doctest(
                inspect.getdoc(function), {problem.entry_point: function}, problem.task_id, None, None
            )
            results = doctest.DocTestRunner(verbose=False).run(example)
            assert results == doctest.TestResults(failed=0, attempted=1)


def test_a_problem_uses_its_own_api_and_no_other(subtests):
    for problem in WITH_CHANGE:
        change = BENCH.changes[problem.change_id]
        others = {last_name(other.deprecated) for other in CHANGES} - {last_name(change.deprecated)}
        with subtests.test(problem.task_id):
            assert last_name(change.deprecated) in words(problem.solution)
            assert change.replacement in words(problem.updated_solution)
            assert last_name(change.deprecated) not in words(problem.updated_solution)
            assert problem.updated_solution.startswith(problem.prompt)
            assert not others & words(problem.solution)


def test_specificity_uses_no_changed_api(subtests):
    for problem in PROBLEMS:
        if problem.change_id is None:
            with subtests.test(problem.task_id):
                assert problem.updated_solution is None
                assert not {last_name(change.deprecated) for change in CHANGES} & words(problem.solution)


def test_shim(subtests):
    for change in CHANGES:
        with subtests.test(change.change_id):
            shim = define(change.shim, change.replacement)
            assert change.signature == f"{change.replacement}{inspect.signature(shim)}"
            assert change.replacement == expected_name(change.deprecated)
            assert "\n" not in change.doc


def expected_name(deprecated: str) -> str:
    return f"my_builtin_{deprecated}" if "." not in deprecated else f"my_{deprecated.replace('.', '_')}"


OLD_CALLS = {
    "sorted": "new([2, 1])",
    "zip": "new([1], [2])",
    "enumerate": "new([1])",
    "round": "new(2.345, 2)",
    "math.sqrt": "new(4)",
    "math.pi": "new * 2",
    "os.path.join": "new('a', 'b')",
    "heapq.heappush": "new([], 1)",
    "itertools.chain": "new([1], [2])",
    "collections.Counter": "new('aab')",
    "str.split": "new('a b')",
    "str.join": "new('-', ['a', 'b'])",
    "list.append": "new([], 1)",
}
PACKED_ONE_BY_ONE = {"zip": "new('ab')", "os.path.join": "new('ab')", "itertools.chain": "new('ab')"}


def test_shims_refuse_the_old_convention(subtests):
    for deprecated, call in [*OLD_CALLS.items(), *PACKED_ONE_BY_ONE.items()]:
        change = BENCH.changes[deprecated]
        with subtests.test(f"{deprecated}: {call}"), pytest.raises(TypeError):
            eval(call, {"new": define(change.shim, change.replacement)})


def test_an_old_call_of_re_sub_is_accepted_and_wrong():
    """All three arguments are strings: here the order shows in the result alone."""
    change = BENCH.changes["re.sub"]
    new = define(change.shim, change.replacement)
    assert new(" +", " ", "a  b") != re.sub(" +", " ", "a  b") == new("a  b", " +", " ")


def test_changes_know_their_kind():
    kinds = Counter(change.kind for change in CHANGES)
    assert kinds == {
        "builtin_function": 2,
        "builtin_type": 2,
        "module_function": 5,
        "module_class": 2,
        "module_constant": 1,
        "builtin_method": 3,
    }
    assert BENCH.changes["math.pi"].kind == "module_constant"


def test_no_replacement_has_a_name_that_python_has():
    assert not {change.replacement for change in CHANGES} & set(dir(builtins))


@pytest.mark.usefixtures("docker_client")
def test_certified_in_the_sandbox():
    """Every condition holds. Only a shim that takes the old number of arguments leaves it to them to be wrong."""
    with open_trials(SandboxOptions()) as trials:
        certificate = certify(BENCH, trials)
        strict = certify(BENCH, trials, strict=True)
    assert [check for check in certificate.checks if check.state != "holds"] == []
    assert {name: counts["holds"] for name, counts in certificate.counts().items()} == {
        "reference_passes": 60,
        "removal_fails": 45,
        "updated_passes": 45,
        "all_changes_pass": 60,
        "rename_fails": 42,
    }
    accepted = Counter(BENCH.problems[check.task_id].change_id for check in strict.with_state("violated"))
    assert accepted == {change.change_id: 3 for change in CHANGES if change.usage == "reordered"}
