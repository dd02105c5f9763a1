"""The report as a folder: page, JSON, Markdown, tables and figures, replaced together by the next report."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from ...schemas.errors import InputError
from ...schemas.json_text import parse_json
from ...schemas.whole_files import lock, make_folder, replace_file, sync, unlock, write_faults
from ..charts.render import render_chart
from ..report import Report
from .csv_files import table_as_csv
from .json_file import report_as_json
from .latex import table_as_latex
from .markdown import report_as_markdown

MANIFEST = "files.json"
PAGE = "report.html"
_STAGE = ".edittool-report"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_OURS = re.compile(rf"report\.(html|json|md)|tables/{_NAME.pattern}\.(csv|tex)|figures/{_NAME.pattern}\.(svg|png)")


def check_folder(folder: Path) -> None:
    """Refuse, before anything is counted, what `write_report` would refuse of `folder`.

    Raises InputError for a file, and for a folder with files that no report wrote, EnvironmentFault where it cannot be
    read.
    """
    if folder.exists():
        make_folder(folder, "a report")
        with write_faults(folder):
            _former_files(folder)


def write_report(folder: Path, report: Report, page: Callable[[Path], None] | None) -> None:
    """Write `report` to `folder`; `page` writes its page to the path that it is given.

    Everything is written aside first and then moved into place: a full disk leaves the former report as it was. Files
    that the former report had and this one lacks are removed; files.json lists what a report wrote, and nothing else
    is ever touched. Raises InputError for a file, and for a folder with files that no report wrote in the way,
    EnvironmentFault where the folder cannot be written, ValueError for NaN and infinity.
    """
    make_folder(folder, "a report")
    with write_faults(folder), _held(folder):
        former = _former_files(folder)
        stage = folder / _STAGE
        shutil.rmtree(stage, ignore_errors=True)  # of one that was killed
        try:
            files = _write_aside(stage, report, page)
            _check_free(folder, files, former)
            _move(stage, folder, files, former)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep a second report out of `folder`, where its file system knows locks."""
    with contextlib.ExitStack() as held:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        held.callback(os.close, descriptor)
        with contextlib.suppress(OSError):
            lock(descriptor, folder)
            held.callback(unlock, descriptor)
        yield


def _former_files(folder: Path) -> set[str]:
    """Return what the former report wrote to `folder`; raises InputError for files of somebody else alone."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise InputError(f"{folder} has files, and no report of edittool. Choose a new or an empty folder.")
        return set()
    return _read_manifest(manifest)


def _read_manifest(path: Path) -> set[str]:
    try:
        names = parse_json(path.read_bytes())["edittool_report"]
        if not all(_OURS.fullmatch(name) for name in names):
            raise ValueError("a name that no report has")
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path} is not the list of a report's files. Choose a new or an empty folder.") from None
    return set(names)


def _write_aside(stage: Path, report: Report, page: Callable[[Path], None] | None) -> set[str]:
    """Write everything below `stage`; return the names of the files."""
    for folder in (stage, stage / "tables", stage / "figures"):
        folder.mkdir()
    names = set()
    for name, data in _contents(report):
        if not _OURS.fullmatch(name) or name in names:
            raise ValueError(f"{name} is no name for a file of a report, or stands twice")
        names.add(name)
        (stage / name).write_bytes(data)
    if page is not None:
        page(stage / PAGE)
        names.add(PAGE)
    for name in names:
        sync(stage / name)
    return names


def _contents(report: Report) -> Iterator[tuple[str, bytes]]:
    yield "report.json", (json.dumps(report_as_json(report), indent=1, allow_nan=False) + "\n").encode("ascii")
    yield "report.md", report_as_markdown(report).encode("utf-8")
    for table in report.tables:
        yield f"tables/{table.name}.csv", table_as_csv(table).encode("utf-8")
        yield f"tables/{table.name}.tex", table_as_latex(table).encode("utf-8")
    for chart in report.charts:
        figure = render_chart(chart)
        yield f"figures/{chart.name}.svg", figure.svg
        yield f"figures/{chart.name}.png", figure.png


def _check_free(folder: Path, files: set[str], former: set[str]) -> None:
    """Raise InputError where something that no report wrote stands where one of `files` belongs."""
    for name in sorted(files):
        path = folder / name
        if os.path.lexists(path.parent) and not path.parent.is_dir():
            raise _in_the_way(path.parent)
        if os.path.lexists(path) and (name not in former or path.is_dir()):
            raise _in_the_way(path)


def _in_the_way(path: Path) -> InputError:
    return InputError(f"{path} was not written by a report, and is kept. Move it, or choose a new folder.")


def _move(stage: Path, folder: Path, files: set[str], former: set[str]) -> None:
    """Move `files` into place and remove what only the former report had; a kill in between leaves a true list."""
    _list_files(folder, files | former)
    for name in sorted(files):
        (folder / name).parent.mkdir(exist_ok=True)
        (stage / name).replace(folder / name)
    for name in sorted(former - files):
        (folder / name).unlink(missing_ok=True)
    _list_files(folder, files)


def _list_files(folder: Path, names: set[str]) -> None:
    content = {"edittool": version("edittool"), "edittool_report": sorted(names)}
    replace_file(folder / MANIFEST, [json.dumps(content, indent=1) + "\n"])
