"""scripts/setup-browser.sh finds a Chromium that can open pages, installs one where it can, and never fails.

The script runs with a PATH of the test's own: real tools, and an apt and browsers that only write down what they did.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .browser import SETUP, find_chromium
from .conftest import REPOSITORY

NOBODY = 65534
TOOLS = ("bash", "find", "grep", "readlink")
REAL = "Package: chromium\nDepends: libc6\n"
SNAP = "Package: chromium\nPre-Depends: debconf, snapd\nDescription: Transitional package\n"
APT_CACHE = """#!/bin/bash
printf '%s' "$(<{folder}/known)"
"""
APT_GET = """#!/bin/bash
printf '%s\\n' "$*" >>{folder}/calls
case " $* " in
  *" update "*) [[ ! -e {folder}/offered ]] || printf '%s' "$(<{folder}/offered)" >{folder}/known ;;
  *" install "*) {install} ;;
esac
"""
ARRIVES = "printf '#!/bin/bash\\n' >{folder}/bin/chromium && /bin/chmod +x {folder}/bin/chromium"

only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may install, or become another user")


@dataclass
class Machine:
    """What the script sees: the programs in bin/ alone, and a home."""

    folder: Path

    def add(self, name: str, text: str = "#!/bin/bash\n") -> Path:
        program = self.folder / "bin" / name
        program.write_text(text)
        program.chmod(0o755)
        return program

    def add_apt(self, known: str, *, offered: str | None = None, install: str = ARRIVES) -> None:
        """Give it apt, which knows `known` of chromium, and `offered` once its lists are renewed."""
        (self.folder / "known").write_text(known)
        if offered is not None:
            (self.folder / "offered").write_text(offered)
        self.add("apt-cache", APT_CACHE.format(folder=self.folder))
        self.add("apt-get", APT_GET.format(folder=self.folder, install=install.format(folder=self.folder)))

    def run(self, *arguments: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder / "home")}
        command = [str(self.folder / "source/scripts" / SETUP.name), *arguments]
        return subprocess.run(
            command, env=environment, user=user, capture_output=True, text=True, check=False, timeout=60
        )

    def find(self) -> str:
        """Return the program that the script finds, or why it finds none."""
        found = self.run("--find")
        assert (found.returncode, bool(found.stdout), bool(found.stderr)) in ((0, True, False), (1, False, True))
        return (found.stdout or found.stderr).strip()

    def set_up(self, user: int | None = None) -> str:
        """Return what the script says; it never fails and prints no result."""
        done = self.run(user=user)
        assert (done.returncode, done.stdout) == (0, "")
        return done.stderr

    def calls(self) -> list[str]:
        """Return the arguments of each call of apt-get."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)  # other users run the script too
        for part in ("bin", "home", "source/scripts"):
            (folder / part).mkdir(parents=True)
        shutil.copy(SETUP, folder / "source/scripts")
        for tool in TOOLS:
            (folder / "bin" / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool} on this machine"))
        yield Machine(folder)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_a_browser_on_the_path_is_found_and_nothing_is_done(name: str, machine: Machine) -> None:
    program = machine.add(name)
    machine.add_apt(REAL)
    assert machine.find() == str(program)
    assert machine.set_up() == ""
    assert machine.calls() == []


def test_chromium_goes_before_chrome(machine: Machine) -> None:
    machine.add("google-chrome")
    chromium = machine.add("chromium")
    assert machine.find() == str(chromium)


def test_a_browser_that_playwright_downloaded_is_found(machine: Machine) -> None:
    program = machine.folder / "home/.cache/ms-playwright/chromium-1234/chrome-linux64/chrome"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    assert machine.find() == str(program)
    assert machine.set_up() == ""


def test_without_a_browser_the_search_says_so(machine: Machine) -> None:
    assert machine.find() == "no chromium chromium-browser google-chrome google-chrome-stable on PATH"


