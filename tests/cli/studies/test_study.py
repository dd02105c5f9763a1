"""`edittool study` with real parts: the tiny model, FT, containers; run again, killed, gone past what fails."""

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..command import run, start

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]  # the tiny model is trained where the cache lacks it

PLAN = """\
bench: builtin
model: tiny
changes: [sorted]
specificity_per_change: 1
samplings: [{name: greedy, n: 1, temperature: 0, max_new_tokens: 96}]
judge: {samples_per_container: 16}
methods:
  - method: ft
"""
BROKEN = "  - {name: broken, method: emmet, hparams: none.yaml}\n"
DEEP = "  - {name: deep, method: ft, hparams: deep.yaml}\n"
LAYER_99 = "alg_name: FT\nlayers: [99]\nrewrite_module_tmp: model.layers.{}.mlp.down_proj\nnum_steps: 1\nlr: 1e-3\n"
SAMPLES = ("unedited.greedy.samples.jsonl", "ft.instant.greedy.samples.jsonl")
VERDICTS = (
    "unedited.greedy.no-change.verdicts.jsonl",
    "ft.instant.greedy.verdicts.jsonl",
    "unedited.greedy.same-worlds.verdicts.jsonl",
)
MADE = {*SAMPLES, "ft.instant.greedy.samples.edits.jsonl", *VERDICTS, "report/report.html", "report/files.json"}


