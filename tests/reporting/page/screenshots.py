"""Screenshots of a report's page: python -m tests.reporting.page.screenshots REPORT.html OUTDIR."""

import argparse
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import DESKTOP, PHONE, TIMEOUT_MS, running_chromium

MOST_BYTES = 300_000

# Name, screen, colours, what stands at its top, and whether a sample is opened.
SHOTS = (
    ("overview-desktop", DESKTOP, "light", "overview"),
    ("samples-desktop", DESKTOP, "light", "sample"),
    ("rq-desktop", DESKTOP, "light", "rq2"),
    ("overview-phone", PHONE, "light", "overview"),
    ("samples-phone", PHONE, "light", "samples"),
    ("dark-desktop", DESKTOP, "dark", "rq3"),
)


def main() -> None:
    """Write a PNG for each of SHOTS."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with running_chromium() as chromium, chromium.visits() as open_page:
        for name, device, scheme, place in SHOTS:
            visit = open_page(arguments.report, device, color_scheme=scheme, reduced_motion="reduce")
            go_to(visit.page, place)
            path = arguments.folder / f"{name}.png"
            visit.page.screenshot(path=path)
            assert visit.faults() == [], visit.faults()
            assert path.stat().st_size < MOST_BYTES, f"{path} has {path.stat().st_size} bytes"


def go_to(page: Page, place: str) -> None:
    """Show the section `place`, its first plots drawn; "sample" is a sample that failed, opened."""
    expect(page.locator("#count")).to_have_text(re.compile("sample"), timeout=TIMEOUT_MS)
    if place == "sample":
        page.evaluate("location.hash = 'samples?label=misuse&outcome=partial&outcome=failed'")
        page.locator("#list .sample").first.click()
        expect(page.locator("#sample .programs")).to_be_visible()
        return
    page.locator(f"#{place}").evaluate("section => section.scrollIntoView()")
    for plot in page.locator(f"#{place} .plot").all()[:2]:
        expect(plot).to_have_class(re.compile("drawn"), timeout=TIMEOUT_MS)
    page.locator(f"#{place}").evaluate("section => section.scrollIntoView()")


if __name__ == "__main__":
    main()
