"""A real Chromium for tests of pages: each page in a context of its own, without a network, and watched.

Chromium is driven through Playwright, whose loop counts as the running one of this thread while it lives: until the
browser is closed, `asyncio.run` refuses to work here. That is why the fixture lasts for one module of tests.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Playwright,
    sync_playwright,
)

from .tiers import refuse_if_pure

SETUP = Path(__file__).resolve().parent.parent / "scripts" / "setup-browser.sh"
PREFIX = "edittool-browser-"  # under /tmp: the path of a Unix socket may not be longer than 108 bytes
REMOVE_SECONDS = 10
TIMEOUT_MS = 20_000  # for each thing that a test waits for
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no name and no address is reached, WebSockets' and preconnects' included
    "--no-first-run",
]
WITHIN_THE_PAGE = ("about:", "blob:", "data:")
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  reportViolation(`${event.effectiveDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`);
}, true);
"""
# What has been queued when this begins has been told when it ends, a violation's event included.
SETTLE = "new Promise((done) => setTimeout(() => setTimeout(done)))"


class Device(NamedTuple):
    """A screen, in CSS pixels."""

    width: int
    height: int
    touch: bool


DESKTOP = Device(1280, 800, touch=False)
PHONE = Device(390, 844, touch=True)


@dataclass
class Visit:
    """An open page, and what it did that a self-contained page without faults never does."""

    page: Page
    address: str
    console: list[str] = field(default_factory=list)  # errors and warnings
    errors: list[str] = field(default_factory=list)  # exceptions that nothing caught, and crashes
    violations: list[str] = field(default_factory=list)  # of the page's content security policy
    requests: list[str] = field(default_factory=list)  # URLs of anything but the page itself
    windows: list[str] = field(default_factory=list)  # dialogs, and further windows

    def faults(self) -> list[str]:
        """Return a line for everything that was noticed until now; none for a fine page."""
        with suppress(Error):  # a page that crashed or was closed has told all
            self.page.evaluate(SETTLE)
        noticed = {
            "console": self.console,
            "error": self.errors,
            "violation": self.violations,
            "request": self.requests,
            "window": self.windows,
        }
        return [f"{kind}: {text}" for kind, texts in noticed.items() for text in texts]

    def watch(self, context: BrowserContext) -> None:
        """Notice what happens in `context` from now on, in frames, workers and further windows too."""
        context.expose_function("reportViolation", lambda text: self.violations.append(text))
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda request: self._on_request(request.url))
        context.on("dialog", self._on_dialog)
        context.on("page", lambda page: self.windows.append(page.url))
        self.page.on("websocket", lambda websocket: self._on_request(websocket.url))
        self.page.on("crash", lambda _: self.errors.append("the page crashed"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("assert", "error", "warning"):
            self.console.append(f"{message.type}: {message.text}")

    def _on_request(self, url: str) -> None:
        if url != self.address and not url.startswith(WITHIN_THE_PAGE):
            self.requests.append(url)

    def _on_dialog(self, dialog: Dialog) -> None:
        self.windows.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()


class OpenPage(Protocol):
    """Open the file `path` in a fresh context, wait until it has loaded and return the visit."""

    def __call__(
        self,
        path: Path,
        device: Device = DESKTOP,
        *,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
    ) -> Visit: ...


class Chromium:
    """The browser at `program`, started when it is needed, and again after a crash; its files are in `home`."""

    def __init__(self, playwright: Playwright, program: Path, home: Path):
        self._playwright, self._program, self._home = playwright, program, home
        self._browser: Browser | None = None

    @contextmanager
    def visits(self) -> Iterator[OpenPage]:
        """Return a function that opens pages; they are closed at the end."""
        with ExitStack() as contexts:

            def open_page(
                path: Path,
                device: Device = DESKTOP,
                *,
                color_scheme: Literal["light", "dark"] = "light",
                reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
            ) -> Visit:
                context = self._start().new_context(
                    viewport={"width": device.width, "height": device.height},
                    has_touch=device.touch,
                    is_mobile=device.touch,
                    color_scheme=color_scheme,
                    reduced_motion=reduced_motion,
                    locale="en-US",
                    timezone_id="UTC",
                    offline=True,
                    service_workers="block",
                )
                contexts.callback(_unless_crashed(context.close))
                context.set_default_timeout(TIMEOUT_MS)
                visit = Visit(context.new_page(), path.resolve().as_uri())
                visit.watch(context)
                visit.page.goto(visit.address)
                return visit

            yield open_page

    def close(self) -> None:
        """End the browser, if it runs."""
        if self._browser is not None:
            _unless_crashed(self._browser.close)()

    def _start(self) -> Browser:
        if self._browser is None or not _answers(self._browser):
            own = {"HOME": str(self._home), "TMPDIR": str(self._home)}
            environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
            self._browser = self._playwright.chromium.launch(
                executable_path=self._program, args=FLAGS, env={**environment, **own}, timeout=TIMEOUT_MS
            )
        return self._browser


@contextmanager
def running_chromium() -> Iterator[Chromium]:
    """Return a browser, of which nothing is left at the end. Skip the test where there is no Chromium."""
    refuse_if_pure("a browser")
    program = find_chromium()
    _remove_abandoned()
    with _home() as home, _driver(home) as playwright:
        chromium = Chromium(playwright, program, home)
        try:
            yield chromium
        finally:
            chromium.close()


def find_chromium() -> Path:
    """Return the program of the Chromium on this machine. Skip the test where there is none."""
    found = subprocess.run([SETUP, "--find"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"no Chromium to open pages in: {found.stderr.strip()}; `make browser` installs one where it can")
    return Path(found.stdout.strip())


@contextmanager
def _home() -> Iterator[Path]:
    """Return a folder for all files of a browser, which is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/tmp"))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove `folder`, into which what a crash of the browser has left may write for a moment more."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


def _remove_abandoned() -> None:
    """Remove the files of browsers of test runs that were killed; their processes have ended by themselves."""
    for folder in Path("/tmp").glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if folder.stat().st_uid == os.getuid() and not Path("/proc", owner).exists():
            _remove(folder)


@contextmanager
def _driver(home: Path) -> Iterator[Playwright]:
    """Return Playwright, whose driver keeps the profiles of browsers in `home`."""
    driver = sync_playwright()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(home))
        playwright = driver.start()
    try:
        yield playwright
    finally:
        playwright.stop()


def _answers(browser: Browser) -> bool:
    """Ask the browser itself: of a crash just now, Playwright may not know."""
    with suppress(Error):
        browser.new_browser_cdp_session().detach()
        return True
    return False


def _unless_crashed(close: Callable[[], None]) -> Callable[[], None]:
    """Return `close` that does nothing where a crash was faster."""

    def close_what_is_there() -> None:
        with suppress(Error):
            close()

    return close_what_is_there
