import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edittool.editing.edit import Edit
from edittool.editing.ft import FtHparams
from edittool.editing.hparams import Hparams, read_hparams
from edittool.editing.methods import METHODS
from edittool.editing.regimes import Progress, Run, plan, run_regime
from edittool.editing.sampling import Sampling
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import read_rows

FT = Hparams(FtHparams([1], "model.layers.{}.mlp.down_proj", num_steps=2, lr=5e-2, profile="exact"), "test")
SAMPLING = Sampling(n=2, max_new_tokens=6, batch_size=3)
INSTANT = Run("m", METHODS["ft"], FT, "instant", SAMPLING)
NONE = Run("m", METHODS["none"], read_hparams(None, METHODS["none"]), "none", SAMPLING)


def rows(path: Path) -> list[dict[str, Any]]:
    return [row.data for row in read_rows(path, "sample")]


def test_the_unedited_model(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    summary = run_regime(llama, tokenizer, bench, NONE, tmp_path / "s.jsonl")
    found = rows(tmp_path / "s.jsonl")
    assert (summary.new, summary.edits, len(found)) == (16, 0, 16)
    assert {row["task_id"] for row in found} == bench.problems.keys()
    first = found[0]
    assert (first["method"], first["regime"], first["step"], first["edited"]) == ("none", "none", 0, [])
    assert "active_changes" not in first
    assert "hparams_sha256" not in first


def test_instant_edits(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any) -> None:
    start = checksum(llama)
    out = tmp_path / "s.jsonl"
    summary = run_regime(llama, tokenizer, bench, INSTANT, out, save_edits=tmp_path / "edits")
    assert checksum(llama) == start
    assert (summary.edits, summary.untaught) == (2, ("min",))
    tasks = {c: {row["task_id"] for row in rows(out) if row["edited"] == [c]} for c in ("len", "max")}
    others = {"t/s0", "t/s1", "t/s2", "t/s3"}
    assert tasks == {"len": {"t/a1", "t/a2"} | others, "max": {"t/b1"} | others}
    assert all(row["active_changes"] == row["edited"] and row["step"] == 1 for row in rows(out))
    assert {row["hparams_sha256"] for row in rows(out)} == {FT.sha256()}
    with Edit.load(tmp_path / "edits" / "len.safetensors").apply(llama):
        assert checksum(llama) != start


def test_an_interrupted_run_goes_on(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any) -> None:
    whole, parts, start = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl", checksum(llama)
    run_regime(llama, tokenizer, bench, INSTANT, whole)

    def interrupt(state: Progress) -> None:
        if state.done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_regime(llama, tokenizer, bench, INSTANT, parts, observe=interrupt)
    assert checksum(llama) == start
    assert len(rows(parts)) == 6
    with parts.open("a") as file:
        file.write('{"task_id": "t/torn')  # as a kill in the middle of a write leaves it
    summary = run_regime(llama, tokenizer, bench, INSTANT, parts)
    assert (summary.found, summary.new) == (6, 16)
    assert rows(parts) == rows(whole)
    assert run_regime(llama, tokenizer, bench, INSTANT, parts).new == 0
    assert rows(parts) == rows(whole)


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


def test_every_specificity_problem_gets_a_turn(bench: Bench) -> None:
    stages = plan(bench, replace(INSTANT, specificity_per_change=2))
    shares = {s.edited[0]: {p.task_id for p in s.problems if p.subset == "specificity"} for s in stages}
    assert [len(share) for share in shares.values()] == [2, 2]
    assert shares["len"] | shares["max"] == {"t/s0", "t/s1", "t/s2", "t/s3"}
    (alone,) = plan(bench, replace(INSTANT, specificity_per_change=2, changes=("max",)))
    assert {p.task_id for p in alone.problems if p.subset == "specificity"} == shares["max"]


def test_what_does_not_go_together(bench: Bench) -> None:
    with pytest.raises(InputError, match="do not go together"):
        replace(INSTANT, regime="none")
    with pytest.raises(InputError, match="do not go together"):
        replace(NONE, regime="instant")
    with pytest.raises(InputError, match=r"no change 'nope'.*len, max, min"):
        plan(bench, replace(INSTANT, changes=("nope",)))
