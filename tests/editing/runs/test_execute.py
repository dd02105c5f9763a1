import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext
from edittool.editing.covariance.files import CovarianceFolder, Moment, write_moment
from edittool.editing.edits.edit import Edit
from edittool.editing.methods.ft import fine_tune
from edittool.editing.methods.hparams import Hparams
from edittool.editing.methods.rome import RomeHparams
from edittool.editing.methods.table import find_method
from edittool.editing.requests import EditRequest
from edittool.editing.runs.execute import Progress, run_regime
from edittool.editing.runs.journal import journal_of
from edittool.editing.runs.settings import Run
from edittool.schemas.bench import Bench
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import read_rows

from ..conftest import change, problem
from ..short_runs import (
    ADAPTER_HPARAMS,
    BATCH,
    COVARIANCE,
    FT,
    INSTANT,
    MANY,
    METHOD_HPARAMS,
    NONE,
    SAMPLING,
    SEQUENTIAL,
    VALUE,
)

SPECIFICITY = {"t/s0", "t/s1", "t/s2", "t/s3"}


@pytest.fixture
def longer() -> Bench:
    """A benchmark of four changes whose order is not that of their names."""
    problems = [
        problem(f"{name}{i}", "reliability" if i == 0 else "generalization", name) for name in "abcd" for i in (0, 1)
    ]
    problems += [problem(f"s{i}", "specificity", None) for i in range(2)]
    changes = [replace(change(name), order=order) for name, order in zip("abcd", (2, None, 0, 1), strict=True)]
    return Bench("longer", {p.task_id: p for p in problems}, {c.change_id: c for c in changes})


def rows(path: Path) -> list[dict[str, Any]]:
    return [row.data for row in read_rows(path, "sample")]


def interrupt_at(number: int) -> Callable[[Progress], None]:
    """Return an observer that presses Ctrl-C when it is told for the `number`-th time."""
    told = 0

    def observe(state: Progress) -> None:
        nonlocal told
        told += 1
        if told == number:
            raise KeyboardInterrupt

    return observe


