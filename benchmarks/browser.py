"""What a browser finds in a page: console errors, requests, violations of accessibility rules, overflow, cut text.

Chromium is driven by Playwright; the rules are axe-core's. Chromium is the machine's own (`chromium`, `google-chrome`
or the path in CHROMIUM), or the one that `playwright install chromium` fetched.
"""

import base64
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "no Chromium: install it (Debian: apt-get install chromium), run `.venv/bin/playwright install chromium`, or name "
    "its path in CHROMIUM"
)
# Chromium alone on this machine, with no word to anybody; its own sandbox does not start for root, as whom containers
# run. The pages are ours.
_OPTIONS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE, DESKTOP = 390, 1280  # CSS pixels


# Fonts of other people's machines, which matplotlib carries: a narrow one, a wide one, and one of equally wide letters.
FONTS = ("STIXGeneral", "DejaVuSans", "DejaVuSansMono")
Scheme = Literal["light", "dark"]


class NoBrowserError(Exception):
    """There is no Chromium, or no Playwright to drive it; the text says what to do."""


@dataclass
class Visit:
    """What was found in one page.

    ``requests`` are addresses that the page asked for; ``overflow`` is by how many pixels it is too wide; ``cut`` are
    the texts of its charts that reach over the chart's edge or over another text; ``texts`` is how many were looked at.
    """

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    overflow: int = 0
    cut: list[str] = field(default_factory=list)
    texts: int = 0


# Every line of text in every chart as it is drawn: its box must lie within the chart's, and meet no other text's.
# A font's box has room above and below its letters: what must not meet are the squares of the text's size.
_CUT = """() => {
  const found = {texts: 0, cut: []}
  for (const chart of document.querySelectorAll('svg')) {
    const frame = chart.getBoundingClientRect(), scale = frame.width / chart.viewBox.baseVal.width
    const title = chart.closest('figure')?.querySelector('figcaption')?.textContent ?? ''
    const lines = [...chart.querySelectorAll('text:not(:has(tspan)), tspan')].filter(line => line.textContent.trim())
    const boxes = lines.map(line => {
      const box = line.getBoundingClientRect()
      const upright = line.closest('[transform*=rotate]') === null
      const size = scale * parseFloat(getComputedStyle(line).fontSize)
      const across = upright ? 0 : Math.max(0, box.width - size) / 2
      const down = upright ? Math.max(0, box.height - size) / 2 : 0
      return {text: line.textContent, box, left: box.left + across, right: box.right - across, top: box.top + down,
        bottom: box.bottom - down}
    })
    for (const {text, box} of boxes) {
      found.texts += 1
      const aside = Math.max(frame.left - box.left, box.right - frame.right)
      const over = Math.max(aside, frame.top - box.top, box.bottom - frame.bottom)
      if (!(box.width > 0) || over > 0.5 || frame.right > window.innerWidth) found.cut.push(`${title}: ${text}`)
    }
    boxes.forEach((one, place) => {
      for (const other of boxes.slice(place + 1)) {
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left)
        const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
        if (across > 0.5 && down > 0.5) found.cut.push(`${title}: ${one.text} | ${other.text}`)
      }
    })
  }
  return found
}"""


class Browser:
    """A headless Chromium."""

    def __init__(self, chromium: Any, axe: Any) -> None:
        """Of Playwright's browser and the rules."""
        self._chromium, self._axe = chromium, axe

    def visit(self, file: Path, scheme: Scheme = "light", width: int = DESKTOP) -> Visit:
        """Open a page in a colour scheme and a window so many CSS pixels wide, with everything unfolded."""
        found, address = Visit(), file.resolve().as_uri()
        page = self._page(scheme, width)
        try:
            page.on("console", lambda message: found.errors.append(message.text))
            page.on("pageerror", lambda error: found.errors.append(str(error)))
            page.on("request", lambda request: found.requests.append(request.url))
            _open(page, address)
            found.texts, found.cut = page.evaluate(_CUT).values()
            found.overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            for violation in self._axe.run(page).response["violations"]:
                found.violations += [
                    f"{violation['id']}: {node['html'][:200]}" for node in violation["nodes"]
                ]
        finally:
            page.close()
        found.requests = [url for url in found.requests if url != address and not url.startswith("data:")]
        return found

    def cut(
        self, file: Path, fonts: Iterable[Path], scheme: Scheme = "light", width: int = DESKTOP
    ) -> list[Visit]:
        """Only the texts of a page's charts, where everything is set in the font of a file: of each of ``fonts``."""
        page = self._page(scheme, width, bypass_csp=True)  # the page itself allows no font
        try:
            _open(page, file.resolve().as_uri())
            return [_set(page, font, f"theirs{number}") for number, font in enumerate(fonts)]
        finally:
            page.close()

    def _page(self, scheme: Scheme, width: int, **options: Any) -> Any:
        size = {"width": width, "height": 900}
        return self._chromium.new_page(viewport=size, color_scheme=scheme, **options)


def _set(page: Any, font: Path, name: str) -> Visit:
    """The texts of an open page, once it is set in a font, under a name that no other one has had there."""
    data = base64.b64encode(font.read_bytes()).decode()
    page.add_style_tag(content=f"@font-face {{ font-family: {name}; src: url(data:font/ttf;base64,{data}) }}")
    page.add_style_tag(content=f"* {{ font-family: {name} !important }}")
    page.evaluate(f"document.fonts.load('11px {name}')")
    if not page.evaluate("[...document.fonts].every(font => font.status === 'loaded')"):
        raise ValueError(f"{font}: Chromium cannot read this font")
    texts, cut = page.evaluate(_CUT).values()
    return Visit(texts=texts, cut=cut)


def _open(page: Any, address: str) -> None:
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def chromium_path() -> str | None:
    """The machine's own Chromium, or the one that Playwright fetched; none where there is neither."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def font_file(name: str) -> Path:
    """The file of one of `FONTS`."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium. Raises `NoBrowserError`."""
    try:
        from axe_playwright_python.sync_playwright import Axe
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise NoBrowserError(f"{error.name} is not installed: run `make setup`") from None
    path = chromium_path()
    if path is None:
        raise NoBrowserError(MISSING)
    arguments = [*_OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=path, args=arguments
            )  # its data are in a fresh folder
        except Error as error:
            raise NoBrowserError(f"{path} does not start: {error.message.splitlines()[0]}") from None
        try:
            yield Browser(chromium, Axe())
        finally:
            chromium.close()
