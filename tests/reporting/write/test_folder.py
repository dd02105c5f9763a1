import fcntl
import hashlib
import json
import os
from pathlib import Path

import pytest

from edittool.reporting.write import folder as folder_module
from edittool.reporting.write.folder import write_report
from edittool.schemas.errors import EnvironmentFault, InputError

from ...disks import enlarge, small_disk
from ..reports import chart, report, table

FILES = {
    "files.json", "report.json", "report.md", "report.html", "tables/rates.csv", "tables/rates.tex",
    "figures/the_bars.svg", "figures/the_bars.png",
}  # fmt: skip


def page(path: Path) -> None:
    path.write_text("<p>page</p>")


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def digests(folder):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files(folder)}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "new" / "report"


class TestWriting:
    def test_writes_every_output_and_lists_it(self, out):
        write_report(out, report(), page)
        assert files(out) == FILES
        assert set(json.loads((out / "files.json").read_text())["edittool_report"]) == FILES - {"files.json"}
        assert json.loads((out / "report.json").read_text())["bench"]["name"] == "small"
        assert (out / "report.html").read_text() == "<p>page</p>"
        assert not [path for path in out.iterdir() if path.name.startswith(".")]

    def test_without_a_page_there_is_none(self, out):
        write_report(out, report(), None)
        assert files(out) == FILES - {"report.html"}

    def test_the_same_report_gives_the_same_bytes(self, out, tmp_path):
        write_report(out, report(), page)
        first = digests(out)
        write_report(out, report(), page)
        write_report(tmp_path / "other", report(), page)
        assert digests(out) == digests(tmp_path / "other") == first

    @pytest.mark.parametrize("name", ["../x", "a/b", "A", "", ".x", "x\n"])
    def test_a_name_that_is_none_of_ours_is_a_mistake(self, out, name):
        with pytest.raises(ValueError, match="is no name for a file of a report"):
            write_report(out, report((table(name=name),)), page)
        assert files(out) == set()

    def test_a_name_that_stands_twice_is_a_mistake(self, out):
        with pytest.raises(ValueError, match="stands twice"):
            write_report(out, report((table(), table())), page)


class TestAgain:
    def test_replaces_the_former_report_and_removes_what_this_one_lacks(self, out):
        write_report(out, report((table(), table(name="old")), (chart("bars"), chart("lines"))), page)
        write_report(out, report(name="other"), None)
        assert files(out) == FILES - {"report.html"}
        assert json.loads((out / "report.json").read_text())["bench"]["name"] == "other"

    def test_keeps_what_no_report_wrote(self, out):
        write_report(out, report(), page)
        for name in ("notes.txt", "tables/mine.csv", "figures/mine.svg", ".hidden"):
            (out / name).write_text("mine")
        write_report(out, report((), ()), None)
        assert files(out) == {
            "files.json", "report.json", "report.md", "notes.txt", "tables/mine.csv", "figures/mine.svg", ".hidden",
        }  # fmt: skip

    def test_refuses_to_write_over_a_file_that_no_report_wrote(self, out):
        write_report(out, report(), page)
        (out / "tables" / "new.csv").write_text("mine")
        before = digests(out)
        with pytest.raises(InputError, match=r"tables/new\.csv was not written by a report, and is kept"):
            write_report(out, report((table(name="new"),)), page)
        assert digests(out) == before

    def test_a_run_that_was_killed_is_cleared_away(self, out):
        write_report(out, report(), page)
        (out / ".edittool-report" / "tables").mkdir(parents=True)
        (out / ".edittool-report" / "tables" / "half.csv").write_text("half")
        write_report(out, report(), page)
        assert files(out) == FILES

    def test_a_kill_while_files_move_leaves_a_list_of_all_there_are(self, out, monkeypatch):
        write_report(out, report((table(name="old"),), ()), page)
        moved, replace = [], Path.replace

        def killed(self, target):
            if len(moved) == 3:
                raise KeyboardInterrupt
            moved.append(target)
            return replace(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                write_report(out, report(), page)
        assert files(out) - {"files.json"} <= set(json.loads((out / "files.json").read_text())["edittool_report"])
        write_report(out, report(), page)
        assert files(out) == FILES

    def test_a_report_that_fails_leaves_the_former_one(self, out):
        write_report(out, report(), page)
        before = digests(out)

        def broken(path):
            raise EnvironmentFault("no page")

        with pytest.raises(EnvironmentFault, match="no page"):
            write_report(out, report(name="other"), broken)
        assert digests(out) == before


class TestPlaces:
    def test_a_file_is_no_folder(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        for place in (tmp_path / "file", tmp_path / "file" / "report"):
            with pytest.raises(InputError, match="is a file; a report is a folder"):
                write_report(place, report(), page)
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_folder_of_somebody_else_is_left_alone(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("mine")
        with pytest.raises(InputError, match="has files, and no report of edittool"):
            write_report(tmp_path, report(), page)
        assert files(tmp_path) == {"thesis.tex"}

    @pytest.mark.parametrize(
        "content",
        ["", "[]", "{}", "null", '{"edittool_report": 3}', '{"edittool_report": [3]}', '{"edittool_report": ["../x"]}',
         '{"edittool_report": ["/etc/passwd"]}', '{"edittool_report": ["files.json"]}'],
    )  # fmt: skip
    def test_a_list_that_is_none_of_ours_is_refused(self, tmp_path, content):
        (tmp_path / "files.json").write_text(content)
        with pytest.raises(InputError, match="is not the list of a report's files"):
            write_report(tmp_path, report(), page)
        assert (tmp_path / "files.json").read_text() == content

    def test_something_else_in_the_place_of_a_folder_or_file_is_kept(self, out):
        write_report(out, report((), ()), None)
        (out / "tables").write_text("mine")
        with pytest.raises(InputError, match="tables was not written by a report"):
            write_report(out, report(), None)
        assert (out / "tables").read_text() == "mine"
        (out / "tables").unlink()
        (out / "report.md").unlink()
        (out / "report.md").mkdir()
        with pytest.raises(InputError, match=r"report\.md was not written by a report"):
            write_report(out, report(), None)

    def test_an_empty_folder_will_do(self, tmp_path):
        write_report(tmp_path, report(), page)
        assert files(tmp_path) == FILES

    def test_a_folder_that_cannot_be_written_is_named(self):
        with pytest.raises(EnvironmentFault, match="/proc/report cannot be written"):
            write_report(Path("/proc/report"), report(), page)

    def test_a_second_report_at_the_same_time_is_refused(self, out):
        out.mkdir(parents=True)
        descriptor = os.open(out, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            with pytest.raises(InputError, match=r"report is being written by another edittool\. Wait"):
                write_report(out, report(), page)
        finally:
            os.close(descriptor)
        write_report(out, report(), page)

    @pytest.mark.root
    def test_a_full_disk_leaves_the_former_report_and_there_is_room_again(self, tmp_path):
        with small_disk(tmp_path / "disk", 256 * 1024) as disk:
            out = disk / "report"
            write_report(out, report((table(),), ()), page)
            before = digests(out)
            with pytest.raises(EnvironmentFault, match="No space left on device"):
                write_report(out, report(name="other"), lambda path: path.write_bytes(b"x" * 400_000) and None)
            assert digests(out) == before
            assert not (out / ".edittool-report").exists()
            enlarge(disk)
            write_report(out, report(name="other"), page)
            assert files(out) == FILES


def test_names_of_the_manifest_never_leave_the_folder():
    assert not folder_module._OURS.fullmatch("tables/../../x.csv")
    assert not folder_module._OURS.fullmatch("tables/x.csv\n")