def test_the_unedited_model(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    summary = run_regime(llama, tokenizer, bench, NONE, tmp_path / "s.jsonl")
    found = rows(tmp_path / "s.jsonl")
    assert (summary.new, summary.edits, len(found)) == (16, 0, 16)
    assert {row["task_id"] for row in found} == bench.problems.keys()
    first = found[0]
    assert (first["method"], first["regime"], first["step"], first["edited"]) == ("none", "none", 0, [])
    assert not {"active_changes", "hparams_sha256", "context_sha256", "subject", "target"} & first.keys()


def test_instant_edits(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any) -> None:
    start = checksum(llama)
    out = tmp_path / "s.jsonl"
    summary = run_regime(llama, tokenizer, bench, INSTANT, out, save_edits=tmp_path / "edits")
    assert checksum(llama) == start
    assert (summary.edits, summary.untaught) == (2, ("min",))
    tasks = {c: {row["task_id"] for row in rows(out) if row["edited"] == [c]} for c in ("len", "max")}
    assert tasks == {"len": {"t/a1", "t/a2"} | SPECIFICITY, "max": {"t/b1"} | SPECIFICITY}
    assert all(row["active_changes"] == row["edited"] and row["step"] == 1 for row in rows(out))
    assert {row["hparams_sha256"] for row in rows(out)} == {FT.sha256()}
    assert {(row["subject"], row["requests"]) for row in rows(out)} == {("function", "solution")}
    with Edit.load(tmp_path / "edits" / "len.safetensors").apply(llama):
        assert checksum(llama) != start


@pytest.mark.parametrize("method", [*METHOD_HPARAMS, *ADAPTER_HPARAMS])
def test_another_sampling_takes_instant_edits_from_their_files(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any, method: str
) -> None:
    values: Any = (METHOD_HPARAMS | ADAPTER_HPARAMS)[method]
    start, run = checksum(llama), replace(INSTANT, method=find_method(method), hparams=Hparams(values, "test"))
    greedy = replace(run, sampling=replace(run.sampling, n=1, temperature=0.0))

    def go(name: str, run: Run, folder: Path | None) -> int:
        context = EditContext(covariance=COVARIANCE)  # a new one each time, as in another process
        return run_regime(llama, tokenizer, longer, run, tmp_path / name, context=context, save_edits=folder).edits

    assert go("first", greedy, tmp_path / "edits") == 4
    assert go("second", run, tmp_path / "edits") == 0
    assert go("learned", run, None) == 4
    assert (tmp_path / "second").read_bytes() == (tmp_path / "learned").read_bytes()
    assert checksum(llama) == start


def test_a_sequence_of_edits(llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any) -> None:
    start, out = checksum(llama), tmp_path / "s.jsonl"
    summary = run_regime(llama, tokenizer, longer, SEQUENTIAL, out, save_edits=tmp_path / "edits")
    assert checksum(llama) == start
    assert (summary.edits, summary.new) == (4, len(rows(out)))
    steps: dict[int, list[dict[str, Any]]] = {}
    for row in rows(out):
        steps.setdefault(row["step"], []).append(row)
    assert list(steps) == [1, 2, 4]
    assert {tuple(row["edited"]) for row in steps[2]} == {("c", "d")}
    assert {tuple(row["edited"]) for row in steps[4]} == {("c", "d", "a", "b")}
    worlds = {row["task_id"]: row["active_changes"] for row in steps[2]}
    ((task, world),) = [(task, world) for task, world in worlds.items() if task.startswith("t/s")]
    assert worlds == {"t/c0": ["c"], "t/c1": ["c"], "t/d0": ["d"], "t/d1": ["d"], task: world}
    assert world == ["d"]
    assert len(steps[4]) == 2 * (8 + 1)


def test_the_edits_of_a_sequence_lie_on_top_of_each_other(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any
) -> None:
    run_regime(llama, tokenizer, longer, replace(SEQUENTIAL, steps=(3,)), tmp_path / "s", save_edits=tmp_path / "edits")
    names = ["0001-c", "0002-d", "0003-a"]
    assert sorted(path.stem for path in (tmp_path / "edits").iterdir()) == names
    by_hand = []
    for name in "cda":
        request = EditRequest(f"def {name}0(x):\n", f"{name}0", f"    return new_{name}(x)\n")
        by_hand.append(fine_tune(llama, tokenizer, [request], FT.values, EditContext()))
    after = checksum(llama)
    for edit in reversed(by_hand):
        edit.undo()
    for name in names:
        Edit.load(tmp_path / "edits" / f"{name}.safetensors").apply(llama)
    assert checksum(llama) == after


def test_all_changes_in_one_edit(llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any) -> None:
    start, out, asked = checksum(llama), tmp_path / "s.jsonl", []

    def teach(model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: Any, context: EditContext) -> Edit:
        asked.append([request.subject for request in requests])
        return fine_tune(model, tokenizer, requests, hparams, context)

    run = replace(BATCH, method=replace(MANY, teach=teach))
    summary = run_regime(llama, tokenizer, longer, run, out, save_edits=tmp_path / "edits")
    assert checksum(llama) == start
    assert (summary.edits, asked) == (1, [["c0", "d0", "a0", "b0"]])
    assert [path.name for path in (tmp_path / "edits").iterdir()] == ["batch.safetensors"]
    assert {row["task_id"] for row in rows(out)} == longer.problems.keys()
    assert all(row["edited"] == ["c", "d", "a", "b"] and row["step"] == 4 for row in rows(out))
    assert all(row["active_changes"] == ([] if row["task_id"][2] == "s" else [row["task_id"][2]]) for row in rows(out))


@pytest.mark.parametrize("saving", [False, True])
@pytest.mark.parametrize("regime", ["instant", "sequential", "batch"])
def test_an_interrupted_run_comes_out_as_if_it_had_not_been(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any, regime: Any, saving: bool
) -> None:
    run, start, told = replace(BATCH, regime=regime, specificity_per_change=1), checksum(llama), []
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    run_regime(llama, tokenizer, longer, run, whole, observe=told.append)
    folder = tmp_path / "edits" if saving else None
    chance, interruptions, taught = random.Random(regime), 0, 0
    while True:
        try:
            observe = interrupt_at(chance.randint(1, 6 if interruptions < 6 else len(told)))
            taught = run_regime(llama, tokenizer, longer, run, parts, save_edits=folder, observe=observe).edits
            break
        except KeyboardInterrupt:
            interruptions += 1
            assert checksum(llama) == start
        if chance.random() < 0.5:  # as a kill in the middle of a write leaves it
            with parts.open("a") as file:
                file.write('{"task_id": "t/torn')
    assert interruptions >= 2
    assert parts.read_bytes() == whole.read_bytes()
    assert checksum(llama) == start
    again = run_regime(llama, tokenizer, longer, run, parts, save_edits=folder)
    assert (again.new, again.found, again.edits) == (0, len(rows(whole)), 0)
    assert taught <= 4
    assert parts.read_bytes() == whole.read_bytes()
    journals = [read_rows(journal_of(out), "edit") for out in (whole, parts)]
    told_once, told_in_parts = ([row.data | {"seconds": None} for row in journal] for journal in journals)
    assert told_in_parts == told_once


@pytest.mark.parametrize("kept", [2, 17])
def test_a_batch_that_was_written_in_part_is_sampled_as_a_whole(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, kept: int
) -> None:
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    run_regime(llama, tokenizer, longer, SEQUENTIAL, whole)
    lines = whole.read_bytes().splitlines(keepends=True)
    parts.write_bytes(b"".join(lines[:kept]))
    summary = run_regime(llama, tokenizer, longer, SEQUENTIAL, parts)
    assert (summary.found, summary.new) == (kept, len(lines) - kept)
    assert parts.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("method", [*METHOD_HPARAMS, *ADAPTER_HPARAMS])
def test_every_method_goes_on_with_a_sequence(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any, method: str
) -> None:
    values: Any = (METHOD_HPARAMS | ADAPTER_HPARAMS)[method]
    run = replace(SEQUENTIAL, method=find_method(method), hparams=Hparams(values, "test"), steps=(2, 3))
    whole, parts, start = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl", checksum(llama)

    def go(out: Path, run: Run = run, folder: Path | None = None) -> int:
        context = EditContext(covariance=COVARIANCE)  # a new one each time, as in another process
        return run_regime(llama, tokenizer, longer, run, out, context=context, save_edits=folder).edits

    go(whole, folder=tmp_path / "at once")
    go(parts, replace(run, steps=(2,)), tmp_path / "edits")
    assert go(parts, folder=tmp_path / "edits") == 2  # the first, and the one that is new
    assert parts.read_bytes() == whole.read_bytes()
    once, again = (Edit.load(tmp_path / name / "0003-a.safetensors").deltas() for name in ("at once", "edits"))
    assert once.keys() == again.keys()
    assert all(torch.equal(once[name], again[name]) for name in once)
    assert checksum(llama) == start


def test_progress_tells_of_edits_that_are_made_again(llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path) -> None:
    out, told = tmp_path / "s.jsonl", []
    run_regime(llama, tokenizer, longer, replace(SEQUENTIAL, steps=(2,)), out)
    run = replace(SEQUENTIAL, steps=(2, 3))
    run_regime(llama, tokenizer, longer, run, out, observe=lambda state: told.append(state.doing))
    assert [*dict.fromkeys(doing.partition(":")[0] for doing in told)] == [
        "editing c (edit 1)",
        "editing d (edit 2)",
        "editing a (edit 3)",
        "asking for what was taught before",
        "sampling step 3",
    ]
    assert "editing c (edit 1): request 1 of 1, step 2 of 2, loss " in "\n".join(told)


class TestSavedEdits:
    @pytest.fixture
    def begun(self, llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path) -> Callable[..., int]:
        """Return a function that goes on with a sequence that has come to step 3, and counts what it teaches."""
        out, folder = tmp_path / "s.jsonl", tmp_path / "edits"
        run_regime(llama, tokenizer, longer, replace(SEQUENTIAL, steps=(3,)), out, save_edits=folder)

        def go_on(out: Path = out, bench: Bench = longer, context: EditContext | None = None, **other: Any) -> int:
            run = replace(SEQUENTIAL, **{"steps": (3, 4), **other})
            return run_regime(llama, tokenizer, bench, run, out, save_edits=folder, context=context).edits

        return go_on

    def test_are_taken_from_their_files(self, begun: Callable[..., int]) -> None:
        assert begun() == 2  # the first, and the one that is new

    @pytest.mark.parametrize(
        "other",
        [
            {"model": "other"},
            {"dtype": "bfloat16"},
            {"hparams": Hparams(replace(FT.values, lr=1e-3), "test")},
            {"context": EditContext(seed=1)},
            {"context": EditContext(templates=["{}"])},
            {"subject": "last_word"},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_of_another_run_are_made_again(self, begun: Callable[..., int], tmp_path: Path, other: Any) -> None:
        assert begun(out=tmp_path / "other.jsonl", **other) == 4

    def test_that_were_made_on_other_edits_are_made_again(
        self, begun: Callable[..., int], tmp_path: Path, longer: Bench
    ) -> None:
        moved = replace(longer.changes["b"], order=-1)
        bench = replace(longer, changes=longer.changes | {"b": moved})
        assert begun(out=tmp_path / "other.jsonl", bench=bench) == 4

    def test_that_are_broken_are_made_again(self, begun: Callable[..., int], tmp_path: Path) -> None:
        path = tmp_path / "edits" / "0002-d.safetensors"
        before = {name: delta.clone() for name, delta in Edit.load(path).deltas().items()}  # the file was mapped
        path.write_bytes(path.read_bytes()[:-7])
        assert begun() == 3
        after = Edit.load(path).deltas()
        assert all(torch.equal(after[name], delta) for name, delta in before.items())

    def test_that_cannot_be_written(
        self, llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        start = checksum(llama)
        with pytest.raises(EnvironmentFault, match=r"0001-c\.safetensors cannot be written"):
            run_regime(llama, tokenizer, longer, SEQUENTIAL, tmp_path / "s", save_edits=tmp_path / "file")
        assert checksum(llama) == start


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "other"}, "model"),
        ({"dtype": "bfloat16"}, "dtype"),
        ({"hparams": Hparams(replace(FT.values, lr=1e-3), "test")}, "hparams_sha256"),
        ({"sampling": replace(SAMPLING, seed=1)}, "seed"),
        ({"sampling": replace(SAMPLING, n=3)}, "samples_per_problem"),
        ({"sampling": replace(SAMPLING, temperature=0.3)}, "temperature"),
        ({"specificity_per_change": 1}, "specificity_per_change"),
        ({"regime": "sequential"}, "regime"),
        ({"subject": "last_word"}, "subject"),
        ({"requests": "call"}, "requests"),
        ({"requests_per_change": 1}, "requests_per_change"),
    ],
)
def test_another_run_is_not_mixed_in(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, replace(INSTANT, changes=("max",)), out)
    before = out.read_bytes()
    with pytest.raises(InputError, match=f'line 1 is of another run: its "{field}"'):
        run_regime(llama, tokenizer, bench, replace(INSTANT, **change), out)
    assert out.read_bytes() == before


