import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.whole_files import (
    NOTE,
    aside,
    in_folder,
    lock,
    make_folder,
    remove_leftovers,
    replace_file,
    unlock,
    unwritable,
    write_faults,
)

from ..disks import small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "file.jsonl"


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process of its own, with `path` in it."""
    imports = (
        "import os, signal, sys, pathlib; from edittool.schemas.whole_files import *; path = pathlib.Path(sys.argv[1])"
    )
    return subprocess.run([sys.executable, "-c", f"{imports}\n{code}", path], capture_output=True, text=True)


def names(path: Path) -> list[str]:
    return sorted(os.listdir(path.parent))


class TestReplaceFile:
    def test_writes_text_as_it_is(self, path):
        replace_file(path, ["a\n", "", "b\r\n", "c"])
        assert path.read_bytes() == b"a\nb\r\nc"
        assert names(path) == [path.name]

    def test_a_failure_in_the_middle_keeps_the_old_file(self, path):
        def broken() -> Iterator[str]:
            yield "new" * 100_000
            raise RuntimeError("in the middle")

        path.write_text("old")
        with pytest.raises(RuntimeError, match="in the middle"):
            replace_file(path, broken())
        with pytest.raises(UnicodeEncodeError):
            replace_file(path, ["new", "é"])
        assert path.read_text() == "old"
        assert names(path) == [path.name]

    def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(self, path):
        def parts() -> Iterator[str]:
            yield "n" * 1_000_000
            assert path.read_text() == "old"

        path.write_text("old")
        with path.open() as before:
            replace_file(path, parts())
            assert before.read() == "old"
        assert path.read_text() == "n" * 1_000_000

    def test_the_data_is_on_the_disk_before_the_file_takes_its_place(self, path, monkeypatch):
        events = []
        fsync, replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", lambda fd: events.append(("sync", os.fstat(fd).st_ino)) or fsync(fd))
        monkeypatch.setattr(os, "replace", lambda a, b: events.append(("replace", os.stat(a).st_ino)) or replace(a, b))
        replace_file(path, ["new"])
        assert events == [("sync", path.stat().st_ino), ("replace", path.stat().st_ino)]


class TestRefusals:
    def refuse(self, path: Path) -> str:
        with pytest.raises(EnvironmentFault) as caught:
            replace_file(path, ["new"])
        return str(caught.value)

    def test_a_missing_folder(self, path):
        wanted = "Free some space, check the permissions, or choose another place."
        assert self.refuse(path / "x") == f"{path / 'x'} cannot be written: No such file or directory. {wanted}"

    def test_what_is_no_file_is_not_replaced(self, path, subtests):
        """All of them behind links of our own, and a pipe of our own: what a failure replaces is in `tmp_path`."""
        pipe, folder, filled, other = (path.with_name(name) for name in ("pipe", "folder", "filled", "other"))
        os.mkfifo(pipe)
        folder.mkdir()
        (filled / "mine").mkdir(parents=True)
        with other.open("w") as opened:
            cases = [
                (pipe, "a pipe"),
                (folder, "a folder"),
                (filled, "a folder"),
                *[(path.with_name(f"to {to.name}"), "a pipe" if to == pipe else "a folder") for to in (pipe, folder)],
                (path.with_name("to a device"), "a device"),
                (path.with_name("to stdout"), "one that a process has open"),
            ]
            targets = (pipe, folder, Path(os.devnull), Path(f"/proc/{os.getpid()}/fd/{opened.fileno()}"))
            for (place, _), target in zip(cases[3:], targets, strict=True):
                place.symlink_to(target)
            before = names(path)
            for place, kind in cases:
                with subtests.test(place.name):
                    with pytest.raises(InputError) as caught:
                        replace_file(place, ["new"])
                    assert str(caught.value) == f"{place} is no ordinary file but {kind}; choose a file."
            assert names(path) == before
            assert all(place.is_symlink() for place, _ in cases[3:])

    def test_a_file_in_place_of_the_folder(self, path):
        path.write_text("mine")
        assert "cannot be written: Not a directory." in self.refuse(path / "x")

    def test_a_place_where_nobody_can_write(self):
        assert "/proc/x cannot be written: " in self.refuse(Path("/proc/x"))

    def test_a_folder_without_permission(self, path):
        path.write_text("old")
        for folder in (path.parent, *path.parent.parents[:-2]):
            folder.chmod(0o555 if folder == path.parent else 0o755)
        drop = "os.setgid(65534); os.setuid(65534)" if os.getuid() == 0 else ""  # root may write everywhere
        done = run(f"{drop}\nreplace_file(path, ['new'])", path)
        assert f"{path} cannot be written: Permission denied." in done.stderr
        assert path.read_text() == "old"

    @pytest.mark.root
    def test_a_full_disk(self, tmp_path):
        with small_disk(tmp_path / "disk", 64 * 1024) as disk:
            replace_file(disk / "x", ["old"])
            with pytest.raises(EnvironmentFault, match=r"disk/x cannot be written: No space left on device\."):
                replace_file(disk / "x", ["n" * 200_000])
            assert (disk / "x").read_text() == "old"
            assert os.listdir(disk) == ["x"]

    @pytest.mark.root
    def test_a_disk_without_room_for_another_name(self, tmp_path):
        with small_disk(tmp_path / "disk", 64 * 1024) as disk:
            for inodes in range(2, 8):  # the disk's own, the old file's, then one after the other of what is beside it
                (disk / "x").write_text("old")
                subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes}", disk], check=True)
                if inodes < 5:
                    assert "No space left on device" in self.refuse(disk / "x")
                else:
                    replace_file(disk / "x", ["new"])
                assert (disk / "x").read_text() == ("old" if inodes < 5 else "new")
                assert os.listdir(disk) == ["x"]


class TestLinks:
    @pytest.fixture
    def precious(self, tmp_path: Path) -> Path:
        precious = tmp_path / "precious"
        precious.write_text("mine")
        return precious

    @pytest.mark.parametrize("there", [True, False])
    def test_a_link_at_the_target_is_replaced_and_not_followed(self, path, precious, there):
        if not there:
            precious.unlink()
        path.symlink_to(precious)
        replace_file(path, ["new"])
        assert not path.is_symlink()
        assert path.read_text() == "new"
        assert precious.read_text() == "mine" if there else not precious.exists()

    def test_links_at_names_that_can_be_guessed_are_let_be(self, path, precious):
        guesses = [f".{path.name}.partial", f".{path.name}-{os.getpid()}", f"{path.name}.tmp", f".{path.name}.part"]
        for guess in guesses:
            path.with_name(guess).symlink_to(precious)
        replace_file(path, ["new"])
        assert path.read_text() == "new"
        assert precious.read_text() == "mine"
        assert names(path) == sorted([path.name, *guesses])

    def test_what_is_planted_as_a_leftover_leads_nowhere(self, path, precious):
        folder = precious.with_name("folder of mine")
        folder.mkdir()
        (folder / "held").touch()
        path.with_name(f".{path.name}.aaaaaaaa.partial").symlink_to(folder)
        for letter in "bcd":
            path.with_name(f".{path.name}.{letter * 8}.partial").mkdir()
        path.with_name(f".{path.name}.bbbbbbbb.partial").joinpath("held").symlink_to(precious)
        os.mkfifo(path.with_name(f".{path.name}.cccccccc.partial") / "held")
        path.with_name(f".{path.name}.dddddddd.partial").joinpath("held").mkdir()
        replace_file(path, ["new"])
        assert path.read_text() == "new"
        assert precious.read_text() == "mine"
        assert os.listdir(folder) == ["held"]

    def test_a_link_in_the_hidden_folder_is_not_followed_when_that_is_removed(self, path, precious):
        with aside(path) as temporary:
            temporary.with_name("link").symlink_to(precious.parent)
            temporary.touch()
        assert precious.read_text() == "mine"
        assert names(path) == [path.name]

    def test_nobody_else_may_enter_the_hidden_folder(self, path):
        hidden = set()
        for _ in range(20):
            with aside(path) as temporary:
                assert stat.S_IMODE(temporary.parent.stat().st_mode) == 0o700
                assert temporary.parent.parent == path.parent
                hidden.add(temporary.parent.name)
                temporary.touch()
        assert len(hidden) == 20


KILLED = """
def parts():
    yield "new" * 100_000
    os.kill(os.getpid(), signal.SIGKILL)
