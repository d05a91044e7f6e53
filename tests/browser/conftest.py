"""A server on a data folder of its own, a browser, and people who use it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.people import People
from tests.plugins.environment import ROOT, missing
from tests.servers import MissingServerError
from tests.servers.process import find_program, scratch_folder
from tests.support.gated_engine import Gate
from tests.support.live import Platform, serving

BUILT_PAGE = ROOT / "frontend" / "dist" / "index.html"

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # A microphone that hears a beep every second, and nobody to ask for it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
ACTION_TIMEOUT_MS = 60_000
"""How long the browser waits for what a step needs or a test expects; generous, because the machine also
renders, and longer than the application's slowest polling."""


@pytest.fixture(scope="package")
def gate() -> Iterator[Gate]:
    """Before the engine; open unless a test closes it."""
    with scratch_folder("gate") as folder:
        yield Gate(folder / "closed")


@pytest.fixture(scope="package")
def platform(gate: Gate) -> Iterator[Platform]:
    """`manage.py serve` on an empty data folder, with the real engine."""
    if not BUILT_PAGE.is_file():
        missing("the front end is not built (`make frontend`)")
    with scratch_folder("browser") as folder, serving(folder / "data", **gate.variables) as started:
        yield started


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Closed with the last browser test: its event loop must not run during Django's other tests."""
    expect.set_options(timeout=ACTION_TIMEOUT_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    try:
        program = find_program("chromium", "chromium-browser", "google-chrome")
    except MissingServerError as error:
        missing(error)
    started = playwright.chromium.launch(executable_path=program, args=list(BROWSER_FLAGS))
    yield started
    started.close()


@pytest.fixture(scope="package")
def people(platform: Platform) -> People:
    """The administrator, and whoever they create."""
    return People(platform)


@pytest.fixture(scope="package")
def axe() -> str:
    """axe-core's source; evaluated rather than loaded, since the page allows only its own scripts."""
    if not AXE.is_file():
        missing("axe-core is not installed (`npm ci` in frontend/)")
    return AXE.read_text()


@pytest.fixture
def open_page(browser: Browser, platform: Platform) -> Iterator["Opener"]:
    """Opens pages in contexts of their own; the test fails if one of them broke on the way."""
    opener = Opener(browser, platform.origin)
    yield opener
    opener.close()
    assert opener.problems == []


class Opener:
    """Makes pages that report what goes wrong in them."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser = browser
        self._origin = origin
        self._pages: list[Page] = []
        self.problems: list[str] = []

    def __call__(self, path: str = "/", *, language: str = "zh-CN", phone: bool = False) -> Page:
        context = self._browser.new_context(
            base_url=self._origin,
            locale=language,
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
            is_mobile=phone,
            has_touch=phone,
            reduced_motion="reduce",
        )
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        # A blocked script or style is a broken Content-Security-Policy, not a matter of taste.
        page.on(
            "console",
            lambda message: (
                self.problems.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto(path)
        self._pages.append(page)
        return page

    def close(self) -> None:
        for page in self._pages:
            page.context.close()