def test_rows_of_an_earlier_version_are_not_gone_on_with(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, INSTANT, out)
    first, *_ = rows(out)
    del first["requests"], first["requests_per_change"], first["taught"]
    out.write_text(json.dumps(first | {"target": "solution"}) + "\n")
    with pytest.raises(InputError, match=r'of another run, by an earlier edittool: .* in the field "target"'):
        run_regime(llama, tokenizer, bench, INSTANT, out)


def test_rows_say_what_taught_the_model(llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path) -> None:
    """The requests of all edits in it; keyed on something only where the method reads subjects."""
    kinds = {"requests": "all", "requests_per_change": 4, "subject": "api"}
    for keyed in (False, True):
        run = replace(SEQUENTIAL, steps=(1, 3), method=replace(SEQUENTIAL.method, keyed=keyed), **kinds)
        out = tmp_path / f"{keyed}.jsonl"
        run_regime(llama, tokenizer, longer, run, out)
        for row in rows(out):
            edits = row["step"]
            expected = {"requests": 4 * edits, "kinds": {"solution": edits, "call": edits, "statement": 2 * edits}}
            keys = {"keyed_on": {"api": 2 * edits, "function": 2 * edits}} if keyed else {}
            assert row["taught"] == expected | keys
            assert kinds.items() <= row.items()


