"""The page in a real browser: it opens without a fault, filters as polars does, and is used by keyboard alone."""

import re
from importlib.resources import files
from itertools import combinations, pairwise

import polars as pl
import pytest
from playwright.sync_api import Locator, Page, expect

from edittool.reporting.page.shown import shown

from ...browser import DESKTOP, PHONE, TIMEOUT_MS
from .pages import HOSTILE, HOSTILE_TASK, LONG_LINE

# Playwright clicks once: where a browser waits for its turn, the page may still be moving under the click.
pytestmark = pytest.mark.alone

expect.set_options(timeout=TIMEOUT_MS)  # where many tests run, a browser waits for its turn
SIZES = pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def open_report(open_page, made):
    """Open the page and wait for its list, then go to the fragment if one is given; every visit ends faultless."""
    visits = []

    def open_at(fragment="", device=DESKTOP, **settings):
        visit = open_page(made.path, device, reduced_motion="reduce", **settings)
        visits.append(visit)
        expect(visit.page.locator("#count")).to_have_text(re.compile(r"samples?$"))
        if fragment:
            visit.page.evaluate("fragment => { location.hash = fragment; }", fragment)
        return visit.page

    yield open_at
    assert [fault for visit in visits for fault in visit.faults()] == []
    assert not any(visit.page.evaluate("'attacked' in window") for visit in visits)


def verdicts(made) -> pl.DataFrame:
    """Return the rows of the frame with what the settings say."""
    frame = made.observations.frame
    settings = [made.observations.settings[place] for place in frame["setting"]]
    names = ("model", "method", "regime", "step", "world")
    return frame.with_columns(pl.Series(name, [getattr(setting, name) for setting in settings]) for name in names)


def count(page: Page) -> int:
    return int(page.locator("#count").inner_text().split()[0].replace(",", ""))


def facet_of(page: Page, title: str) -> Locator:
    return page.locator("details.facet", has=page.locator("summary", has_text=re.compile(rf"^{title}\d*$")))


def choose(page: Page, facet: str, name: str) -> None:
    """Tick the choice `name` of `facet`, whose group is opened where it is not."""
    group = facet_of(page, facet)
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    group.get_by_label(re.compile(f"^{re.escape(name)}")).check()


def counts(page: Page, facet: str) -> dict[str, int]:
    """Return what stands beside the choices of `facet`."""
    rows = facet_of(page, facet).locator("label")
    return {
        row.locator(".name").text_content(): int(row.locator(".n").text_content().replace(",", ""))
        for row in rows.all()
    }


def width_beyond_the_screen(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def draw_all(page: Page) -> None:
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        expect(plot).to_have_class(re.compile("drawn"))


@SIZES
def test_plots_are_drawn_and_nothing_is_wider_than_the_screen(open_report, made, device):
    page = open_report(device=device)
    draw_all(page)
    assert page.locator(".plot .main-svg").count() >= len(made.report.charts) > 3
    assert width_beyond_the_screen(page) == 0


@SIZES
def test_hostile_text_is_shown_and_breaks_no_layout(open_report, device):
    page = open_report("samples?sample=0", device=device)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".programs")).to_be_visible()
    assert page.locator("#sample-title").evaluate("e => e.textContent").startswith('rel/0 "it\'s" </script>')
    assert "U+202E" in dialog.locator(".programs").inner_text()
    assert "more characters" in dialog.locator(".programs").inner_text()
    assert dialog.locator("img, script, iframe").count() == 0
    assert width_beyond_the_screen(page) == 0
    assert dialog.locator(".sheet").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    text = dialog.evaluate("e => e.textContent")
    assert len(text) < len(LONG_LINE)
    assert not re.search("[\x00\x1b\u200b\u2028\u202e]", text)


def test_marks_are_the_same_in_python_and_in_the_page(open_report, made):
    page = open_report("samples?sample=0")
    disagreement = page.locator(".facts dt", has_text="Disagreement").locator("+ dd")
    expect(disagreement).to_be_visible()
    assert disagreement.text_content() == re.sub(r"\[(U\+[0-9A-F]+)\]", r"\1", shown(HOSTILE))


