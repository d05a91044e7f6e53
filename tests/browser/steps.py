"""What a person does on the screens, in the words of the screens."""

import json
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.people import Person
from tests.support.media import image_bytes, small_portrait

SCREENS = (
    "/batches",
    "/new",
    "/credits",
    "/account",
    "/manage/users",
    "/manage/batches",
    "/manage/usage",
    "/manage/audit",
    "/manage/engine",
)
"""Every screen with an address of its own, as an administrator has them."""
RENDER_TIMEOUT_MS = 300_000
"""Until a small batch has been rendered on a busy machine."""


def portrait(name: str) -> FilePayload:
    """A real face under this name, in a picture that is quick to animate."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": small_portrait()}


def faceless(name: str) -> FilePayload:
    """A picture that intake accepts and the engine cannot animate."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": image_bytes(256)}


def log_in(page: Page, person: Person) -> None:
    """Through the login form, in whatever language the page has."""
    page.locator("input[name=username]").fill(person.username)
    page.locator("input[name=password]").fill(person.password)
    page.locator("button[type=submit]").click()
    expect(page.locator("#main")).to_be_visible()


def enter(page: Page, tokens: dict[str, Any], path: str) -> None:
    """With a session made elsewhere, straight to a screen."""
    page.evaluate(
        "([token, refresh]) => { localStorage.token = token; localStorage.refresh_token = refresh }",
        [tokens["token"], tokens["refresh"]],
    )
    page.goto(path)
    expect(page.locator("#main")).to_be_visible()


def settle(page: Page) -> None:
    """Wait until nothing is loading any more."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def card(page: Page, name: str) -> Locator:
    """An item of the open batch."""
    return page.get_by_role("article", name=name)


def balance(page: Page) -> Locator:
    return page.get_by_test_id("balance")


def serious_problems(page: Page, axe_source: str) -> list[str]:
    """What axe finds serious or critical on the page as it is, one line each."""
    page.evaluate(axe_source)
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{page.url} {problem['id']}: {node['target']} {json.dumps(node['any'][:1])[:300]}"
        for problem in found
        if problem["impact"] in {"serious", "critical"}
        for node in problem["nodes"]
    ]
