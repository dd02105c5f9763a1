"""The benchmark numpy2: what it promises, its certification, and that it is judged in an image of its own."""

import json
from collections import Counter

import pytest
from click.testing import CliRunner

from edittool.benchmark.numpy2 import load_numpy2
from edittool.benchmark.prompt_names_api import names_api
from edittool.benchmark.shipped import SHIPPED
from edittool.cli.bench.verify import verify
from edittool.cli.image import image_with
from edittool.cli.judge import judge
from edittool.cli.shared.bench_argument import open_bench
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.errors import EnvironmentFault

BENCH = load_numpy2()
PROBLEMS = list(BENCH.problems.values())
CHANGES = list(BENCH.changes.values())


@pytest.fixture(scope="module")
def images(docker_client):
    """Both images are there; a machine without an index of packages cannot have them."""
    packages = SHIPPED["numpy2"]
    try:
        return [image_with(docker_client, each) for each in (packages.packages, packages.old_packages)]
    except EnvironmentFault as fault:
        if "index does not answer" in str(fault):
            pytest.skip("pip cannot fetch the wheels of numpy: the index does not answer")
        raise


def test_counts():
    assert BENCH.manifest["counts"] == {
        "problems": 60,
        "changes": 16,
        "reliability": 16,
        "generalization": 32,
        "specificity": 12,
    }


def test_every_change_has_both_subsets():
    counts = Counter((one.change_id, one.subset) for one in PROBLEMS if one.change_id)
    assert all(counts[one.change_id, "reliability"] == 1 for one in CHANGES)
    assert all(counts[one.change_id, "generalization"] == 2 for one in CHANGES)


def test_opens_by_its_name_as_from_a_folder(tmp_path):
    written = write_bench(tmp_path, BENCH.name, PROBLEMS, CHANGES)
    assert open_bench("numpy2") == BENCH == Bench.load(tmp_path) == written


def test_forms():
    assert Counter(change.form for change in CHANGES) == {"real": 15, "in_place": 1}


def test_prompts_name_neither_api(subtests):
    for problem in PROBLEMS:
        if problem.change_id:
            change = BENCH.changes[problem.change_id]
            with subtests.test(problem.task_id):
                assert not names_api(problem, change)
                assert change.replacement.rpartition(".")[2] not in problem.prompt.partition('"""')[2].split()


@pytest.mark.slow
@pytest.mark.usefixtures("images")
def test_certified_without_naming_an_image():
    result = CliRunner().invoke(verify, ["numpy2", "--json"], standalone_mode=False)
    assert result.exception is None
    counts = json.loads(result.stdout)["counts"]
    assert {name: count["holds"] for name, count in counts.items()} == {
        "reference_passes": 60,
        "removal_fails": 48,
        "updated_passes": 48,
        "all_changes_pass": 60,
        "rename_fails": 0,
    }
    assert all(count["holds"] == sum(count.values()) for count in counts.values())


@pytest.mark.slow
def test_judged_without_naming_an_image(images, tmp_path):
    problem = BENCH.problems["numpy2/box_volume"]
    programs = {"old": problem.solution, "new": problem.updated_solution}
    rows = [{"task_id": problem.task_id, "sample_id": name, "solution": program} for name, program in programs.items()]
    samples, verdicts = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = CliRunner().invoke(judge, ["numpy2", str(samples), "-o", str(verdicts)], standalone_mode=False)
    assert result.exception is None
    found = [json.loads(line) for line in verdicts.read_text().splitlines()]
    assert Counter(row["label"] for row in found) == {"no_adoption": 1, "correct_adoption": 1}
    assert images