def test_filters_count_as_polars_does(open_report, made):
    page, frame = open_report(), verdicts(made)
    assert count(page) == frame["verdict"].n_unique() == len(made.verdicts)
    choose(page, "Method", "rome")
    choose(page, "Method", "none")
    choose(page, "Outcome", "partial")
    chosen = frame.filter(pl.col("method").is_in(["rome", "none"]))
    assert count(page) == chosen.filter(outcome="partial")["verdict"].n_unique()
    for column, facet in (("subset", "Subset"), ("label", "Label"), ("outcome", "Outcome")):
        rows = chosen if column == "outcome" else chosen.filter(outcome="partial")
        found = dict(rows.group_by(column).agg(pl.col("verdict").n_unique()).iter_rows())
        names = {name: name.replace("_", " ") if name else "no label" for name in found}
        there = {name: number for name, number in counts(page, facet).items() if number}
        assert there == {names[name]: number for name, number in found.items()}


def test_a_verdict_of_two_worlds_counts_in_both_and_once_in_all(open_report, made):
    page, frame = open_report(), verdicts(made)
    rows = frame.filter(method="none", subset="specificity")
    choose(page, "Method", "none")
    choose(page, "Subset", "specificity")
    assert count(page) == rows["verdict"].n_unique() == len(rows) / 2
    found = counts(page, "World")
    assert sum(found.values()) == len(rows)
    choose(page, "World", "no change is active")
    assert count(page) == len(rows) / 2


def test_free_text_filters_by_task_whatever_its_case(open_report, made):
    page, frame = open_report(), verdicts(made)
    page.get_by_label("Task").fill("GEN/1")
    expected = frame.filter(pl.col("task").str.contains("gen/1"))["verdict"].n_unique()
    expect(page.locator("#count")).to_have_text(f"{expected} samples")
    page.get_by_label("Task").fill("nothing like it")
    expect(page.locator("#list")).to_contain_text("No sample passes these filters")
    page.get_by_role("button", name="Clear all filters").click()
    assert count(page) == len(made.verdicts)


def test_the_address_holds_the_filters(open_report, made):
    page = open_report()
    choose(page, "Method", "ft")
    choose(page, "Label", "no label")
    page.get_by_label("Task").fill("spe/")
    found, fragment = count(page), page.evaluate("location.hash")
    page.reload()
    expect(page.locator("#count")).to_have_text(f"{found} samples")
    assert found == len(verdicts(made).filter(method="ft", subset="specificity"))
    expect(page.get_by_label("Task")).to_have_value("spe/")
    assert page.evaluate("location.hash") == fragment
    page.evaluate("location.hash = 'samples?method=rome&page=2'")
    expect(page.locator("#count")).to_have_text(f"{len(verdicts(made).filter(method='rome'))} samples")
    expect(page.locator("#page")).to_contain_text("51")


def test_a_link_leads_to_a_sample(open_report, made):
    page = open_report("samples?subset=generalization&sample=100")
    expect(page.locator("#sample-title")).to_have_text(made.verdicts[100].task_id)
    page.reload()
    expect(page.locator("#sample-title")).to_have_text(made.verdicts[100].task_id)
    expect(page.get_by_role("dialog").get_by_label("The sample's program")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile(r"#samples\?subset=generalization$"))


def test_pages_of_the_list_hold_every_sample_once(open_report, made):
    page, seen = open_report(), []
    while True:
        seen += page.locator("#list .sample").evaluate_all("rows => rows.map((row) => row.id)")
        if page.get_by_role("button", name="Next", exact=True).is_disabled():
            break
        page.get_by_role("button", name="Next", exact=True).click()
    assert seen == [f"at-{place}" for place in range(len(made.verdicts))]


def test_the_last_sample_shows_its_own_program(open_report, made):
    last = len(made.verdicts) - 1
    page = open_report(f"samples?sample={last}")
    program = page.get_by_label("The sample's program")
    expect(program).to_contain_text(made.verdicts[last].completion.splitlines()[-1].strip())
    expect(page.locator("#sample-title")).to_have_text(made.verdicts[last].task_id)
    page.locator("summary", has_text="How it was made").click()
    expect(page.get_by_role("dialog")).to_contain_text(made.verdicts[last].sample_id)


def test_the_program_is_marked_and_held_against_the_updated_solution(open_report, made):
    number = next(n for n, each in enumerate(made.verdicts) if (each.task_id, each.outcome) == ("gen/2", "failed"))
    page = open_report(f"samples?sample={number}")
    mine, theirs = page.get_by_label("The sample's program"), page.get_by_label("The updated solution")
    expect(mine.locator(".remark.replacement")).to_contain_text("replacement my_len: call")
    expect(mine.locator(".remark.error")).to_contain_text("NameError")
    expect(theirs.locator(".row:not(.gap)")).to_have_text([re.compile(t) for t in ("def f", "# one", "my_len")])
    expect(theirs.locator(".added")).to_have_count(2)
    heights = [panel.evaluate("e => e.scrollHeight") for panel in (mine, theirs)]
    assert heights[0] == heights[1]
    page.get_by_label("Compare with").select_option("solution before the change")
    expect(page.get_by_label("The solution before the change")).to_contain_text("return len(x)")


