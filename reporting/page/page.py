"""The page, one HTML file: nothing in it is loaded from elsewhere, and no script runs but its own (see `_policy`)."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from ...schemas.bench import Bench
from ...schemas.changes import Change
from ...schemas.problems import Problem
from ...schemas.whole_files import replace_file
from ..read.verdict_frame import Observations
from ..report import Report, Section
from .bodies import Bodies
from .cells import show_cell, unit_of
from .figures import figure_of
from .index import pack_index
from .packing import pack_bytes, pack_json
from .shown import shown
from .tables import fit

SCRIPTS = (
    "text.js",
    "anchors.js",
    "data.js",
    "filter.js",
    "facets.js",
    "list.js",
    "diff.js",
    "highlight.js",
    "sample.js",
    "tables.js",
    "plots.js",
    "main.js",
)
TEST_CHARACTERS = 5_000  # of a test, and of what else of a problem has no end
PROBLEM_CHARACTERS = 40_000
PROBLEMS_IN_SHARD = 50
CODE_FIELDS = ("prompt", "solution", "updated_solution", "fully_updated_solution", "helpers")


def write_page(path: Path, report: Report, observations: Observations, bodies: Bodies) -> None:
    """Write the page of `report` to `path`, as a whole: the same input gives the same bytes.

    `bodies` got the verdicts of `observations`. Raises EnvironmentFault when the disk or a permission
    refuses, ValueError for NaN and infinity.
    """
    replace_file(path, page_parts(report, observations, bodies))


def page_parts(report: Report, observations: Observations, bodies: Bodies) -> Iterator[str]:
    """Yield the page in ASCII, a part at a time. Raises ValueError for NaN and infinity."""
    plotly = get_plotlyjs()
    style, script = _style(), _script()
    parts = (
        _environment()
        .get_template("page.html.j2")
        .generate(
            report=report,
            bench=observations.bench,
            sections=list(_sections(report)),
            models=_count_known(setting.model for setting in observations.settings),
            methods=_count_known(setting.method for setting in observations.settings if setting.edited),
            policy=_policy([script, plotly], [style, ""]),
            style=style,
            script=script,
            claimed=re.findall(r'getElementById\("([0-9a-f]{64})"\)', plotly),
            index=pack_index(observations),
            figures=pack_json({chart.name: figure_of(chart) for chart in report.charts}),
            changes=pack_json({name: _change_facts(change) for name, change in observations.bench.changes.items()}),
            problems=_problem_shards(observations.bench),
            shards=((shard.first, shard.count, shard.packed()) for shard in bodies.shards()),
            plotly=pack_bytes(plotly.encode()),
        )
    )
    return (part.encode("ascii", "xmlcharrefreplace").decode("ascii") for part in parts)


def _sections(report: Report) -> Iterator[dict[str, Any]]:
    """Yield what stands under each question that the report answers."""
    for section in report.sections():
        if section.tables or section.charts or section.question == "overview":
            yield {"name": section.question, "tables": section.tables, "charts": section.charts} | _heading(section)


def _heading(section: Section) -> dict[str, str]:
    """Return the short name of a question, for the navigation, and its title without that name."""
    short, colon, rest = section.title.partition(": ")
    if not colon:
        short = {"reference": "Published"}.get(section.question, section.title)
        return {"short": short, "kicker": "", "title": section.title}
    return {"short": short, "kicker": short, "title": rest[:1].upper() + rest[1:]}


def _count_known(names: Iterable[str | None]) -> int:
    return len(set(names) - {None})


def _problem_shards(bench: Bench) -> Iterator[tuple[int, int, str]]:
    """Yield the problems in the order of the benchmark, some at a time: the first one's number, how many, and they."""
    rows = [_problem_facts(problem) for problem in bench.problems.values()]
    for first in range(0, len(rows), PROBLEMS_IN_SHARD):
        some = rows[first : first + PROBLEMS_IN_SHARD]
        yield first, len(some), pack_json(some)


def _problem_facts(problem: Problem) -> dict[str, Any]:
    facts: dict[str, Any] = {"task": problem.task_id, "change": problem.change_id, "entry": problem.entry_point}
    for name in CODE_FIELDS:
        if getattr(problem, name):
            facts[name] = getattr(problem, name)[:PROBLEM_CHARACTERS]
    facts["tests"] = [[test.setup[:TEST_CHARACTERS], test.code[:TEST_CHARACTERS]] for test in problem.tests]
    return facts


def _change_facts(change: Change) -> dict[str, str]:
    names = ("deprecated", "replacement", "signature", "doc", "usage")
    return {name: getattr(change, name)[:TEST_CHARACTERS] for name in names}


@cache
def _environment() -> Environment:
    """Return where templates are rendered: text in them is escaped, and shows what would be invisible."""
    environment = Environment(
        loader=PackageLoader("edittool.reporting.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    environment.globals |= {"show_cell": show_cell, "unit_of": unit_of, "fit": fit}
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment


def _style() -> str:
    return (files(__package__) / "page.css").read_text("ascii")


def _script() -> str:
    """Return the page's script: its files in one function, so that they share names with nothing else."""
    folder = files(__package__) / "scripts"
    text = "".join((folder / name).read_text("ascii") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{text}}})();\n'


def _policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """Return the page's content security policy: nothing is loaded, and only these very scripts and styles count.

    Plotly fills an empty style element by script. Its images for download are data: and blob: addresses.
    """
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)),
        "style-src": " ".join(map(_hash, styles)),
        "img-src": "data: blob:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
