"""A link shows finished videos to somebody without an account, until it is revoked."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("a browser"), pytest.mark.slow]


def test_a_link_is_made_watched_without_an_account_and_revoked(
    open_page: Opener,
    people: People,
    axe: str,
) -> None:
    creator = people.new(balance=10)
    batch = people.submit(creator, [steps.portrait("林晓.jpg")])
    page = open_page("/login")
    steps.enter(page, people.tokens(creator), f"/batches/{batch}")
    menu = page.get_by_role("button", name="更多操作")
    expect(page.get_by_role("button", name=re.compile("^播放"))).to_be_visible(
        timeout=steps.RENDER_TIMEOUT_MS
    )
    menu.click()
    page.get_by_role("menuitem", name="分享链接").click()
    dialog = page.get_by_role("dialog", name="分享链接")
    dialog.get_by_role("button", name="生成链接").click()
    link = dialog.get_by_role("textbox", name="链接").input_value()
    assert steps.serious_problems(page, axe) == []

    for phone, theme in ((False, "light"), (True, "dark")):
        guest = open_page(link, phone=phone)
        guest.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        video = guest.locator("video")
        video.evaluate("video => { video.muted = true; return video.play() }")
        guest.wait_for_function("video => video.currentTime > 0.3", arg=video.element_handle())
        assert steps.serious_problems(guest, axe) == []
        assert guest.evaluate("document.documentElement.scrollWidth <= innerWidth")

    dialog.get_by_role("button", name="撤销").click()
    expect(dialog.get_by_role("listitem")).to_have_count(0)
    guest = open_page(link)
    expect(guest.get_by_role("alert")).to_be_visible()
    expect(guest.locator("video")).to_have_count(0)