def test_the_page_is_used_by_keyboard_alone(open_report, made):
    page = open_report()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the report")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Task")).to_be_focused()
    page.keyboard.type("gen/3")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    for key in ("j", "j", "ArrowDown", "k"):
        page.keyboard.press(key)
    expect(page.locator("#list")).to_be_focused()
    expect(page.locator("#list [aria-selected=true]")).to_have_attribute("data-place", "2")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#sample-title")).to_be_focused()
    expect(dialog).to_contain_text("3 of 20")
    page.keyboard.press("j")
    expect(dialog).to_contain_text("4 of 20")
    page.keyboard.press("k")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#list")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#list [aria-selected=true]")).to_have_attribute("data-place", "19")


def test_whatever_is_reached_by_tab_is_visible_and_has_a_name(open_report):
    page = open_report()
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
              const e = document.activeElement, box = e.getBoundingClientRect();
              const name = e.getAttribute("aria-label") ?? (e.labels?.[0] ?? e).textContent;
              return [e.tagName, name.trim() !== "", box.width * box.height > 0, getComputedStyle(e).outlineStyle];
            }"""
        )
        assert focused[1:] == [True, True, "solid"] or focused[0] == "BODY", focused


def test_light_and_dark_follow_the_system_and_the_button(open_report):
    brightness = "() => getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0] < 128 ? 'dark' : 'light'"
    dark, light = open_report(color_scheme="dark"), open_report(color_scheme="light")
    assert [page.evaluate(brightness) for page in (dark, light)] == ["dark", "light"]
    for page in (dark, light):
        page.get_by_role("button", name="Switch between light and dark").click()
    assert [page.evaluate(brightness) for page in (dark, light)] == ["light", "dark"]
    draw_all(light)
    ink = light.locator(".plot .xtick text").first.evaluate("e => getComputedStyle(e).fill")
    assert sum(map(int, re.findall(r"[0-9]+", ink)[:3])) > 384


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("abc", "abc"), ("abc", "xyz"), ("abcabba", "cbabac"), ("", "ab"), ("aaaa", "aa"), ("xabcy", "zabc")],
)
def test_the_diff_is_a_longest_common_subsequence(chromium, open_page, made, before, after):
    script = files("edittool.reporting.page").joinpath("scripts/diff.js").read_text("ascii")
    page = open_page(made.path).page
    pairs = page.evaluate(f"([a, b]) => {{ {script} return diffLines(a, b); }}", [list(before), list(after)])
    for side, text in (("left", before), ("right", after)):
        assert [pair[side] for pair in pairs if pair[side] is not None] == list(range(len(text)))
    same = [pair for pair in pairs if pair["same"]]
    assert all(before[pair["left"]] == after[pair["right"]] for pair in same)
    assert len(same) == longest_common(before, after)


def longest_common(one: str, other: str) -> int:
    """Return the length of the longest string that is left of both where letters are struck out."""
    subsequences = (set(combinations(one, size)) & set(combinations(other, size)) for size in range(len(one) + 1))
    return max(size for size, common in enumerate(subsequences) if common)


def test_tables_are_sorted_and_show_their_details(open_report, made):
    page = open_report()
    table = page.locator("#table-rq1_rates")
    head = table.get_by_role("button", name=re.compile("^full@1"))
    column = head.evaluate("e => e.closest('th').cellIndex")

    def orders():
        cells = table.locator(f"tbody tr td:nth-child({column + 1})")
        return [float(text) for text in cells.evaluate_all("all => all.map((cell) => cell.dataset.order)") if text]

    before = orders()
    head.click()
    assert orders() == sorted(before, reverse=True)
    head.click()
    assert orders() == sorted(before)
    head.click()
    assert orders() == before
    hidden = table.locator("th.detail")
    expect(hidden.first).to_be_hidden()
    table.get_by_role("button", name=re.compile("^All")).click()
    expect(hidden.first).to_be_visible()


def test_without_scripts_the_tables_are_there(chromium, made):
    browser = chromium._start()
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(made.path.as_uri())
    expect(page.locator("#table-rq1_rates")).to_be_visible()
    expect(page.get_by_text("Samples are listed by this page's own script")).to_be_visible()
    context.close()


def test_filters_fold_away_on_a_phone(open_report):
    page = open_report(device=PHONE)
    facets = page.locator("#facets")
    expect(facets).to_be_hidden()
    draw_all(page)  # a figure above that is drawn while a click is on its way moves where it goes
    page.locator("#choices > summary").click()
    expect(facets).to_be_visible()
    assert width_beyond_the_screen(page) == 0


def test_on_paper_the_report_stays_and_the_browser_goes(open_report):
    page = open_report()
    page.emulate_media(media="print")
    expect(page.locator("#table-rq1_rates")).to_be_visible()
    expect(page.locator("#samples")).to_be_hidden()


def test_the_hostile_task_is_found_by_its_name(open_report, made):
    page = open_report()
    page.get_by_label("Task").fill(HOSTILE_TASK.split(" ")[1])
    assert count(page) == sum(verdict.task_id == HOSTILE_TASK for verdict in made.verdicts)


# ---- anchors, folding, numbers in sight


def distance_below_bar(page: Page, place: str) -> float:
    return page.evaluate(
        """place => document.getElementById(place).getBoundingClientRect().top
             - document.querySelector(".bar").getBoundingClientRect().bottom""",
        place,
    )


def assert_lands(page: Page, place: str) -> None:
    """The element `place` stands below the bar, and no plot that is drawn later moves it."""
    near = "place => Math.abs(document.getElementById(place).getBoundingClientRect().top - 64) <= 16"
    page.wait_for_function(near, arg=place)
    for plot in page.locator(".plot").all():
        box = plot.bounding_box()
        if box and box["y"] + box["height"] > -100 and box["y"] < page.viewport_size["height"] + 100:
            expect(plot).to_have_class(re.compile("drawn"))
    assert -2 <= distance_below_bar(page, place) <= 24, place


@SIZES
def test_anchors_land_where_they_say_also_after_charts_have_loaded(open_report, device, subtests):
    page = open_report(device=device)
    for place in ("table-answers", "rq3", "table-rq4_failures", "rq1", "table-rq1_change", "rq4", "table-overview"):
        with subtests.test(place):
            page.evaluate("hash => { location.hash = hash; }", place)
            assert_lands(page, place)
    for link in ("RQ3", "RQ1", "RQ4"):
        with subtests.test(link):
            page.get_by_role("navigation", name="Sections").get_by_role("link", name=link).click()
            assert_lands(page, link.lower())


def test_an_address_with_an_anchor_lands_there(open_page, made):
    page = open_page(made.path, DESKTOP, reduced_motion="reduce").page
    page.goto("about:blank")
    page.goto(f"{made.path.as_uri()}#table-rq4_failures")
    expect(page.locator("#count")).to_have_text(re.compile(r"samples?$"))
    assert_lands(page, "table-rq4_failures")


def test_a_reader_who_moves_on_is_not_brought_back(open_report):
    page = open_report()
    page.evaluate("location.hash = 'rq1'")
    assert_lands(page, "rq1")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 900)
    page.wait_for_function("() => document.getElementById('rq1').getBoundingClientRect().top < -500")
    page.set_viewport_size({"width": 1100, "height": 800})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every((e) => e.dataset.reserved == e.clientWidth)"
    )
    assert distance_below_bar(page, "rq1") < -300


@SIZES
def test_a_plot_is_as_high_before_it_is_drawn_as_after(open_report, device):
    page = open_report(device=device)
    page.wait_for_function("() => document.querySelectorAll('.plot[data-reserved]').length > 3")
    heights = "() => [...document.querySelectorAll('.plot')].map((box) => box.getBoundingClientRect().height)"
    before = page.evaluate(heights)
    draw_all(page)
    assert page.evaluate(heights) == pytest.approx(before, abs=1)


def test_columns_of_one_value_are_folded_and_unfolded(open_report):
    page = open_report()
    table = page.locator("#table-rq1_change")
    expect(table.locator(".folded")).to_contain_text("All rows: model")
    shown_heads = (
        "e => [...e.querySelectorAll('th[scope=col]')].filter((th) => th.offsetWidth).map((th) => th.textContent)"
    )
    assert [text.strip() for text in table.evaluate(shown_heads)][:2] == ["method", "subset"]
    table.get_by_role("button", name=re.compile("^All")).click()
    assert [text.strip() for text in table.evaluate(shown_heads)][:2] == ["model", "method"]


def test_no_table_is_cut_at_1280_pixels(open_report, made, subtests):
    page = open_report()
    for table in made.report.tables:
        with subtests.test(table.name):
            box = page.locator(f"#table-{table.name} .scroll")
            expect(box).to_have_count(1 if table.rows else 0)
            if table.rows:
                box.scroll_into_view_if_needed()
                assert box.evaluate("e => e.scrollWidth - e.clientWidth") <= 0


def test_on_a_phone_every_table_shows_numbers_beside_the_names_of_its_rows(open_report, made, subtests):
    page = open_report(device=PHONE)
    for table in made.report.tables:
        if not table.rows:
            continue
        with subtests.test(table.name):
            box = page.locator(f"#table-{table.name} .scroll")
            box.scroll_into_view_if_needed()
            seen = box.evaluate(
                """e => [...e.querySelector("tbody tr").cells].filter((cell) => {
                  const [at, of] = [cell.getBoundingClientRect(), e.getBoundingClientRect()];
                  return cell.matches(".number") && at.width > 0 && at.right <= of.right + 1;
                }).length"""
            )
            assert seen >= 1
            name = box.locator("tbody .row-name").first
            if name.count():
                left = name.evaluate("e => e.getBoundingClientRect().left")
                box.evaluate("e => { e.scrollLeft = 200; }")
                assert name.evaluate("e => e.getBoundingClientRect().left") == pytest.approx(left, abs=1)


def test_no_column_has_the_name_of_another(open_report):
    heads = open_report().evaluate(
        """() => [...document.querySelectorAll(".numbers table")].map((table) =>
             [...table.tHead.querySelectorAll("th:not(.row-name)")].map((th) => th.textContent.trim()))"""
    )
    assert len(heads) > 5
    assert [names for names in heads if len(names) != len(set(names))] == []


def test_the_findings_stand_on_the_first_screen_above_all_tables(open_report, made):
    page = open_report()
    texts = [text.replace("\u00a0", " ") for text in page.locator(".findings li").all_text_contents()]
    assert texts == [shown(finding.text) for finding in made.report.findings]
    first = page.locator(".findings li").first.bounding_box()
    assert first["y"] < 400
    assert page.locator(".numbers").first.bounding_box()["y"] > first["y"]


# ---- colours of programs

PROGRAMS = [
    ("def f(x):", [("def", "keyword"), ("f", "defined")]),
    ("return len(x) + 0x1F  # a", [("return", "keyword"), ("len", "built-in"), ("0x1F", "number"), ("# a", "comment")]),
    ("s = 'it\\'s' + f\"#{x}\"", [("'it\\'s'", "string"), ('f"#{x}"', "string")]),
    ('a = """1\nif 2\n""" + b\'x\'', [('"""1', "string"), ("if 2", "string"), ('"""', "string"), ("b'x'", "string")]),
    ("x = 'open\nreturn 1", [("'open", "string"), ("return", "keyword"), ("1", "number")]),
    ("'''never closed\nreturn", [("'''never closed", "string"), ("return", "string")]),
    ("buffer = printer.x1", []),
    ("'''a\\", [("'''a\\", "string")]),
    ("", []),
]


def test_programs_are_coloured_as_python(open_page, made, subtests):
    script = files("edittool.reporting.page").joinpath("scripts/highlight.js").read_text("ascii")
    page = open_page(made.path).page
    for program, wanted in PROGRAMS:
        with subtests.test(program):
            lines = program.split("\n")
            found = page.evaluate(f"lines => {{ {script} return coloursOf(lines); }}", lines)
            words = [(lines[n][a:b], kind) for n, spans in enumerate(found) for a, b, kind in spans]
            assert words == wanted


@pytest.mark.parametrize("piece", ["'''", "'", '"\\', "f'", "\\", 'rb"""\\', "1_", "a", "#"])
def test_a_hostile_program_is_coloured_without_going_back(open_page, made, piece):
    script = files("edittool.reporting.page").joinpath("scripts/highlight.js").read_text("ascii")
    page = open_page(made.path).page
    line = (piece * 40_000)[:40_000]
    spans = page.evaluate(f"lines => {{ {script} return coloursOf(lines); }}", [line])[0]
    assert all(0 <= a < b <= len(line) for a, b, _ in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_a_sample_is_shown_in_colours_and_as_text_alone(open_report):
    page = open_report("samples?sample=100")
    program = page.get_by_label("The sample's program")
    expect(program.locator(".py-keyword").first).to_have_text("def")
    expect(program.locator(".py-defined").first).to_have_text("f")
    assert program.locator(".row:not(.remark):not(.gap) .line").all_text_contents()[0] == "def f(x):"
