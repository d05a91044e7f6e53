"""Every screen: no words of the other language, no codes for words, and nothing serious that axe finds."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People
from tests.servers.process import scratch_folder
from tests.support.live import serving
from tests.support.media import short_speech

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("another browser"), pytest.mark.slow]

CODE = re.compile(r"(?<![\w./:-])[a-z]+(?:_[a-z]+)+(?![\w./])")
ENGLISH = re.compile(r"\b(?:[A-Za-z']+[ ,]+){3,}[A-Za-z']+")
"""Four words in a row; names of formats and products are shorter."""
STATES = re.compile(
    r"\b(?:pending|processing|completed|failed|cancelled|partial|true|false|null|undefined)\b"
)
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
SHOWN = """() => {
  const texts = [document.body.innerText];
  for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
      texts.push(element.getAttribute(name) ?? '');
    }
  }
  return texts.join('\\n');
}"""
OWN_NAMES = {"topup_credits", "中文", "智影"}
"""Commands and languages are called so everywhere."""


def foreign(page: Page, language: str) -> list[str]:
    text = page.evaluate(SHOWN)
    patterns = (CODE, ENGLISH, STATES) if language == "zh-CN" else (CODE, CHINESE)
    found = {match[0] for pattern in patterns for match in pattern.finditer(text)}
    return [f"{page.url}: {words}" for words in sorted(found - OWN_NAMES)]


@pytest.fixture(scope="module")
def alone() -> Iterator[People]:
    """The people of an installation in which nobody has given anything a name yet."""
    with scratch_folder("words") as folder, serving(Path(folder) / "data") as platform:
        yield People(platform)


@pytest.mark.parametrize(("theme", "language"), [("light", "zh-CN"), ("dark", "en-US")])
def test_every_screen_speaks_one_language_and_is_accessible(
    browser: Browser, alone: People, axe: str, theme: Literal["light", "dark"], language: str
) -> None:
    people, opener = alone, Opener(browser, alone.origin)
    api = people.api(people.admin)
    speech, face, scenery = short_speech(), steps.portrait("face.jpg"), steps.faceless("scenery.jpg")
    images = {image["name"]: image["buffer"] for image in (face, scenery)}
    batch = api.submit(images, speech, name="Spring")
    api.wait(batch)
    stopped = api.submit({f"{n}.jpg": scenery["buffer"] for n in range(3)}, speech, name="Autumn")
    api.call("POST", f"/api/video/batches/{stopped}/cancel").raise_for_status()

    page = opener("/login", language=language)
    page.emulate_media(color_scheme=theme)
    found = steps.serious_problems(page, axe)
    page.locator("input[name=username]").fill("nobody")
    page.locator("input[name=password]").fill("wrong password")
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += foreign(page, language)
    tokens = people.tokens(people.admin)
    for path in (*steps.SCREENS, "/no-such-page", f"/batches/{stopped}", f"/batches/{batch}"):
        steps.enter(page, tokens, path)
        steps.settle(page)
        found += foreign(page, language) + steps.serious_problems(page, axe)
    page.get_by_role("article", name="face.jpg").get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found += foreign(page, language) + steps.serious_problems(page, axe)

    page.goto("/account")
    steps.settle(page)
    form = page.locator("form").filter(has=page.locator("input[autocomplete=current-password]"))
    form.locator("input[autocomplete=current-password]").fill("wrong")
    for field in form.locator("input[autocomplete=new-password]").all():
        field.fill("12345678")
    form.locator("button[type=submit]").click()
    expect(form.get_by_role("alert")).to_be_visible()
    found += foreign(page, language)
    opener.close()
    assert found == [], "\n".join(found)
