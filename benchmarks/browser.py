"""What a browser finds in a page: console errors, requests, violations of accessibility rules, overflow.

Chromium is driven by Playwright; the rules are axe-core's. Chromium is the machine's own (`chromium`, `google-chrome`
or the path in CHROMIUM), or the one that `playwright install chromium` fetched.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium: install it (Debian: apt-get install chromium), or run `playwright install chromium`"
PHONE, DESKTOP = 390, 1280  # CSS pixels


class NoBrowserError(Exception):
    """There is no Chromium, or no Playwright to drive it; the text says what to do."""


@dataclass
class Visit:
    """``requests`` are addresses that the page asked for; ``overflow`` is by how many pixels it is too wide."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    overflow: int = 0


class Browser:
    """A headless Chromium."""

    def __init__(self, chromium: Any, axe: Any) -> None:
        """Of Playwright's browser and the rules."""
        self._chromium, self._axe = chromium, axe

    def visit(self, file: Path, scheme: Literal["light", "dark"] = "light", width: int = DESKTOP) -> Visit:
        """Open a page in a colour scheme and a window so many CSS pixels wide, with everything unfolded."""
        found, address = Visit(), file.resolve().as_uri()
        page = self._chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        try:
            page.on("console", lambda message: found.errors.append(message.text))
            page.on("pageerror", lambda error: found.errors.append(str(error)))
            page.on("request", lambda request: found.requests.append(request.url))
            page.goto(address)
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            found.overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            for violation in self._axe.run(page).response["violations"]:
                found.violations += [
                    f"{violation['id']}: {node['html'][:200]}" for node in violation["nodes"]
                ]
        finally:
            page.close()
        found.requests = [url for url in found.requests if url != address and not url.startswith("data:")]
        return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium. Raises `NoBrowserError`."""
    try:
        from axe_playwright_python.sync_playwright import Axe
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise NoBrowserError(f"{error.name} is not installed: run `make setup`") from None
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    # Chromium's own sandbox does not start for root, as whom containers run; the page is ours.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        except Error as error:
            raise NoBrowserError(f"{MISSING} ({error.message.splitlines()[0]})") from None
        try:
            yield Browser(chromium, Axe())
        finally:
            chromium.close()
