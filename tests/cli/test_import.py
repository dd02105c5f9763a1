import json

import pytest

from edittool.samples.task_ids import TaskFinder
from edittool.schemas.bench import write_bench
from edittool.schemas.jsonl import write_rows

from ..samples.small_bench import program, small_bench


@pytest.fixture
def bench(tmp_path):
    return small_bench(tmp_path / "bench").folder


def rows_of(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_it_says_what_it_saw_and_loses_no_row(edittool, bench, tmp_path):
    given, output = tmp_path / "given.jsonl", tmp_path / "samples.jsonl"
    rows = [{"task_id": "mbpp/1", "solution": program("MBPP/1")}, {"task_id": 2, "solution": program("MBPP/2")}]
    rows += [{"task_id": "MBPP/3", "solution": "x"}, {"task_id": "other \x1b[31m", "solution": "y"}]
    write_rows(given, rows)
    code, out, err = edittool("import", given, "--bench", bench, "-o", output)
    assert code == 0
    assert out == f"2 samples of 4 read: {output}\n"
    assert "read 4 answers from given.jsonl (evalplus: rows of EvalPlus)" in err
    assert "by number (1)" in err
    assert "left MBPP/3 out: no_tests (it has none)" in err
    assert "\x1b" not in err
    assert f"all 2 are in {tmp_path / 'samples.rejected.jsonl'}" in err
    assert [row["task_id"] for row in rows_of(output)] == ["MBPP/1", "MBPP/2"]
    assert [row["row"] for row in rows_of(tmp_path / "samples.rejected.jsonl")] == rows[2:]


def test_nothing_taken_is_exit_code_2(edittool, bench, tmp_path):
    given, output = tmp_path / "given.jsonl", tmp_path / "samples.jsonl"
    write_rows(given, [{"task_id": "APPS/1", "solution": "x"}])
    code, out, err = edittool("import", given, "--bench", bench, "-o", output)
    assert (code, out) == (2, "")
    assert "no sample was taken" in err
    assert not output.exists()
    (tmp_path / "empty").mkdir()
    code, _, err = edittool("import", tmp_path / "empty", "--bench", bench, "-o", output)
    assert code == 2
    assert "nothing to import" in err


def test_the_summary_as_json(edittool, bench, tmp_path):
    given, output = tmp_path / "given.jsonl", tmp_path / "samples.jsonl"
    answer = f"Sure:\n```python\n{program('MBPP/1')}```\n"
    write_rows(given, [{"task_id": "MBPP/1", "output": answer}, {"task_id": "MBPP/9", "output": answer}])
    code, out, err = edittool("import", given, "--bench", bench, "-o", output, "--json", "--model", "m")
    assert code == 0
    assert json.loads(out) == {
        "output": str(output),
        "rejected_file": str(tmp_path / "samples.rejected.jsonl"),
        "read": 2,
        "taken": 1,
        "rejected": {"no_task": 1},
        "files": [{"file": "given.jsonl", "from": "chat", "read": 2, "taken": 1}],
        "matched": {"name": 1},
        "extraction": {"fence": 1},
        "not_read": {},
        "notes": [],
    }
    assert "programs of chat are extracted (--extract auto)" in err
    (row,) = rows_of(output)
    assert (row["model"], row["raw"], row["solution"]) == ("m", answer, program("MBPP/1"))
    code, _, err = edittool("import", given, "--bench", bench, "-o", output, "--extract", "none")
    assert rows_of(output)[0]["solution"] == answer
    assert "programs of chat are taken as they are" in err


def test_the_builtin_benchmark_has_tasks_too(edittool, tmp_path):
    given, output = tmp_path / "given.jsonl", tmp_path / "samples.jsonl"
    write_rows(given, [{"task_id": "nothing/of/it", "solution": "x"}])
    code, _, err = edittool("import", given, "--bench", "builtin", "-o", output)
    assert code == 2
    assert "rejected 1: for no problem of the benchmark" in err


# What was published, with what its authors found; the id of the data set, the number of rows.
PUBLISHED = [
    ("evalplus_llama3_instruct_humaneval_eval_results.json", "auto", "evalplus-results", 164),
    ("evalplus_chatgpt_mbpp.jsonl.gz", "auto", "human-eval", 399),
    ("evalplus_chatgpt_mbpp.jsonl.gz", "chat", "chat", 399),
    ("debugger_gpt35_humaneval_seed.jsonl.gz", "auto", "evalplus", 164),
    ("debugger_starcoder_mbpp_seed.jsonl.gz", "auto", "evalplus", 500),
]


@pytest.fixture(scope="module")
def public_bench(datasets, tmp_path_factory):
    """Return a benchmark with the names of the published problems; their tests do not matter here."""
    from edittool.benchmark.sources.humaneval import load_humaneval
    from edittool.benchmark.sources.mbpp import load_mbpp

    folder = tmp_path_factory.mktemp("public") / "bench"
    loaded = [load_humaneval(datasets / "HumanEval.jsonl"), load_mbpp(datasets / "mbpp.jsonl")]
    write_bench(folder, "public", [one for source in loaded for one in source], [])
    return folder


def test_what_was_published_is_taken_whole(edittool, public_bench, datasets, tmp_path, subtests):
    for name, shape, told, count in PUBLISHED:
        with subtests.test(name=name, shape=shape):
            output = tmp_path / "samples.jsonl"
            given = datasets / "published" / name
            code, out, _ = edittool("import", given, "--bench", public_bench, "-o", output, "--from", shape, "--json")
            summary = json.loads(out)
            assert (code, summary["read"], summary["taken"]) == (0, count, count)
            assert summary["files"][0]["from"] == told
            rows = rows_of(output)
            numbers = {str(row["imported"].get("task_id", row["task_id"])).split("/")[-1] for row in rows}
            assert {row["task_id"].split("/")[1] for row in rows} == numbers
            assert len({row["task_id"] for row in rows}) == count


def test_the_answers_of_a_batch_of_prompts_are_what_a_server_would_have_given(edittool, tmp_path):
    """A batch's output says nothing of documentation: --docs gives its samples the fields that the prompts had."""
    fields = ("task_id", "sample_index", "method", "regime", "docs", "docs_of", "active_changes")
    asked, told, output = tmp_path / "asked.jsonl", tmp_path / "told.jsonl", tmp_path / "samples.jsonl"
    assert edittool("prompts", "builtin", "-o", asked, "--style", "chat", "--docs", "change", "-n", 2)[0] == 0
    batch = tmp_path / "batch.jsonl"
    made = ("prompts", "builtin", "-o", batch, "--style", "chat", "--docs", "change", "-n", 2)
    assert edittool(*made, "--format", "openai-batch", "--model", "m", "--max-tokens", 9)[0] == 0
    answer = {"choices": [{"index": 0, "message": {"content": "```python\nx = 1\n```"}, "finish_reason": "stop"}]}
    answers = [
        {"custom_id": row["custom_id"], "response": {"status_code": 200, "body": answer}, "error": None}
        for row in rows_of(batch)
    ]
    write_rows(told, reversed(answers))  # in no order
    assert edittool("import", told, "--bench", "builtin", "-o", output, "--docs", "change", "--model", "m")[0] == 0
    right = [[row.get(name) for name in fields] for row in rows_of(asked)]
    assert [[row.get(name) for name in fields] for row in reversed(rows_of(output))] == right
    assert any(row[-1] for row in right)

    code, _, err = edittool("import", told, "--bench", "builtin", "-o", output, "--method", "mine", "--model", "m")
    assert code == 0, err
    assert {row["method"] for row in rows_of(output)} == {"mine"}


def test_an_import_that_is_interrupted_says_that_nothing_was_written(edittool, bench, tmp_path, monkeypatch):
    given, output = tmp_path / "given.jsonl", tmp_path / "new" / "samples.jsonl"
    write_rows(given, [{"task_id": "MBPP/1", "solution": "x = 1"}])

    def interrupt(*asked, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(TaskFinder, "by_name", interrupt)
    code, out, err = edittool("import", given, "--bench", bench, "-o", output)
    assert (code, out) == (130, "")
    assert err.strip() == "interrupted: nothing was written; give the same command again to start anew"
    assert not output.parent.exists()


def test_the_name_of_a_file_is_one_line(edittool, bench, tmp_path):
    given = tmp_path / "a\nrejected 7.jsonl"
    write_rows(given, [{"task_id": "MBPP/1", "solution": "x = 1"}, {"task_id": "MBPP/1"}])
    code, _, err = edittool("import", given, "--bench", bench, "-o", tmp_path / "samples.jsonl")
    assert code == 0
    assert "\nrejected 7" not in err
    assert r"from a\x0arejected 7.jsonl (evalplus" in err


def test_documentation_of_a_benchmark_without_changes_is_an_error(edittool, bench, tmp_path):
    given = tmp_path / "given.jsonl"
    write_rows(given, [{"task_id": "MBPP/1", "solution": "x = 1"}])
    code, _, err = edittool("import", given, "--bench", bench, "-o", tmp_path / "out.jsonl", "--docs", "change")
    assert code == 2
    assert "has no changes" in err
