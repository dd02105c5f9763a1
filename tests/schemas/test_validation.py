import copy

import pytest
from jsonschema import Draft202012Validator

from edittool.schemas.document import document_formats
from edittool.schemas.validation import SCHEMAS, find_fault, find_placed_fault, load_schema

SHA = "0" * 64

VERSIONS = {"report": 4}  # of all others, 1

GOOD = {
    "problem": {
        "task_id": "T/0",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "solution": "def f(x):\n    return len(x)\n",
        "tests": [{"setup": "", "code": "assert f('ab') == 2"}],
        "subset": "reliability",
        "change_id": "len",
    },
    "change": {
        "change_id": "os.path.join",
        "deprecated": "os.path.join",
        "replacement": "my_os_path_join",
        "usage": "renamed",
        "signature": "my_os_path_join(*parts)",
        "shim": "from os.path import join as my_os_path_join\n",
        "doc": "Joins paths.",
    },
    "rejected": {"task_id": "T/0", "change_id": None, "reason": "duplicate", "detail": "the same task as T/1"},
    "manifest": {
        "schema_version": 1,
        "name": "small",
        "counts": {"problems": 1},
        "files": {"problems.jsonl": SHA, "changes.jsonl": SHA},
        "edittool": "0.1.0",
    },
    "sample": {"task_id": "T/0", "completion": "    return 1\n"},
    "verdict": {
        "sample_id": "ab",
        "task_id": "T/0",
        "compiles": True,
        "tests_passed": 1,
        "tests_total": 1,
        "outcome": "passed",
        "label": "correct_adoption",
    },
    "edit": {
        "name": "len",
        "method": "ft",
        "requests_sha256": "a" * 64,
        "seconds": 1.25,
        "peak_memory_mib": None,
        "losses": [2.0, None],
        "changes": ["len"],
        "requests": 2,
        "target_tokens": 9,
        "nll_before": 4.0,
        "nll_after": 0.1,
        "greedy_tokens_before": 0.0,
        "greedy_tokens_after": 1.0,
        "learned_before": 0,
        "learned_after": 2,
        "first_rank_before": 20.0,
        "first_rank_after": 1.0,
        "norm": 0.01,
        "rounded": None,
    },
    "report": {
        "schema_version": 4,
        "edittool": "0.1.0",
        "bench": {"name": "small", "sha256": SHA},
        "verdicts": [{"path": "v.jsonl", "sha256": SHA, "rows": 1}],
        "journals": [],
        "counts": {"verdicts": 1, "duplicates": 0, "other_bench": 0},
        "options": {
            "resamples": 2000,
            "seed": 0,
            "baseline": None,
            "references": [],
            "only_taken": False,
            "solved_by_baseline": False,
        },
        "findings": [],
        "reading": "",
        "bounds": [],
        "notes": [],
        "tables": [],
        "charts": [],
    },
    "document": {"text": "def f(x):\n    return x\n"},
    "plan": {"bench": "builtin", "model": "tiny", "methods": [{"method": "ft"}]},
    "study": {
        "schema_version": 1,
        "plan": {"file": "plan.yaml", "sha256": SHA},
        "bench": {"name": "builtin", "sha256": SHA},
        "model": {"name": "tiny", "sha256": None},
        "versions": {"edittool": "0.1.0"},
        "steps": [
            {"name": "a.jsonl", "command": ["edit"], "inputs": {"edittool": "0.1.0"}, "outputs": {"a.jsonl": SHA}}
        ],
        "kept": {},
    },
}


def changed(schema: str, /, **fields: object) -> dict:
    return copy.deepcopy(GOOD[schema]) | fields


@pytest.mark.parametrize("name", SCHEMAS)
class TestSchemaFiles:
    def test_is_a_draft_2020_12_schema_with_an_id(self, name):
        schema = load_schema(name)
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"urn:edittool:schema:{name}:{VERSIONS.get(name, 1)}"

    def test_says_what_every_field_means(self, name):
        silent = [
            path for path, field in fields_of(load_schema(name)) if not field.get("description", "").endswith(".")
        ]
        assert silent == []

    def test_requires_only_fields_that_it_describes(self, name):
        schema = load_schema(name)
        assert set(schema["required"]) <= schema["properties"].keys()

    def test_accepts_a_good_record(self, name):
        assert find_fault(GOOD[name], name) is None

    def test_names_each_required_field_that_lacks(self, name):
        for field in load_schema(name)["required"]:
            record = {key: value for key, value in GOOD[name].items() if key != field}
            assert f'lacks the required field "{field}"' in find_fault(record, name)

    def test_names_each_field_of_a_wrong_type(self, name):
        for field, schema in load_schema(name)["properties"].items():
            takes_numbers = "number" in (schema.get("type"), *schema.get("type", ()))
            fault = find_fault(changed(name, **{field: "x" if takes_numbers else 0.5}), name)
            assert fault.startswith(f'field "{field}" must be '), fault


def fields_of(schema: dict, path: str = ""):
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields_of(field, f"{path}.{name}")
        yield from fields_of(field.get("items", {}), f"{path}.{name}[]")


