"""What is stored is used again: another batch without an upload."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People
from tests.support.gated_engine import Gate

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("a browser"), pytest.mark.slow]

SMALLEST_TARGET_PX = 44


def _announced(page: Page) -> list[str]:
    """Uploads that the page announces from now on."""
    calls: list[str] = []
    page.on("request", lambda sent: calls.append(sent.url) if "/api/video/uploads" in sent.url else None)
    return calls


def test_a_batch_is_made_again_and_its_draft_survives_a_reload(
    open_page: Opener, people: People, gate: Gate
) -> None:
    creator = people.new(balance=10)
    with gate.closed():
        batch = people.submit(creator, [steps.portrait("林晓.jpg"), steps.portrait("王伟.jpg")])
        page = open_page("/login")
        steps.enter(page, people.tokens(creator), f"/batches/{batch}")
        uploads = _announced(page)
        page.get_by_role("button", name="更多操作").click()
        page.get_by_role("menuitem", name="再做一批").click()
        expect(page).to_have_url(re.compile(r"/new$"))
        tiles = page.get_by_role("region", name="人像图片").get_by_role("listitem")
        expect(tiles).to_have_count(2)
        picture = tiles.first.locator("img")
        page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
        expect(page.get_by_text("来自以前的批次", exact=False).first).to_be_visible()
        page.wait_for_function(  # the draft is written a moment after its last change
            """() => new Promise(resolve => {
              const opening = indexedDB.open('zhiying');
              opening.onsuccess = () => {
                const reading = opening.result.transaction('draft').objectStore('draft').get('draft');
                reading.onsuccess = () => resolve(reading.result?.images?.length === 2);
              };
            })"""
        )
        page.reload()
        expect(tiles).to_have_count(2)
        page.get_by_role("button", name="生成 2 个视频").click()
        expect(page).to_have_url(re.compile(r"/batches/(?!" + batch + r")[0-9a-f-]{36}$"))
        expect(page.get_by_role("article")).to_have_count(2)
        expect(steps.balance(page)).to_have_text("6")
        assert uploads == []


@pytest.mark.parametrize(("theme", "phone"), [("light", False), ("dark", True)])
def test_files_of_earlier_batches_are_chosen(
    open_page: Opener,
    people: People,
    gate: Gate,
    axe: str,
    theme: str,
    phone: bool,
) -> None:
    creator = people.new(balance=10)
    with gate.closed():
        people.submit(creator, [steps.portrait("林晓.jpg"), steps.portrait("王伟.jpg")])
        page = open_page("/login", phone=phone)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        steps.enter(page, people.tokens(creator), "/new")
        page.get_by_role("region", name="人像图片").get_by_role("button", name="从以前的批次选择").click()
        dialog = page.get_by_role("dialog", name="选择以前的人像")
        portrait = dialog.get_by_role("button", name="王伟.jpg")
        portrait.focus()
        page.keyboard.press("Space")
        expect(portrait).to_have_attribute("aria-pressed", "true")
        assert steps.serious_problems(page, axe) == []
        if phone:
            expect(page.get_by_text("把人像拖到这里")).to_have_count(0)
            sizes = [box for button in dialog.get_by_role("button").all() if (box := button.bounding_box())]
            assert [box for box in sizes if box["height"] < SMALLEST_TARGET_PX] == []
        dialog.get_by_role("button", name="添加 1 张").click()
        page.get_by_role("button", name="从以前的批次选择").last.click()
        recordings = page.get_by_role("dialog", name="选择以前的录音")
        recording = recordings.get_by_role("listitem").get_by_role("button")
        expect(recording).to_have_count(1)
        assert steps.serious_problems(page, axe) == []
        recording.click()
        expect(page.get_by_role("button", name="生成 1 个视频")).to_be_enabled()
        assert steps.serious_problems(page, axe) == []