def test_another_benchmark_is_not_mixed_in(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, NONE, out)
    other = replace(bench, problems=bench.problems | {"t/a1": replace(bench.problems["t/a1"], prompt="def a1(y):\n")})
    with pytest.raises(InputError, match="another benchmark"):
        run_regime(llama, tokenizer, other, NONE, out)


def test_a_sample_that_stands_twice(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, NONE, out)
    with out.open("a") as file:
        file.write(json.dumps(rows(out)[0]) + "\n")
    with pytest.raises(InputError, match="twice"):
        run_regime(llama, tokenizer, bench, NONE, out)


def test_another_context_is_not_mixed_in(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, INSTANT, out)
    with pytest.raises(InputError, match='"context_sha256"'):
        run_regime(llama, tokenizer, bench, INSTANT, out, context=EditContext(seed=1))


def test_what_is_missing_is_told_before_anything_is_edited(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    needy = replace(find_method("ft"), check=lambda model, hparams: ("model.layers.1.mlp.down_proj",))
    run, out = replace(INSTANT, method=needy), tmp_path / "s.jsonl"
    with pytest.raises(InputError, match=r"covariance of the inputs of model\.layers\.1.*`edittool stats m`"):
        run_regime(llama, tokenizer, bench, run, out)
    assert not out.exists()
    context = EditContext(covariance={"model.layers.1.mlp.down_proj": torch.eye(48)})
    run_regime(llama, tokenizer, bench, run, out, context=context)
    other = EditContext(covariance={"model.layers.1.mlp.down_proj": 2 * torch.eye(48)})
    with pytest.raises(InputError, match='"context_sha256"'):
        run_regime(llama, tokenizer, bench, run, out, context=other)


def test_rows_name_the_corpus_of_the_covariances(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    module, path = "model.layers.1.mlp.down_proj", tmp_path / "moment.npz"
    write_moment(path, Moment(torch.eye(48), 9, {}), 9)
    needy = replace(find_method("ft"), check=lambda model, hparams: (module,))
    context = EditContext(covariance=CovarianceFolder({module: path}, corpus="python-3.11.7"))
    run_regime(llama, tokenizer, bench, replace(INSTANT, method=needy), tmp_path / "s.jsonl", context=context)
    assert {row["mom2_dataset"] for row in rows(tmp_path / "s.jsonl")} == {"python-3.11.7"}
    run_regime(llama, tokenizer, bench, INSTANT, tmp_path / "none.jsonl", context=context)
    assert not any("mom2_dataset" in row for row in rows(tmp_path / "none.jsonl"))


def test_rome_is_r_rome_in_a_sequence_unless_a_variant_is_named(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    named = {name: RomeHparams(layers=[1], rome_variant=name, **VALUE) for name in ("by_regime", "original", "r_rome")}
    sha256 = {name: Hparams(values, "test").sha256() for name, values in named.items()}
    for regime, base in (("instant", INSTANT), ("sequential", SEQUENTIAL)):
        for name, values in named.items():
            run = replace(base, method=find_method("rome"), hparams=Hparams(values, "test"))
            taken = {"instant": "original", "sequential": "r_rome"}[regime] if name == "by_regime" else name
            assert run.identity()["hparams_sha256"] == sha256[taken]
    run = replace(SEQUENTIAL, method=find_method("rome"), hparams=Hparams(named["by_regime"], "test"), steps=(2,))
    outs = [tmp_path / "by_regime.jsonl", tmp_path / "r_rome.jsonl"]
    for out, name in zip(outs, ("by_regime", "r_rome"), strict=True):
        run_regime(llama, tokenizer, bench, replace(run, hparams=Hparams(named[name], "test")), out)
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("regime", ["instant", "sequential", "batch"])
def test_too_little_memory(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Any, regime: Any
) -> None:
    out, start = tmp_path / "s.jsonl", checksum(llama)

    def teach(model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: Any, context: EditContext) -> Edit:
        if out.stat().st_size or regime == "batch":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return fine_tune(model, tokenizer, requests, hparams, context)

    run = replace(BATCH, regime=regime, method=replace(MANY, teach=teach))
    with pytest.raises(EnvironmentFault, match=r"too small for editing .*--batch-size"):
        run_regime(llama, tokenizer, longer, run, out)
    assert checksum(llama) == start
    assert regime == "batch" or rows(out)


@pytest.mark.parametrize("what", ["request", "prompt"])
def test_what_is_longer_than_the_context_is_told_before_anything_is_edited(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, what: str
) -> None:
    name, field = ("b0", "updated_solution") if what == "request" else ("s1", "prompt")
    asked = longer.problems[f"t/{name}"]
    longer.problems[f"t/{name}"] = replace(asked, **{field: asked.prompt + "    x = 1\n" * 100})
    with pytest.raises(InputError, match="The request for 'b0'" if what == "request" else "The prompt of t/s1"):
        run_regime(llama, tokenizer, longer, replace(SEQUENTIAL, specificity_per_change=None), tmp_path / "s.jsonl")
    assert not (tmp_path / "s.jsonl").exists()


@pytest.mark.parametrize("method", ["rome", "memit", "pmet"])
def test_a_model_that_computes_no_numbers(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, method: str
) -> None:
    hparams = Hparams(METHOD_HPARAMS[method], "test")
    with torch.no_grad():
        llama.model.norm.weight[0] = torch.nan
    context = EditContext(covariance=COVARIANCE)
    run = replace(INSTANT, method=find_method(method), hparams=hparams)
    with pytest.raises(InputError, match=r"float32, computes no numbers .* Check its weights"):
        run_regime(llama, tokenizer, bench, run, tmp_path / "s.jsonl", context=context)


@pytest.mark.parametrize("method", METHOD_HPARAMS)
def test_a_sequence_goes_on_after_its_model_has_collapsed(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path, method: str, checksum: Any
) -> None:
    context = EditContext(templates=["{}", "So. {}"], covariance=COVARIANCE)
    with torch.no_grad():
        llama.model.norm.weight[0] = torch.nan
    start = checksum(llama)
    hparams = Hparams(METHOD_HPARAMS[method], "test")
    run = replace(SEQUENTIAL, method=find_method(method), hparams=hparams)
    summary = run_regime(llama, tokenizer, longer, run, tmp_path / "s.jsonl", context=context)
    assert summary.edits == 4
    written = rows(tmp_path / "s.jsonl")
    assert {(row["solution"], row["extraction"]["kind"]) for row in written} == {("", "no_program")}
    assert checksum(llama) == start


def test_the_files_of_shards_one_after_the_other_are_the_whole_file(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path
) -> None:
    whole = replace(INSTANT, specificity_per_change=1)
    run_regime(llama, tokenizer, longer, whole, tmp_path / "whole")
    parts = [tmp_path / f"{part}" for part in (1, 2, 3)]
    for number, out in enumerate(parts, 1):
        run_regime(llama, tokenizer, longer, replace(whole, shard=(number, 3)), out)
    assert all(out.stat().st_size for out in parts)
    assert b"".join(out.read_bytes() for out in parts) == (tmp_path / "whole").read_bytes()


def test_rows_say_how_float32_is_multiplied(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, replace(NONE, sampling=replace(SAMPLING, n=1)), out)
    assert {(row["dtype"], row["float32_matmul_precision"]) for row in rows(out)} == {("float32", "highest")}
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        with pytest.raises(InputError, match="its \"float32_matmul_precision\" is 'highest', and here it is 'high'"):
            run_regime(llama, tokenizer, bench, replace(NONE, sampling=replace(SAMPLING, n=1)), out)
    finally:
        torch.set_float32_matmul_precision(before)