def test_every_schema_file_is_in_the_table():
    from importlib.resources import files

    stored = {file.name for file in files("edittool.schemas").iterdir() if file.name.endswith(".schema.json")}
    assert stored == {f"{name}.schema.json" for name in SCHEMAS}


@pytest.mark.parametrize(
    "row",
    [
        {"task_id": "HumanEval/0", "completion": "    return 1\n"},
        {"task_id": "HumanEval/0", "completion": "", "result": "passed", "passed": True},
        {"task_id": "Mbpp/2", "solution": "def f(): ...\n"},
        {"task_id": "Mbpp/2", "solution": "", "_identifier": "Mbpp/2 (line 1 in x)", "raw_solution": None},
        {"task_id": "T", "solution": "\ud800", "active_changes": [], "step": 0, "anything": {"x": [1, None]}},
    ],
)
def test_samples_of_humaneval_and_evalplus_are_valid_as_they_are(row):
    assert find_fault(row, "sample") is None


@pytest.mark.parametrize(
    ("name", "fields", "fault"),
    [
        ("sample", {"task_id": 3}, 'field "task_id" must be a string, but it is an integer (3)'),
        ("sample", {"task_id": ""}, 'field "task_id" must not be empty'),
        ("sample", {"completion": None}, 'field "completion" must be a string, but it is null'),
        ("sample", {"completion": ["x"]}, 'field "completion" must be a string, but it is an array (["x"])'),
        ("sample", {"completion": {}}, 'field "completion" must be a string, but it is an object ({})'),
        ("sample", {"active_changes": "len"}, 'field "active_changes" must be an array, but it is a string ("len")'),
        ("sample", {"edited": ["a", 1]}, 'field "edited[1]" must be a string, but it is an integer (1)'),
        ("sample", {"sample_index": True}, 'field "sample_index" must be an integer, but it is a boolean (true)'),
        ("sample", {"sample_index": -1}, 'field "sample_index" must be at least 0, not -1'),
        (
            "sample",
            {"solution": "x"},
            'a sample needs exactly one of "completion" (appended to the prompt) and "solution" (a whole program)',
        ),
        ("problem", {"tests": []}, 'field "tests" must not be empty'),
        ("problem", {"tests": [{"setup": ""}]}, 'field "tests[0]" lacks the required field "code"'),
        (
            "problem",
            {"tests": [{"setup": "", "code": "", "cod": ""}]},
            'field "tests[0]" has the field "cod", which has no meaning there',
        ),
        ("plan", {"modle": "tiny"}, 'this plan has the field "modle", which has no meaning there'),
        (
            "plan",
            {"samplings": [{"name": "a", "temprature": 0}]},
            'field "samplings[0]" has the field "temprature", which has no meaning there: is "temperature" meant?',
        ),
        (
            "problem",
            {"subset": "training"},
            'field "subset" must be one of "reliability", "generalization", "specificity", not "training"',
        ),
        ("problem", {"change_id": 1}, 'field "change_id" must be a string or null, but it is an integer (1)'),
        (
            "change",
            {"replacement": "a-b"},
            'field "replacement" must match ^[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)*$, but it is "a-b"',
        ),
        ("manifest", {"schema_version": 2}, 'field "schema_version" must be 1, not 2'),
        ("manifest", {"files": {}}, 'field "files" lacks the required field "changes.jsonl"'),
        ("verdict", {"calls": {"f": -1}}, 'field "calls.f" must be at least 0, not -1'),
        ("verdict", {"error": {"type": "x"}}, 'field "error" lacks the required field "message"'),
    ],
)
def test_a_fault_is_told_in_words(name, fields, fault):
    assert find_fault(changed(name, **fields), name) == fault


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"model": 1}, ("model",)),
        (
            {"methods": [{"method": "ft"}, {"method": "ft", "regimes": ["instant", "often"]}]},
            ("methods", 1, "regimes", 1),
        ),
        ({"methods": [{"method": "ft", "hparms": "x"}]}, ("methods", 0, "hparms")),
        ({"methods": [{}]}, ("methods", 0)),
    ],
)
def test_a_fault_has_its_place(fields, place):
    fault, found = find_placed_fault(changed("plan", **fields), "plan")
    assert found == place
    assert fault == find_fault(changed("plan", **fields), "plan")


def test_a_wrong_type_is_told_before_what_follows_from_it():
    assert find_fault({"task_id": 3}, "sample").startswith('field "task_id" must be a string')


def test_a_missing_task_is_told_before_the_missing_program():
    assert find_fault({}, "sample") == 'this sample lacks the required field "task_id"'


def test_a_long_value_is_cut():
    assert len(find_fault(changed("sample", task_id=["x" * 10_000]), "sample")) < 200


def test_text_of_the_row_is_escaped():
    assert find_fault(changed("sample", task_id=["\x1b[31m\n\ud800"]), "sample").isascii()


def test_the_formats_page_is_up_to_date(request):
    page = request.config.rootpath / "docs" / "formats.md"
    assert page.read_text(encoding="utf-8") == document_formats(), (
        "run: python -m edittool.schemas.document > docs/formats.md"
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_formats_page_names_every_field(name):
    page = document_formats()
    for path, _ in fields_of(load_schema(name)):
        assert f"| `{path[1:]}` |" in page
