"""What the browser keeps when the network, the page or the server goes away."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import steps
from tests.browser.conftest import ACTION_TIMEOUT_MS, Opener
from tests.browser.people import People
from tests.servers.process import POLL_INTERVAL_S
from tests.support.media import SPEECH

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("a browser"), pytest.mark.slow]


def _prepare(page: Page) -> None:
    page.get_by_test_id("image-input").set_input_files(
        [steps.portrait("林晓.jpg"), steps.portrait("王伟.jpg")]
    )
    page.get_by_test_id("audio-input").set_input_files(SPEECH)
    page.get_by_role("textbox", name="表情与动作").fill("微笑")
    expect(page.get_by_role("button", name="生成 2 个视频")).to_be_enabled()


COUNT_RECORDS = """async () => {
  const known = await indexedDB.databases();
  if (!known.some(({ name }) => name === 'zhiying')) return [-1, ''];
  return await new Promise((resolve) => {
    const open = indexedDB.open('zhiying');
    open.onsuccess = () => {
      const all = open.result.transaction('draft').objectStore('draft').getAll();
      all.onsuccess = () => {
        open.result.close();
        const words = all.result.map(({ prompt }) => prompt ?? '').join('');
        resolve([all.result.length, words]);
      };
    };
  });
}"""


def _wait_until_kept(page: Page, records: int) -> None:
    """Until the browser's own database has so many: one of names and one for each file, or none; and, with
    files, the words that were typed, which are written after them."""
    deadline = time.monotonic() + ACTION_TIMEOUT_MS / 1000
    expected = [records, "微笑" if records > 1 else ""]
    while (found := page.evaluate(COUNT_RECORDS)) != expected:
        assert time.monotonic() < deadline, f"{found} instead of {expected}"
        page.wait_for_timeout(POLL_INTERVAL_S * 1000)


def test_a_draft_outlives_the_page_files_included(open_page: Opener, people: People) -> None:
    creator = people.new(balance=5)
    page = open_page("/new")
    steps.log_in(page, creator)
    _prepare(page)
    _wait_until_kept(page, 4)
    page.reload()
    expect(page.get_by_text("林晓.jpg")).to_be_visible()
    expect(page.get_by_text("王伟.jpg")).to_be_visible()
    expect(page.get_by_text(SPEECH.name)).to_be_visible()
    expect(page.get_by_role("textbox", name="表情与动作")).to_have_value("微笑")
    page.get_by_role("button", name="生成 2 个视频").click()
    expect(page).to_have_url(re.compile(r"/batches/[0-9a-f-]{36}$"))
    _wait_until_kept(page, 1)
    page.goto("/new")
    expect(page.get_by_text("先添加至少一张人像。")).to_be_visible()


def test_nobody_finds_the_draft_of_somebody_else(open_page: Opener, people: People) -> None:
    page = open_page("/new")
    steps.log_in(page, people.new(balance=5))
    _prepare(page)
    _wait_until_kept(page, 4)
    steps.enter(page, people.tokens(people.new(balance=5)), "/new")
    expect(page.get_by_text("先添加至少一张人像。")).to_be_visible()
    _wait_until_kept(page, 0)


def test_a_screen_that_cannot_be_loaded_is_waited_for(open_page: Opener, people: People) -> None:
    page = open_page("/batches")
    steps.log_in(page, people.new(balance=5))
    gone: list[str] = []

    def away(route: Route) -> None:
        gone.append(route.request.url)
        route.abort("connectionrefused")

    page.route("**/*", away)
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="新建批次").click()
    expect(page.get_by_text("网络已断开，恢复后会自动继续")).to_be_visible()
    assert any("create-page" in url for url in gone)
    page.unroute("**/*", away)
    expect(page.get_by_role("heading", level=1, name="新建批次")).to_be_visible()
    expect(page.get_by_text("网络已断开，恢复后会自动继续")).to_have_count(0)
