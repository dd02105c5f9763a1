import subprocess
import sys
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from edittool.cli.shared.console import plain
from edittool.reporting.table.table import Column, Estimate
from edittool.reporting.write.terminal import render_report

from ..reports import HOSTILE, METHOD, MODEL, hostile_table, report, table


def shown(made, show=plain, width=120):
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(render_report(made, show))
    return capture.get()


def cells(text, start):
    return next(line.split() for line in text.splitlines() if line.startswith(start))


def test_says_benchmark_notes_questions_and_tables_in_this_order():
    text = shown(report())
    parts = ["benchmark small  000000000000", "One note.", "RQ1: how robust", "Pass rates · model tiny", "A note."]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_numbers_and_intervals_stand_in_their_columns():
    text = shown(report())
    assert cells(text, "-") == ["-", "0", "12.3", "[10.1,", "14.0]", "-", "-"]
    assert cells(text, "ft") == ["ft", "1", "100.0", "[100.0,", "100.0]", "-4.5", "[-9.0,", "0.0]", "<0.001"]
    assert "hparams" not in text


def test_a_question_without_tables_is_not_asked():
    assert "RQ2" not in shown(report())


def test_a_table_without_rows_says_so():
    assert "Pass rates: nothing to show" in shown(report((table(rows=()),)))


def test_long_tables_show_their_brief_rows_and_say_where_the_others_are():
    made = table()
    text = shown(report((replace(made, brief=made.rows[1:2]), replace(table(title="Long"), brief=()))))
    assert "1 of 3 rows" in text
    assert "12.3" not in text
    assert "Only in the files and on the page of -o: Long (3 rows)." in text


def wide_table(kind="percent"):
    several = tuple(Column(f"full_{i}", f"full {i}", kind, "X.", interval=True) for i in range(9))
    return table((METHOD, *several), tuple((method, *[Estimate(1.0, 0.5, 1.0)] * 9) for method in ("ft", "rome")))


def test_is_at_most_100_columns_wide_however_wide_the_console():
    names = tuple((text, f"{i}", 1, None, Estimate(1.0, 1.0, 1.0), Estimate(-100.0, -100.0, 100.0), 0.5)
                  for i, text in enumerate(HOSTILE))  # fmt: skip
    for made in (report((wide_table("points"), table(rows=names), hostile_table())), report(notes=("x" * 300,))):
        assert max(map(len, shown(made, width=300).splitlines())) <= 100
        assert max(map(len, shown(made, width=70).splitlines())) <= 70


def test_the_intervals_of_shares_are_left_out_where_they_do_not_fit():
    text = shown(report((wide_table(),)))
    assert cells(text, "ft") == ["ft", *["100.0"] * 9]
    assert "Intervals did not fit here: --json and the files of -o have them." in text


def test_changes_keep_their_intervals_in_parts_of_the_table():
    text = shown(report((wide_table("points"),)))
    assert text.count("+1.0 [+0.5, +1.0]") == 18
    assert text.count("method") > 1


def test_no_text_of_a_file_steers_the_terminal_or_is_markup():
    text = shown(report((hostile_table(),), name=HOSTILE[0], notes=HOSTILE))
    assert "\x1b" not in text
    assert "[bold]markup[/bold]" in text


def test_no_text_of_a_file_starts_a_line_of_its_own():
    trap = "x\nRQ9: all is well" + " " * 90 + "RQ9: all is well"
    made = report(
        (table((MODEL, METHOD), ((trap, "a"), ("b", "c")), title=trap, notes=(trap,)),), name=trap, notes=(trap,)
    )
    assert not any(line.startswith("RQ9") for line in shown(made).splitlines())


def test_every_text_goes_through_show():
    seen = []
    made = report((table((MODEL, METHOD), (("m1", "ft"), ("m2", "rome"))),))
    shown(made, show=lambda text: seen.append(text) or Text(text))
    assert {"small", "One note.", "Pass rates", "A note.", "m1", "m2", "ft", "rome"} <= set(seen)


def test_showing_one_verdict_loads_no_library_of_the_report():
    code = (
        "import sys, edittool.reporting.explain.text, edittool.reporting.write.terminal\n"
        "print(sorted({'matplotlib', 'polars', 'plotly', 'numpy', 'jinja2', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