def test_a_script_that_starts_a_snap_is_no_browser(machine: Machine) -> None:
    script = machine.add("chromium-browser", '#!/bin/sh\nexec /snap/bin/chromium "$@"\n')
    assert machine.find() == f"{script} is a snap, which cannot open the pages that tests write to /tmp"
    chrome = machine.add("google-chrome")
    assert machine.find() == str(chrome)


def test_a_link_to_snapd_is_no_browser(machine: Machine) -> None:
    machine.add("snap")
    (machine.folder / "bin" / "chromium").symlink_to("snap")
    assert "is a snap" in machine.find()


@only_root
def test_root_installs_the_package_once(machine: Machine) -> None:
    machine.add_apt(REAL)
    said = machine.set_up()
    assert said.startswith("setup-browser: installing chromium")
    assert len(said.splitlines()) == 1
    [call] = machine.calls()
    assert "install --yes --no-install-recommends chromium" in call
    assert machine.set_up() == ""
    assert machine.calls() == [call]


@only_root
def test_a_font_is_installed_where_there_is_none(machine: Machine) -> None:
    machine.add_apt(REAL)
    machine.folder.joinpath("bin", "find").unlink()
    machine.add("find")  # no font anywhere
    machine.set_up()
    assert machine.calls()[0].endswith(" chromium fonts-dejavu-core")


@only_root
def test_no_font_is_installed_where_there_is_one(machine: Machine) -> None:
    machine.add_apt(REAL)
    (machine.folder / "home/.fonts").mkdir()
    (machine.folder / "home/.fonts/own.ttf").touch()
    machine.set_up()
    assert machine.calls()[0].endswith(" chromium")


@only_root
def test_lists_without_the_package_are_renewed_first(machine: Machine) -> None:
    machine.add_apt("", offered=REAL)
    machine.set_up()
    update, install = machine.calls()
    assert update.endswith("update")
    assert "install" in install


@only_root
@pytest.mark.parametrize("known", [SNAP, ""])
def test_a_snap_is_not_installed_and_other_ways_are_told(known: str, machine: Machine) -> None:
    machine.add_apt(known)
    said = machine.set_up()
    assert "tests of the report's page will be skipped" in said
    assert f"{machine.folder}/source/.venv/bin/playwright install --with-deps chromium" in said
    assert not any("install" in call for call in machine.calls())


@only_root
def test_a_failing_apt_is_told_with_the_command(machine: Machine) -> None:
    machine.add_apt(REAL, install="echo 'E: no space left' >&2; exit 100")
    said = machine.set_up()
    assert "E: no space left" in said
    assert "tests of the report's page will be skipped" in said
    assert "apt-get install --no-install-recommends chromium" in said


@only_root
@pytest.mark.parametrize("known", [REAL, ""])
def test_other_users_are_told_the_command(known: str, machine: Machine) -> None:
    machine.add_apt(known)
    said = machine.set_up(user=NOBODY)
    assert "tests of the report's page will be skipped: no chromium" in said
    assert "  sudo apt-get install --no-install-recommends chromium" in said
    assert machine.calls() == []


@only_root
def test_other_users_are_not_told_to_install_a_snap(machine: Machine) -> None:
    machine.add_apt(SNAP)
    said = machine.set_up(user=NOBODY)
    assert "apt-get" not in said
    assert "playwright install" in said


def test_a_system_without_apt_is_told_other_ways(machine: Machine) -> None:
    assert "a Chromium or Google Chrome of your own on PATH, not a snap" in machine.set_up()


def test_an_unknown_argument_is_refused(machine: Machine) -> None:
    refused = machine.run("--install")
    assert refused.returncode == 2
    assert "usage" in refused.stderr


def test_a_missing_browser_skips_a_test_with_the_reason(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine.folder / "bin"))
    monkeypatch.setenv("HOME", str(machine.folder / "home"))
    with pytest.raises(pytest.skip.Exception, match=r"no Chromium to open pages in: no chromium .* on PATH; `make"):
        find_chromium()


def test_make_test_sets_the_browser_up() -> None:
    planned = subprocess.run(["make", "--dry-run", "test"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "scripts/setup-browser.sh\n" in planned.stdout
