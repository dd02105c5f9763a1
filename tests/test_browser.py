"""The browser of tests notices whatever a page does wrong, and lets nothing out to the network."""

import base64
import hashlib
import os
import signal
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Error

from .browser import DESKTOP, PHONE, Chromium, Device, OpenPage
from .browser_processes import browsers

SCRIPT = "document.title = 'the script ran'"
DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = f"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src 'sha256-{DIGEST}'\">"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
WHAT_THE_SCREEN_IS = """[
    innerWidth, innerHeight, navigator.maxTouchPoints > 0,
    matchMedia("(prefers-color-scheme: dark)").matches, matchMedia("(prefers-reduced-motion: reduce)").matches,
]"""
KNOCKS = """
<link rel=preconnect href="http://DOOR/">
<img src="http://DOOR/image">
<iframe src="http://DOOR/frame"></iframe>
<script>
  fetch("http://DOOR/fetched").catch(() => 0);
  navigator.sendBeacon("http://DOOR/beacon");
  new WebSocket("ws://DOOR/socket");
</script>
"""
SCHEMES = {"image": "http", "frame": "http", "fetched": "http", "beacon": "http", "socket": "ws"}


def write_page(folder: Path, body: str) -> Path:
    path = folder / "page.html"
    path.write_text(f'<!doctype html><meta name=viewport content="width=device-width"><title>a page</title>{body}')
    return path


@pytest.mark.parametrize(
    "body",
    [
        "<p>text</p>",
        f"{POLICY}<script>{SCRIPT}</script>",
        f"<img src='{PIXEL}'>",
        "<script>console.log('talk'); console.info('talk'); try { missing() } catch {}</script>",
        "<script>new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])))</script>",
    ],
)
def test_a_fine_page_has_no_faults(body: str, open_page: OpenPage, tmp_path: Path) -> None:
    assert open_page(write_page(tmp_path, body)).faults() == []


def test_a_policy_does_not_keep_a_test_from_asking_the_page(open_page: OpenPage, tmp_path: Path) -> None:
    visit = open_page(write_page(tmp_path, f"{POLICY}<script>{SCRIPT}</script>"))
    assert visit.page.evaluate("() => document.title") == "the script ran"
    assert visit.faults() == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>missing()</script>", "error: missing is not defined"),
        ("<script>Promise.reject(new Error('not awaited'))</script>", "error: not awaited"),
        ("<script>setTimeout(() => { throw new Error('later') })</script>", "error: later"),
        ("<script>console.warn('careful')</script>", "console: warning: careful"),
        ("<script>console.error('bad')</script>", "console: error: bad"),
        ("<script>console.assert(false, 'untrue')</script>", "console: assert: untrue"),
        ("<script>alert('injected')</script>", "window: alert: injected"),
        ("<script>open('about:blank')</script>", "window: about:blank"),
        ("<iframe srcdoc='<script>missing()</script>'></iframe>", "error: missing is not defined"),
    ],
)
def test_a_fault_of_a_script_is_noticed(body: str, fault: str, open_page: OpenPage, tmp_path: Path) -> None:
    assert open_page(write_page(tmp_path, body)).faults() == [fault]


def test_a_fault_after_loading_is_noticed(open_page: OpenPage, tmp_path: Path) -> None:
    visit = open_page(write_page(tmp_path, "<button onclick='missing()'>press</button>"))
    assert visit.faults() == []
    visit.page.get_by_role("button").click()
    assert visit.faults() == ["error: missing is not defined"]


@pytest.mark.parametrize(
    ("body", "directive"),
    [
        (f"<script>{SCRIPT} + '?'</script>", "script-src-elem"),
        (f"<img src='{PIXEL}'>", "img-src"),
        ("<p style='color: red'>red</p>", "style-src-attr"),
        ("<button onclick='missing()'>press</button>", "script-src-attr"),
    ],
)
def test_a_violation_of_the_policy_is_noticed(body: str, directive: str, open_page: OpenPage, tmp_path: Path) -> None:
    visit = open_page(write_page(tmp_path, POLICY + body))
    assert any(fault.startswith(f"violation: {directive} forbids ") for fault in visit.faults())
    assert visit.page.title() == "a page"


def test_another_file_is_a_request(open_page: OpenPage, tmp_path: Path) -> None:
    (tmp_path / "other.js").write_text(SCRIPT)
    visit = open_page(write_page(tmp_path, "<script src=other.js></script>"))
    assert visit.faults() == [f"request: {(tmp_path / 'other.js').as_uri()}"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_requests_to_the_network_are_noticed_and_do_not_leave(host: str, open_page: OpenPage, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        door = f"{host}:{server.getsockname()[1]}"
        visit = open_page(write_page(tmp_path, KNOCKS.replace("DOOR", door)))
        visit.page.wait_for_timeout(500)
        noticed = {fault for fault in visit.faults() if fault.startswith("request: ")}
        assert noticed == {f"request: {scheme}://{door}/{path}" for path, scheme in SCHEMES.items()}
        with socket.create_connection(server.getsockname()) as own:
            assert first_visitor(server) == own.getsockname()


def test_a_page_that_goes_elsewhere_is_noticed(open_page: OpenPage, tmp_path: Path) -> None:
    visit = open_page(write_page(tmp_path, "<a href='http://127.0.0.1:9/elsewhere'>elsewhere</a>"))
    visit.page.get_by_role("link").click()
    visit.page.wait_for_url("chrome-error://**")
    assert "request: http://127.0.0.1:9/elsewhere" in visit.faults()


def first_visitor(server: socket.socket) -> object:
    connection, address = server.accept()
    connection.close()
    return address


@pytest.mark.parametrize(
    ("device", "dark", "still"), [(DESKTOP, False, True), (PHONE, True, False), (PHONE, True, True)]
)
def test_a_page_sees_the_screen_that_the_test_asks_for(
    device: Device, dark: bool, still: bool, open_page: OpenPage, tmp_path: Path
) -> None:
    visit = open_page(
        write_page(tmp_path, "<p>text</p>"),
        device,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce" if still else "no-preference",
    )
    assert visit.page.evaluate(WHAT_THE_SCREEN_IS) == [*device, dark, still]


def test_pages_share_nothing(open_page: OpenPage, tmp_path: Path) -> None:
    path = write_page(tmp_path, "<p>text</p>")
    first, second = open_page(path), open_page(path)
    first.page.evaluate("localStorage.setItem('key', 'value')")
    assert second.page.evaluate("localStorage.getItem('key')") is None
    second.page.evaluate("console.error('bad')")
    assert (first.faults(), second.faults()) == ([], ["console: error: bad"])


def test_a_page_that_crashes_is_noticed(open_page: OpenPage, tmp_path: Path) -> None:
    visit = open_page(write_page(tmp_path, "<p>text</p>"))
    with visit.page.expect_event("crash"), pytest.raises(Error, match="crash"):
        visit.page.goto("chrome://crash")
    assert visit.faults() == ["error: the page crashed"]


def test_a_browser_that_is_killed_is_started_again(chromium: Chromium, tmp_path: Path) -> None:
    path = write_page(tmp_path, "<p>text</p>")
    with chromium.visits() as open_page:
        killed = open_page(path)
        [browser] = browsers(os.getpid())
        os.kill(browser, signal.SIGKILL)
        assert open_page(path).faults() == []
        assert killed.page.is_closed()
        assert browsers(os.getpid()) != [browser]
