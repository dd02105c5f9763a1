"""What the judge notices about samples: answers, programs in the wrong field, nothing where all is right."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.notices import Noticed
from edittool.judging.samples import read_samples
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.jsonl import dump_row
from edittool.schemas.problems import Problem, Test

DOC = (
    'def twice(x):\n    """Return x two times.\n\n    ```\n    twice(2) == 4  <think> <|endoftext|>\n    ```\n    """\n'
)
BODY = "    return 2 * x\n"
WHOLE = DOC + BODY
TWICE = Problem("HumanEval/1", DOC, "twice", WHOLE, (Test("", "assert candidate(2) == 4"),), "specificity", None)
OPEN = Problem(
    "MBPP/5", "def thrice(x):\n", "thrice", "def thrice(x):\n    return 3 * x\n", TWICE.tests, "specificity", None
)
MBPP = Problem("MBPP/2", "", "f", "def f(x):\n    return x\n", TWICE.tests, "specificity", None, source="MBPP")
PLUS = Problem("Mbpp/3", "", "f", "def f(x):\n    return x\n", TWICE.tests, "specificity", None, source="MBPP+")
CLASS = Problem("leet", "import math\n", "Solution().f", "class Solution: ...\n", TWICE.tests, "specificity", None)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return write_bench(tmp_path_factory.mktemp("bench") / "b", "b", [TWICE, OPEN, MBPP, PLUS, CLASS], [])


def looks(bench: Bench, folder: Path, *rows: dict[str, Any], **how: Any) -> Noticed:
    path, noticed = folder / "samples.jsonl", Noticed()
    path.write_text("".join(dump_row({"task_id": "HumanEval/1"} | row) + "\n" for row in rows), encoding="utf-8")
    for _ in read_samples(path, bench, noticed=noticed, **how):
        pass
    assert Noticed.from_json(json.loads(json.dumps(noticed.to_json()))) == noticed
    return noticed


RIGHT = {
    "a body": {"completion": BODY},
    "a whole program": {"solution": WHOLE},
    "the prompt repeated": {"completion": WHOLE},
    "another function after it": {"completion": BODY + "\n\ndef other():\n    return '```'\n"},
    "fences in a string": {"completion": '    """\n```\n"""\n' + BODY},
    "a token in a string": {"completion": "    return '<|endoftext|>'\n"},
    "a token in a comment": {"solution": f"{WHOLE}# <|im_end|> </think>\n"},
    "a comparison": {"completion": "    return 1 <think> 2\n", "task_id": "MBPP/5"},
    "a wrong program": {"completion": "    return (\n"},
    "an empty one": {"completion": ""},
    "a class": {"task_id": "leet", "solution": "class Solution:\n    def f(self):\n        pass\n"},
    "tabs": {"task_id": "MBPP/5", "completion": "\treturn 3\n"},
    "a number": {"task_id": "5", "completion": "    return 3\n"},
    "EvalPlus's own": {"task_id": "Mbpp/3", "solution": "def f(x):\n    return x\n"},
    "the original's id": {"task_id": "MBPP/2", "solution": "def f(x):\n    return x\n"},
    "its id in small letters": {"task_id": "mbpp/2", "solution": "def f(x):\n    return x\n"},
}


def test_nothing_is_said_of_samples_as_they_should_be(bench: Bench, tmp_path: Path, subtests: pytest.Subtests) -> None:
    for name, row in RIGHT.items():
        with subtests.test(name):
            assert looks(bench, tmp_path, row) == Noticed()


BARE = "def twice(x):\n    return 2 * x\n"
FENCED = f"Here it is:\n\n```python\n{BARE}```\nIt works."
WRONG = {
    "a byte order mark": ({"solution": f"\ufeff{WHOLE}"}, {"marked": 1}),
    "one before a body": ({"completion": f"\ufeff{BODY}"}, {"marked": 1}),
    "one before a fence": ({"solution": f"\ufeff{FENCED}"}, {"marked": 1}),
    "a fence": ({"solution": FENCED}, {"answers": 1, "fences": 1, "tried": 1, "extracted": 1}),
    "a fence in a completion": ({"completion": FENCED}, {"answers": 1, "fences": 1, "tried": 1, "extracted": 1}),
    "an open fence": ({"solution": f"```\n{BARE}"}, {"answers": 1, "fences": 1, "tried": 1, "extracted": 1}),
    "tildes": ({"solution": f"~~~py\n{BARE}~~~\n"}, {"answers": 1, "fences": 1, "tried": 1, "extracted": 1}),
    "a token": ({"completion": f"{BODY}<|endoftext|>"}, {"answers": 1, "tokens": 1, "tried": 1, "extracted": 1}),
    "a sentence's end": ({"solution": f"{BARE}</s>"}, {"answers": 1, "tokens": 1, "tried": 1, "extracted": 1}),
    "DeepSeek's": (
        {"solution": f"{BARE}<\uff5cend\u2581of\u2581sentence\uff5c>"},
        {"answers": 1, "tokens": 1, "tried": 1, "extracted": 1},
    ),
    "thinking": (
        {"solution": f"<think>\nhm\n</think>\n{BARE}"},
        {"answers": 1, "thinking": 1, "tried": 1, "extracted": 1},
    ),
    "all of them": (
        {"solution": f"<think>hm</think>\n{FENCED}<|im_end|>"},
        {"answers": 1, "thinking": 1, "fences": 1, "tokens": 1, "tried": 1, "extracted": 1},
    ),
    "nothing in it": ({"solution": "I cannot.\n```\n```\n"}, {"answers": 1, "fences": 1, "tried": 1}),
    "a body as a solution": ({"solution": BODY, "task_id": "MBPP/5"}, {"with_prompt": 1}),
    "a body that names the function": ({"solution": "    return twice\n"}, {"with_prompt": 1}),
    "another function": ({"solution": "def other(x):\n    return 2 * x\n"}, {"unnamed": 1}),
    "a whole program as a completion": (
        {"task_id": "MBPP/5", "completion": OPEN.solution},
        {"without_prompt": 1},
    ),
    "an import first": ({"task_id": "MBPP/5", "completion": f"import os\n{OPEN.solution}"}, {"without_prompt": 1}),
    "a stripped body": ({"completion": "y = 2\n    return y * x\n"}, {"stripped": 1}),
    "EvalPlus's id": ({"task_id": "Mbpp/2", "solution": "def f(x):\n    return x\n"}, {"evalplus": 1}),
    "a verdict": ({"solution": BARE, "sample_id": "a", "outcome": "passed"}, {"verdicts": 1}),
}