def written(folder: Path, text: str = PLAN) -> Path:
    path = folder / "small.yaml"
    path.write_text(text)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcomes(path: Path) -> list[tuple[str, str, str, str | None]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return sorted((row["task_id"], str(row.get("active_changes")), row["outcome"], row["label"]) for row in rows)


@pytest.fixture(scope="module")
def developers_study(tmp_path_factory: pytest.TempPathFactory, docker_client: object) -> Callable[[], Path]:
    """Return a function that gives the folder of the small study, run once with the cache of the test that asks."""
    place = tmp_path_factory.mktemp("study")

    def made() -> Path:
        if not (place / "small").exists():
            done = run("study", written(place), "-o", place / "small")
            assert done.returncode == 0, done.stderr
        return place / "small"

    return made


@pytest.fixture
def done(developers_study: Callable[[], Path], developers_cache: None, tmp_path: Path) -> Path:
    """Return the folder of the small study, which is done. Tests leave it as it is."""
    return developers_study()


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, to change: in its record, the commands name the copy."""
    copy = tmp_path / "small"
    shutil.copytree(done, copy)
    record = copy / "study.json"
    record.write_text(record.read_text().replace(str(done), str(copy)))
    return copy


@pytest.mark.slow  # trains the tiny model where it is not cached, edits it, and starts containers
def test_a_study_ends_in_a_report_and_has_the_digest_of_every_file(done: Path) -> None:
    made = contents(done)
    assert made.keys() >= MADE
    record = json.loads(made["study.json"])
    listed = {name for step in record["steps"] for name in step["outputs"]}
    assert listed == made.keys() - {"study.json"}
    report = json.loads(made["report/report.json"])
    tables = {table["name"]: table["rows"] for table in report["tables"]}
    settings = {(row["method"], row["world"]) for row in tables["overview"]}
    assert settings == {("unedited", "none"), ("unedited", "own"), ("ft", "own")}
    assert len(report["journals"]) == 1


@pytest.mark.slow
def test_the_same_command_again_does_nothing(done: Path) -> None:
    before = contents(done)
    again = run("study", done.parent / "small.yaml", "-o", done)
    assert again.returncode == 0, again.stderr
    assert "every step was done already" in again.stderr
    assert "$ edittool" not in again.stderr
    assert "loading" not in again.stderr
    assert str(done / "report" / "report.html") in again.stderr
    assert contents(done) == before
    shown = run("study", done.parent / "small.yaml", "-o", done, "--dry-run")
    assert shown.stdout.count("# done already") == 6
    assert shown.stdout.endswith("# left to do: nothing\n")


@pytest.mark.slow
def test_what_has_changed_is_done_again(done: Path, copied: Path) -> None:
    page, verdicts = copied / "report" / "report.md", copied / VERDICTS[1]
    page.write_text("other")
    verdicts.write_text("".join(verdicts.read_text().splitlines(keepends=True)[:-1]))
    again = run("study", written(copied.parent), "-o", copied)
    assert again.returncode == 0, again.stderr
    ran = [line for line in again.stderr.splitlines() if line.startswith("$ edittool")]
    assert [line.split()[2] for line in ran] == ["judge", "report"]
    assert outcomes(verdicts) == outcomes(done / VERDICTS[1])
    assert page.read_text() != "other"


@pytest.mark.slow
@pytest.mark.usefixtures("developers_cache")
@pytest.mark.parametrize("last", ["ft.instant.greedy.samples.jsonl", "ft.instant.greedy.verdicts.jsonl"])
def test_a_study_that_was_killed_goes_on(done: Path, tmp_path: Path, last: str) -> None:
    plan, folder = written(tmp_path), tmp_path / "killed"
    process = start("study", plan, "-o", folder)
    while not (folder / last).exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    noted = [step["name"] for step in json.loads((folder / "study.json").read_text())["steps"]]
    assert SAMPLES[0] in noted
    assert last not in noted
    again = run("study", plan, "-o", folder)
    assert again.returncode == 0, again.stderr
    assert f"done already: edit {SAMPLES[0]}" in again.stderr
    for name in SAMPLES:
        assert (folder / name).read_bytes() == (done / name).read_bytes()
    for name in VERDICTS:
        assert outcomes(folder / name) == outcomes(done / name)


@pytest.mark.slow
def test_a_method_that_fails_is_told_before_anything_runs_or_gone_past(copied: Path) -> None:
    plan, before = written(copied.parent, PLAN + BROKEN), contents(copied)
    stopped = run("study", plan, "-o", copied)
    assert stopped.returncode == 2
    assert "this step failed: edittool edit builtin" in stopped.stderr
    assert "broken.instant.greedy.samples.jsonl" in stopped.stderr
    assert stopped.stderr.count("none.yaml: neither a preset nor a file") == 1
    assert "$ edittool" not in stopped.stderr
    assert contents(copied) == before
    gone_past = run("study", plan, "-o", copied, "--keep-going")
    assert gone_past.returncode == 2
    assert "not in the report: broken.instant.greedy" in gone_past.stderr
    assert gone_past.stderr.count("none.yaml: neither a preset nor a file") == 1
    assert "$ edittool" not in gone_past.stderr  # the rest was done
    only = run("study", plan, "-o", copied, "--only", "ft")
    assert only.returncode == 0, only.stderr
    assert "not in the report: broken.instant.greedy" in only.stderr


@pytest.mark.slow
def test_a_method_that_fails_with_the_model_is_gone_past_too(copied: Path) -> None:
    plan = written(copied.parent, PLAN.replace("  - method: ft\n", DEEP + "  - method: ft\n"))
    (copied.parent / "deep.yaml").write_text(LAYER_99)
    stopped = run("study", plan, "-o", copied)
    assert stopped.returncode == 2
    assert stopped.stderr.count("layers.99.mlp.down_proj") == 1
    assert "done already: edit ft.instant" not in stopped.stderr
    gone_past = run("study", plan, "-o", copied, "--keep-going")
    assert gone_past.returncode == 2
    assert gone_past.stderr.count("$ edittool") == 1  # the edit that fails
    assert "done already: edit ft.instant" in gone_past.stderr
    assert "not in the report: deep.instant.greedy" in gone_past.stderr


def test_a_plan_that_cannot_be_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    plan = written(tmp_path, PLAN.replace("[sorted]", "[sortde]"))
    refused = run("study", plan, "-o", tmp_path / "none")
    assert refused.returncode == 2
    assert f"{plan}, line 3: the benchmark builtin has no change 'sortde'. Is 'sorted' meant?" in refused.stderr
    assert not (tmp_path / "none").exists()


def test_a_dry_run_prints_a_script_and_runs_nothing(tmp_path: Path) -> None:
    shown = run("study", written(tmp_path), "-o", tmp_path / "none", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    lines = [line for line in shown.stdout.splitlines() if line and not line.startswith("#")]
    assert [line.split()[:2] for line in lines] == [
        ["mkdir", "-p"],
        *(["edittool", kind] for kind in ("edit", "judge", "edit", "judge", "judge", "report")),
    ]
    assert "# 1 edit, 4 samples (" in shown.stdout
    assert "# left to do: 1 edit, 9 samples (" in shown.stdout
    assert not (tmp_path / "none").exists()


def test_a_dry_run_tells_of_every_edit_that_cannot_be_made(tmp_path: Path) -> None:
    plan = written(
        tmp_path, PLAN + BROKEN.replace("none.yaml", '"no\\nne.yaml"') + "  - {method: grace, regimes: [batch]}\n"
    )
    shown = run("study", plan, "-o", tmp_path / "none", "--dry-run")
    assert shown.returncode == 2
    told = [line for line in shown.stdout.splitlines() if line.startswith("# cannot be done: ")]
    assert len(told) == 4
    assert "no ne.yaml: neither a preset nor a file" in told[0]
    assert not any(line.startswith("ne.yaml") for line in shown.stdout.splitlines())
    assert "grace cannot take all changes in one edit" in told[2]
    commands = [line for line in shown.stdout.splitlines() if line.startswith("edittool")]
    assert len(commands) == 6
    assert not any("broken" in line or "grace" in line for line in commands)
