"""The files to begin with: they load, and so does every proposal once its `# ` is removed."""

import re
import tempfile
import unicodedata
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.own.changes import load_changes
from edittool.benchmark.own.problems import load_problems
from edittool.benchmark.scaffold.compare import compare
from edittool.benchmark.scaffold.write import changes_yaml, problems_yaml, proposal_lines

from .sources import read

NAMES = st.from_regex(r"[^\W\d_]\w{0,8}", fullmatch=True).filter(lambda name: f"f_{name}".isidentifier())
MESSAGES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def load(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changes.yaml"
        path.write_text(text, encoding="utf-8")
        return load_changes(path)


def uncommented(text):
    return re.sub(r"^# ", "", text, flags=re.MULTILINE)


def test_the_templates_load(tmp_path):
    (tmp_path / "changes.yaml").write_text(changes_yaml())
    (tmp_path / "problems.yaml").write_text(problems_yaml())
    changes = load_changes(tmp_path / "changes.yaml")
    (problem,) = load_problems(tmp_path / "problems.yaml", changes)
    assert problem.change_id == changes[0].change_id == "statistics.median"


def test_the_commented_forms_of_the_template_load():
    entries = re.findall(r"^# - .*\n(?:#   .*\n)+", changes_yaml(), re.MULTILINE)
    assert [load(uncommented(entry))[0].form for entry in entries] == ["real", "in_place"]


@given(NAMES, MESSAGES, MESSAGES)
def test_whatever_a_source_says_every_proposal_loads(name, message, value):
    old = f"def f_{name}(a, b={value!r}): pass\ndef g_{name}(): warn({message!r}, DeprecationWarning)\n"
    new = f"@deprecated({message + f' use `f_{name}`'!r})\ndef h(): pass\ndef f_{name}(b={value!r}): pass\n"
    found = compare(read(old), read(new))
    # A few letters fall into signs that no name of a change may have.
    assert found.proposals or not re.fullmatch(r"\w+", unicodedata.normalize("NFKC", name))
    for proposal in found.proposals:
        (change,) = load(uncommented("\n".join(proposal_lines(proposal)) + "\n"))
        assert change.deprecated == proposal.deprecated
    assert len(yaml.safe_load(changes_yaml(found, message))) == 1
