import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edittool.benchmark.builtin import load_builtin
from edittool.cli.edit import edit
from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text
from edittool.schemas.bench import write_bench
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import JsonlAppender

from .command import start

FT = """\
layers: [1]
num_steps: 2
lr: 1e-2
rewrite_module_tmp: model.layers.{}.mlp.down_proj
profile: exact
"""


ROME = """\
layers: [0]
v_num_grad_steps: 1
v_lr: 0.5
v_weight_decay: 0.001
clamp_norm_factor: 4
kl_factor: 0.0625
fact_token: subject_last
rewrite_module_tmp: model.layers.{}.mlp.down_proj
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = TinySettings(vocabulary=300, layers=2, hidden=16, mlp=16, heads=2, context=1024, epochs=1)
    return str(tiny_model(Lessons((Text("def f():\n", "    pass\n"),)), settings, cache=tmp_path_factory.mktemp("c")))


@pytest.fixture
def hparams(tmp_path: Path) -> str:
    (tmp_path / "ft.yaml").write_text(FT)
    return str(tmp_path / "ft.yaml")


def run(out: Path, *arguments: str) -> Result:
    options = ["builtin", "-o", str(out), "-n", "1", "--max-new-tokens", "4", "--device", "cpu", *arguments]
    return CliRunner().invoke(edit, options)


def test_edit_twice(model: str, hparams: str, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    arguments = ["--model", model, "--hparams", hparams, "--changes", "math.sqrt, sorted"]
    arguments += ["--specificity-per-change", "2", "--save-edits", str(tmp_path / "edits")]
    first = run(out, *arguments)
    assert first.exit_code == 0, first.output
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(found) == 10
    assert {tuple(row["edited"]) for row in found} == {("math.sqrt",), ("sorted",)}
    assert {path.name for path in (tmp_path / "edits").iterdir()} == {"math.sqrt.safetensors", "sorted.safetensors"}
    assert "10 new samples" in first.stderr
    assert first.stdout == ""
    assert "0 new samples (10 were there before)" in run(out, *arguments).stderr


def test_shards(model: str, hparams: str, tmp_path: Path) -> None:
    arguments = ["--model", model, "--hparams", hparams, "--changes", "math.sqrt,sorted,zip"]
    arguments += ["--specificity-per-change", "1"]
    results = [run(tmp_path / "whole", *arguments)]
    results += [run(tmp_path / f"{part}", *arguments, "--shard", f"{part}/2") for part in (1, 2)]
    assert [result.exit_code for result in results] == [0, 0, 0], [result.output for result in results]
    parts = [(tmp_path / f"{part}").read_bytes() for part in (1, 2)]
    assert all(parts)
    assert b"".join(parts) == (tmp_path / "whole").read_bytes()


def test_dense_needs_a_place_for_edits(tmp_path: Path) -> None:
    result = run(tmp_path / "s.jsonl", "--model", "tiny", "--dense")
    assert result.exit_code == 2
    assert "--save-edits" in result.output


def test_the_unedited_model(model: str, tmp_path: Path) -> None:
    result = run(tmp_path / "s.jsonl", "--model", model, "--method", "none", "--max-new-tokens", "1")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "s.jsonl").read_text().splitlines()) == 60


def test_drafts_of_the_unedited_model(model: str, hparams: str, tmp_path: Path) -> None:
    base, plain, drafted = (tmp_path / f"{name}.jsonl" for name in ("base", "plain", "drafted"))
    short = ["--model", model, "-n", "1", "--max-new-tokens", "4"]
    assert run(base, *short, "--method", "none").exit_code == 0
    edited = [*short, "--hparams", hparams, "--changes", "sorted", "--specificity-per-change", "2"]
    assert "of the drafts" not in run(plain, *edited).stderr
    result = run(drafted, *edited, "--drafts", str(base))
    assert result.exit_code == 0, result.output
    assert re.search(r"1 edit, \d+% of the drafts' tokens were right, ", result.stderr)
    assert re.search(r"^sorted: [01] of 1 target learned, NLL \d+\.\d\d -> \d+\.\d\d", result.stderr, re.MULTILINE)
    assert re.search(
        r"^1 edit: 1 (took wholly|did not take); [01] of 1 target learned, NLL ", result.stderr, re.MULTILINE
    )
    assert (tmp_path / "drafted.edits.jsonl").is_file()
    assert sorted(drafted.read_text().splitlines()) == sorted(plain.read_text().splitlines())


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--drafts", "nothing.jsonl"], "nothing.jsonl does not exist"),
        (["--batch-size", "0"], "batch_size must be at least 1"),
        (["--method", "romeo"], "no editing method 'romeo'"),
        (["--changes", "nope"], "no change 'nope'"),
        (["--changes", " , "], "names no change"),
        (["--temperature", "0", "-n", "3"], "-n 1"),
        (["--method", "none", "--regime", "instant"], "do not go together"),
        (["--hparams", "nothing.yaml"], "ft-tiny"),
        (["--batch"], "ft cannot take all changes in one edit"),
        (["--regime", "sequential", "--steps", "1,two"], "--steps takes numbers"),
        (["--regime", "sequential", "--steps", "1,99"], "Step 99 is never reached: 15 changes"),
        (["--steps", "1,2"], "Steps are for the sequential regime"),
        (["--shard", "3"], "--shard takes a part and the number of parts, 3/8, not '3'"),
        (["--shard", "0/2"], "There is no part 0 of 2"),
        (["--shard", "3/2"], "There is no part 3 of 2"),
        (["--shard", "1/2", "--regime", "sequential"], "The regime sequential cannot be divided into parts"),
    ],
)
def test_bad_input_is_told_before_a_model_is_loaded(tmp_path: Path, arguments: list[str], fault: str) -> None:
    result = run(tmp_path / "s.jsonl", "--model", "tiny", *arguments)
    assert isinstance(result.exception, InputError)
    assert fault in str(result.exception)
    assert not (tmp_path / "s.jsonl").exists()


@pytest.mark.parametrize(
    ("method", "line", "fault"),
    [
        ("ft", "layers: [99]", "model.layers.99.mlp.down_proj"),
        ("memit", "layers: [1, 99]", '"layers": there is no layer 99'),
        ("memit", "v_loss_layer: 31", '"v_loss_layer": there is no layer 31'),
        ("memit", "rewrite_module_tmp: transformer.h.{}.mlp.c_proj", '"rewrite_module_tmp" says'),
        ("grace", "inner_params: ['model.layers[99].mlp.down_proj']", "inner_params"),
    ],
)
def test_hparams_that_do_not_fit_are_told_before_weights_are_read(
    model: str, tmp_path: Path, method: str, line: str, fault: str
) -> None:
    outline = tmp_path / "outline"
    shutil.copytree(model, outline)
    (outline / "model.safetensors").unlink()
    preset = files("edittool.editing.methods").joinpath("presets", f"{method}-tiny.yaml").read_text(encoding="utf-8")
    rest = [kept for kept in preset.splitlines() if not kept.startswith((line.partition(":")[0] + ":", "  - "))]
    layers = [] if method == "grace" or line.startswith("layers") else ["layers: [1]"]
    rest = [kept for kept in rest if not (layers and kept.startswith("layers"))]
    (tmp_path / "h.yaml").write_text("\n".join([*rest, *layers, line]))
    result = run(
        tmp_path / "s.jsonl", "--model", str(outline), "--method", method, "--hparams", str(tmp_path / "h.yaml")
    )
    assert isinstance(result.exception, InputError)
    assert fault in str(result.exception)
    assert not (tmp_path / "s.jsonl").exists()


def test_an_output_that_cannot_be_written_is_told_before_a_model_is_loaded(tmp_path: Path) -> None:
    result = run(Path("/proc/nothing/s.jsonl"), "--model", "tiny")
    assert isinstance(result.exception, EnvironmentFault)
    assert "loading" not in result.stderr
    result = run(tmp_path / "s.jsonl", "--model", "tiny", "--save-edits", "/proc/nothing")
    assert isinstance(result.exception, EnvironmentFault)
    assert "loading" not in result.stderr


def test_an_output_of_another_run_or_writer_is_told_before_a_model_is_loaded(
    model: str, hparams: str, tmp_path: Path
) -> None:
    out = tmp_path / "s.jsonl"
    arguments = ["--model", model, "--hparams", hparams, "--changes", "sorted", "--specificity-per-change", "0"]
    assert run(out, *arguments).exit_code == 0
    before = out.read_bytes()
    result = run(out, *arguments, "--seed", "1")
    assert isinstance(result.exception, InputError)
    assert '"seed" is 0, and here it is 1' in str(result.exception)
    assert "loading" not in result.stderr
    with JsonlAppender(out):
        result = run(out, *arguments)
    assert isinstance(result.exception, InputError)
    assert f"{out} is being written by another edittool" in str(result.exception)
    assert "loading" not in result.stderr
    assert out.read_bytes() == before


def test_fields_that_are_not_used_are_told_before_a_model_is_loaded(hparams: str, tmp_path: Path) -> None:
    Path(hparams).write_text(FT + "profil: easyedit\n")
    result = run(tmp_path / "s.jsonl", "--model", str(tmp_path), "--hparams", hparams)
    assert "fields not used: profil" in result.stderr
    assert isinstance(result.exception, InputError)


def test_batch_is_a_regime(tmp_path: Path) -> None:
    result = run(tmp_path / "s.jsonl", "--model", "tiny", "--batch", "--regime", "sequential")
    assert result.exit_code == 2
    assert "--batch means --regime batch" in result.output


def test_a_problem_that_cannot_be_taught_is_told_before_a_model_is_loaded(tmp_path: Path) -> None:
    bench = load_builtin()
    problems = [replace(p, updated_solution=p.solution) for p in bench.problems.values()]
    write_bench(tmp_path / "bench", "stale", problems, bench.changes.values())
    options = ["--requests", "call", "--regime", "sequential", "-o", str(tmp_path / "s.jsonl"), "--model", "tiny"]
    result = CliRunner().invoke(edit, [str(tmp_path / "bench"), *options])
    assert isinstance(result.exception, InputError)
    assert "does not call my_" in str(result.exception)
    assert not (tmp_path / "s.jsonl").exists()


def test_what_is_taught_can_be_chosen(model: str, hparams: str, tmp_path: Path) -> None:
    arguments = ["--model", model, "--hparams", hparams, "--changes", "sorted", "--specificity-per-change", "0"]
    result = run(tmp_path / "s.jsonl", *arguments, "--subject", "last_word", "--requests", "all", *AT_MOST)
    assert result.exit_code == 0, result.output
    assert "requests: 5 for 1 change (1 solution, 1 call, 3 statement)\n" in result.stderr  # FT reads no subject
    first = json.loads((tmp_path / "s.jsonl").read_text().splitlines()[0])
    assert (first["subject"], first["requests"], first["requests_per_change"]) == ("last_word", "all", 5)
    assert first["taught"] == {"requests": 5, "kinds": {"solution": 1, "call": 1, "statement": 3}}


AT_MOST = ("--requests-per-change", "5")


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ((), "1 solution"),
        (("--requests", "all"), "1 solution, 1 call, 4 statement"),
        (("--target", "call"), "1 call"),  # the name of the option before
        (("--requests", "statement"), "4 statement"),
    ],
)
def test_what_is_taught_is_told(model: str, hparams: str, tmp_path: Path, options: tuple[str, ...], kinds: str) -> None:
    arguments = ["--model", model, "--hparams", hparams, "--changes", "sorted", "--specificity-per-change", "0"]
    result = run(tmp_path / "s.jsonl", *arguments, "--max-new-tokens", "1", *options)
    assert f"({kinds})\n" in result.stderr, result.output


@pytest.mark.parametrize(
    ("profile", "habit"),
    [
        ("easyedit", "1 solution), keyed 100% on a function's name"),
        ("clme", "1 solution), keyed 100% on the prompt's last word"),
    ],
)
def test_a_profile_teaches_by_its_habit(model: str, tmp_path: Path, profile: str, habit: str) -> None:
    (tmp_path / "rome.yaml").write_text(ROME + f"profile: {profile}\n")
    arguments = ["--model", model, "--method", "rome", "--hparams", str(tmp_path / "rome.yaml"), "--changes", "sorted"]
    arguments += ["--specificity-per-change", "0", "--max-new-tokens", "1"]
    result = run(tmp_path / "s.jsonl", *arguments)
    assert f"({habit}\n" in result.stderr, result.output


def test_a_profile_that_finds_its_own_subject_takes_no_other(model: str, tmp_path: Path) -> None:
    (tmp_path / "rome.yaml").write_text(ROME + "profile: clme\n")
    arguments = ["--model", model, "--method", "rome", "--hparams", str(tmp_path / "rome.yaml"), "--subject", "api"]
    result = run(tmp_path / "s.jsonl", *arguments)
    assert isinstance(result.exception, InputError)
    assert "keys an edit on what follows the prompt's last space, not on the api" in str(result.exception)


def test_two_names_of_one_option_have_to_agree(tmp_path: Path) -> None:
    result = run(tmp_path / "s.jsonl", "--model", "tiny", "--target", "call", "--requests", "all")
    assert result.exit_code == 2
    assert "--target is the name that --requests had before" in result.output


def test_documentation_in_the_prompt_needs_no_preset_and_makes_no_edit(model: str, tmp_path: Path) -> None:
    out, arguments = tmp_path / "s.jsonl", ["--model", model, "--method", "docs", "--specificity-per-change", "1"]
    result = run(out, *arguments, "--changes", "sorted", "--max-new-tokens", "1", "--dtype", "bfloat16")
    assert result.exit_code == 0, result.output
    assert not {"lost", "documents at most"} & set(re.findall("lost|documents at most", result.stderr))
    assert " edit" not in result.stderr.splitlines()[-1]
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert {(row["method"], *row["docs_of"]) for row in found} == {("docs", "sorted")}
    refused = run(tmp_path / "other.jsonl", *arguments, "--save-edits", str(tmp_path / "edits"))
    assert refused.exit_code == 2
    assert "makes no edit" in refused.stderr


def test_how_many_changes_prompts_document_is_told(model: str, tmp_path: Path) -> None:
    (tmp_path / "docs.yaml").write_text("max_changes: 2\n")
    arguments = ["--model", model, "--method", "docs", "--hparams", str(tmp_path / "docs.yaml")]
    arguments += ["--regime", "sequential", "--steps", "1,3", "--changes", "sorted,zip,round"]
    result = run(tmp_path / "s.jsonl", *arguments, "--specificity-per-change", "1", "--max-new-tokens", "1")
    assert result.exit_code == 0, result.output
    assert "each prompt documents at most 2 of the changes so far: the problem's own, and the newest" in result.stderr
    found = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert {(row["step"], len(row["docs_of"])) for row in found} == {(1, 1), (3, 2)}


def test_what_the_regime_decides_is_told(model: str, tmp_path: Path) -> None:
    hparams = tmp_path / "rome.yaml"
    hparams.write_text(
        "layers: [1]\nv_num_grad_steps: 1\nv_lr: 0.5\nv_weight_decay: 0.0\nclamp_norm_factor: 4\nkl_factor: 0.0\n"
        "mom2_adjustment: false\nprofile: exact\n"
    )
    arguments = ["--model", model, "--method", "rome", "--hparams", str(hparams), "--changes", "sorted"]
    arguments += ["--specificity-per-change", "0", "--max-new-tokens", "1"]
    for regime, variant in (("instant", "original"), ("sequential", "r_rome")):
        result = run(tmp_path / f"{regime}.jsonl", *arguments, "--regime", regime)
        assert result.exit_code == 0, result.output
        assert f"regime {regime}: rome_variant: {variant}" in result.stderr


@pytest.mark.parametrize("method", ["ft", "none"])
def test_half_precision_comes_with_a_warning_where_a_model_is_edited(
    model: str, hparams: str, tmp_path: Path, method: str
) -> None:
    arguments = ["--model", model, "--method", method, "--dtype", "bfloat16", "--max-new-tokens", "1"]
    arguments += ["--hparams", hparams, "--changes", "sorted"] if method == "ft" else []
    result = run(tmp_path / "s.jsonl", *arguments)
    assert result.exit_code == 0, result.output
    assert ("90 % is lost" in result.stderr) == (method == "ft")


@pytest.mark.parametrize(("how", "saving"), [(signal.SIGINT, False), (signal.SIGKILL, True)])
def test_a_sequence_that_is_killed_goes_on_as_if_it_had_not_been(
    model: str, hparams: str, tmp_path: Path, how: signal.Signals, saving: bool
) -> None:
    arguments = ["--model", model, "--hparams", hparams, "--regime", "sequential", "--specificity-per-change", "2"]
    arguments += ["--changes", "sorted,zip,round", "--batch-size", "2", "--max-new-tokens", "30"]
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    assert run(whole, *arguments).exit_code == 0
    if saving:
        arguments += ["--save-edits", str(tmp_path / "edits")]
    lines = whole.read_bytes().count(b"\n")
    end_at(parts, random.Random(how + saving).randint(1, lines * 2 // 3), how, *arguments)
    assert 0 < parts.read_bytes().count(b"\n") < lines
    assert run(parts, *arguments).exit_code == 0
    assert parts.read_bytes() == whole.read_bytes()


def end_at(out: Path, lines: int, how: signal.Signals, *arguments: str) -> None:
    """Run the command until `out` has so many lines, and end it by a signal."""
    options = ["-n", "1", "--device", "cpu", *arguments]
    process = start("edit", "builtin", "-o", out, *options)
    while process.poll() is None and (not out.exists() or out.read_bytes().count(b"\n") < lines):
        time.sleep(0.005)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how)


def test_without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(tmp_path / "s.jsonl", "--model", "tiny")
    assert isinstance(result.exception, EnvironmentFault)
    assert "pip install 'edittool[edit]'" in str(result.exception)


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from click.testing import CliRunner; "
        "from edittool.cli.edit import edit; print(CliRunner().invoke(edit, ['--help']).output)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--specificity-per-change" in done.stdout
    assert "edittool edit builtin -o baseline.jsonl" in done.stdout


def test_statistics_that_are_not_there_are_told_before_a_model_is_loaded(model: str, tmp_path: Path) -> None:
    (tmp_path / "ft.yaml").write_text(FT)
    arguments = ["--model", model, "--hparams", str(tmp_path / "ft.yaml"), "--stats", str(tmp_path / "nowhere")]
    result = run(tmp_path / "s.jsonl", *arguments)
    assert isinstance(result.exception, InputError)
    assert "nowhere does not exist" in str(result.exception)
    assert "loading" not in result.stderr


def test_a_chat_is_asked_by_the_models_own_template(model: str, tmp_path: Path) -> None:
    folder, out = tmp_path / "instruct", tmp_path / "s.jsonl"
    shutil.copytree(model, folder)
    arguments = ["--model", str(folder), "--method", "none", "--chat", "--max-new-tokens", "2"]
    refused = run(out, *arguments)
    assert isinstance(refused.exception, InputError)
    assert "no chat template" in str(refused.exception)
    assert not out.exists()
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}")
    result = run(out, *arguments)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {(row["style"], row["extraction"]["mode"]) for row in rows} == {("chat", "auto")}
    again = run(out, *arguments[:-3], "--max-new-tokens", "2")
    assert isinstance(again.exception, InputError)
    assert "its \"style\" is 'chat', and here it is 'complete'" in str(again.exception)
    assert "loading" not in again.stderr


def test_an_end_that_is_ordinary_text_is_told(model: str, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    shutil.copytree(model, folder)
    (folder / "generation_config.json").write_text('{"eos_token_id": [1, 40]}')
    result = run(tmp_path / "s.jsonl", "--model", str(folder), "--method", "none", "--max-new-tokens", "1")
    assert result.exit_code == 0, result.output
    assert "which is ordinary text in this tokenizer" in result.stderr


def test_an_engine_that_cannot_do_it_is_told_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = run(tmp_path / "s.jsonl", "--model", "tiny", "--method", "grace", "--engine", "vllm")
    assert isinstance(refused.exception, InputError)
    assert "GRACE stays with" in str(refused.exception)
    monkeypatch.setattr("edittool.editing.runs.vllm_engine.find_spec", lambda name: None)
    absent = run(tmp_path / "s.jsonl", "--model", "tiny", "--method", "none", "--engine", "vllm")
    assert isinstance(absent.exception, EnvironmentFault)
    assert "loading" not in absent.stderr