replace_file(path, parts())
"""


class TestKills:
    def test_a_kill_in_the_middle_leaves_the_old_file_and_the_next_write_clears_up(self, path):
        path.write_text("old")
        assert run(KILLED, path).returncode == -signal.SIGKILL
        assert path.read_text() == "old"
        (left,) = set(names(path)) - {path.name}
        replace_file(path.with_name("other"), ["of another file"])
        assert left in names(path)
        replace_file(path, ["new"])
        assert path.read_text() == "new"
        assert names(path) == [path.name, "other"]

    def test_leftovers_can_be_removed_without_writing(self, path):
        assert run(KILLED, path).returncode == -signal.SIGKILL
        remove_leftovers(path)
        remove_leftovers(path / "missing" / "folder")
        assert names(path) == []

    def test_a_writer_at_work_is_let_be(self, path):
        with aside(path) as temporary:
            temporary.write_text("slow")
            assert run("replace_file(path, ['fast'])", path).returncode == 0
            assert path.read_text() == "fast"
            assert temporary.exists()
        assert path.read_text() == "slow"
        assert names(path) == [path.name]

    @pytest.mark.parametrize("moment", ["between", "before"])
    def test_a_folder_that_is_cleared_away_before_it_is_locked_is_made_again(self, path, monkeypatch, moment):
        flock, cleared = fcntl.flock, []

        def late(file, operation):
            if not cleared:
                cleared.append(True)
                if moment == "between":  # the other process has the lock, and removes the folder yet
                    raise BlockingIOError
                remove_leftovers(path)
            flock(file, operation)

        monkeypatch.setattr(fcntl, "flock", late)
        replace_file(path, ["new"])
        assert path.read_text() == "new"
        assert names(path) == [path.name]

    def test_a_disk_without_locks_will_do(self, path, monkeypatch):
        def refused(file, operation):
            raise OSError(38, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", refused)
        with aside(path) as temporary:
            remove_leftovers(path)
            temporary.write_text("new")
        assert path.read_text() == "new"

    def test_concurrent_writers_leave_one_whole_file(self, path):
        code = "for n in range(60): replace_file(path, [f'{os.getpid()}\\n'] * 5_000)"
        writers = [threading.Thread(target=lambda: ended.append(run(code, path))) for _ in range(4)]
        ended: list[subprocess.CompletedProcess[str]] = []
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            if path.exists():
                lines = path.read_text().splitlines()
                assert (len(lines), len(set(lines))) == (5_000, 1)
        assert [(one.returncode, one.stderr) for one in ended] == [(0, "")] * 4
        assert names(path) == [path.name]


@pytest.mark.usefixtures("umask")
class TestModes:
    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    def test_a_file_gets_that_of_any_new_file(self, path):
        replace_file(path, ["x"])
        assert self.mode(path) == 0o640

    def test_whatever_the_old_file_had(self, path):
        path.touch(0o600)
        replace_file(path, ["x"])
        assert self.mode(path) == 0o640

    def test_whatever_a_library_gives_it(self, path):
        with aside(path) as temporary:
            os.close(os.open(temporary, os.O_CREAT, 0o600))
        assert self.mode(path) == 0o640

    def test_one_that_is_asked_for(self, path):
        with aside(path, mode=0o644) as temporary:
            temporary.touch()
        assert self.mode(path) == 0o644

    def test_files_of_a_folder_too(self, path):
        with aside(path) as temporary:
            (temporary / "deep").mkdir(parents=True)
            for name in ("a", "deep/b"):
                (temporary / name).touch(0o600)
        assert [self.mode(path / name) for name in (".", "a", "deep", "deep/b")] == [0o750, 0o640, 0o750, 0o640]


class TestFolders:
    def test_appear_whole(self, path):
        with aside(path) as temporary:
            temporary.mkdir()
            (temporary / "x").write_text("new")
            assert not path.exists()
        assert (path / "x").read_text() == "new"
        assert names(path) == [path.name]

    def test_take_the_place_of_an_empty_folder_alone(self, path):
        def write(name: str) -> None:
            with write_faults(path), aside(path) as temporary:
                temporary.mkdir()
                (temporary / name).touch()

        path.mkdir()
        write("first")
        with pytest.raises(EnvironmentFault, match="cannot be written: Directory not empty"):
            write("second")
        assert os.listdir(path) == ["first"]
        assert names(path) == [path.name]

    def test_are_made_where_they_are_missing(self, path):
        for _ in range(2):
            make_folder(path / "a" / "b", "a thing")
        assert (path / "a" / "b").is_dir()

    def test_a_file_in_the_way_is_named(self, path):
        path.write_text("mine")
        for folder in (path, path / "a", path / "a" / "b"):
            with pytest.raises(InputError) as caught:
                make_folder(folder, "a thing")
            assert str(caught.value) == f"{path} is a file; a thing is a folder. Choose another name."

    def test_a_place_where_none_can_be_made(self):
        with pytest.raises(EnvironmentFault, match="/proc/a/b cannot be written: No such file or directory"):
            make_folder(Path("/proc/a/b"), "a thing")

    def test_that_were_made_for_nothing_go_again(self, path):
        path.mkdir()
        folder = path / "a" / "b"
        for broken in (InputError("no"), KeyboardInterrupt()):
            with pytest.raises(type(broken)), in_folder(folder, "a thing"):
                raise broken
            assert names(folder.parent) == []
        with pytest.raises(FileExistsError), in_folder(folder, "a thing"):
            os.makedirs(folder.with_name("mine") / ".." / "b")
        assert names(folder) == ["mine"]
        with in_folder(folder, "a thing"):
            pass
        assert folder.is_dir()


class TestWording:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [(OSError(28, "No space left on device", "x"), "No space left on device"), (OSError("odd."), "odd")],
    )
    def test_is_the_same_for_every_error(self, error, reason):
        wanted = (
            f"The report cannot be written: {reason}. Free some space, check the permissions, or choose another place."
        )
        assert str(unwritable("The report", error)) == wanted
        assert str(unwritable("The report", error, "Nothing was kept.")) == f"{wanted} Nothing was kept."

    def test_of_a_library_s_own_errors(self):
        with (
            pytest.raises(EnvironmentFault, match=r"^x cannot be written: its own\. Free"),
            write_faults("x", LookupError),
        ):
            raise LookupError("its own.")
        with pytest.raises(ValueError, match="no fault of a disk"), write_faults("x", LookupError):
            raise ValueError("no fault of a disk")


class TestLock:
    @pytest.mark.parametrize("kind", ["file", "folder"])
    def test_names_its_holder_to_others_and_is_free_again(self, path, kind):
        place = path if kind == "file" else path.parent
        path.touch()
        first, second = (os.open(place, os.O_RDONLY) for _ in range(2))
        try:
            lock(first, place)
            with pytest.raises(InputError) as caught:
                lock(second, place, "Wait.")
            assert str(caught.value).startswith(
                f"{place} is being written by another edittool (process {os.getpid()} on"
            )
            assert str(caught.value).endswith("). Wait.")
            unlock(first)
            assert NOTE not in os.listxattr(place)
            lock(second, place)
            unlock(second)
        finally:
            os.close(first)
            os.close(second)