def test_what_does_not_run_as_it_is_is_counted_by_kind(bench: Bench, tmp_path: Path, subtests: pytest.Subtests) -> None:
    for name, (row, counts) in WRONG.items():
        with subtests.test(name):
            assert looks(bench, tmp_path, row).to_json()["looks"] == counts


def test_counts_are_those_of_the_whole_file(bench: Bench, tmp_path: Path) -> None:
    rows = [*RIGHT.values(), *(row for row, _ in WRONG.values())]
    total = sum((Counter(counts) for _, counts in WRONG.values()), Counter())
    assert +looks(bench, tmp_path, *rows).looks == total


def test_of_many_answers_only_the_first_are_tried(bench: Bench, tmp_path: Path) -> None:
    found = looks(bench, tmp_path, *[{"solution": FENCED}] * 600).looks
    assert +found == {"answers": 600, "fences": 600, "tried": 500, "extracted": 500}


def test_after_extraction_only_what_is_left_looks_like_an_answer(bench: Bench, tmp_path: Path) -> None:
    rows = [{"solution": FENCED}, {"completion": BODY}, {"solution": "I cannot."}]
    found = looks(bench, tmp_path, *rows, mode="auto")
    assert found.extraction == {"fence": 1, "as_is": 1, "no_program": 1}
    assert +found.looks == Counter()


def test_a_long_text_is_not_parsed_to_be_noticed(bench: Bench, tmp_path: Path) -> None:
    assert looks(bench, tmp_path, {"solution": "```\n" + "(" * 300_000}) == Noticed()
