"""Long runs of comments and of continued lines, which would take tree-sitter the square of their number."""

import pytest

from edittool.analysis.tree.syntax import MAX_PROGRAM_BYTES, line_of, parse, source_of
from edittool.analysis.uses.uses import find_uses

RUN = '    # \u00e9 it\'s "so"\n\n' * 300
CODE = "    return my_len(value=xs)\n"
STRING = f'    text = """\n{RUN}"""\n'


def test_what_stands_behind_a_run_of_comments_is_where_it_was():
    program = f"def f(xs):\n{RUN}{STRING}{CODE}"
    [place] = find_uses(program, ["my_len"])
    assert place.line == program.count("\n", 0, program.index(CODE)) + 1


@pytest.mark.parametrize("program", [f"def f(xs):\n{STRING}{CODE}", f"def f(xs):\n{RUN}{STRING}{CODE}"])
def test_a_string_of_such_lines_stays(program):
    strings = [node for node in walk(parse(program)) if node.type == "string_content"]
    assert [node.text.decode() for node in strings] == [f"\n{RUN}"]
    assert source_of(program)[strings[0].start_byte : strings[0].end_byte].decode() == f"\n{RUN}"
    assert line_of(strings[0]) == program.count("\n", 0, program.index('"""')) + 1


BIG = {
    "comments": "def f(x):\n    return 1\n" + "    # x\n" * 120_000,
    "comments of falling depth": "def f(x):\n    return 1\n" + "    # x\n  # y\n# z\n" * 50_000,
    "continued lines": "x = 1 + \\\n" + "  \\\n" * 250_000 + "  1\n",
    "runs that are just no long ones": ("    # x\n" * 150 + "    x = 1\n") * 800,
}


@pytest.mark.parametrize("name", BIG)
@pytest.mark.timeout(60)  # where it took the square of the length, it would take half an hour
def test_a_program_of_any_shape_is_read_in_time(name):
    parse(BIG[name][:MAX_PROGRAM_BYTES])


def walk(node):
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.children)
