"""Every screen at both widths: nothing jumps while it loads, nothing overhangs, and fingers can reach it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People, Person
from tests.support.gated_engine import Gate
from tests.support.media import SPEECH

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("a browser"), pytest.mark.slow]

LARGEST_SHIFT = 0.02
SMALLEST_TARGET_PX = 44
LONG_NAME = "W" * 116 + ".jpg"
LONG_CHINESE_NAME = "很长的人像文件名" * 14 + ".jpg"
LONG_BATCH_NAME = "批次名称很长" * 20

WATCH_SHIFTS = """
window.shifted = 0;
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifted += entry.value;
    window.shifts.push(...entry.sources.map(({ node }) => node?.className || node?.nodeName));
  }
}).observe({ type: 'layout-shift', buffered: true });
"""
LATE_PROFILE = """
const ask = window.fetch;
window.fetch = async (...given) => {
  const late = String(given[0].url ?? given[0]).includes('/api/user/profile');
  if (late) await new Promise((answer) => setTimeout(answer, 300));
  return ask(...given);
};
"""
"""As from a busy server: the screen is there before what everything on it is about."""
SMALL_TARGETS = """(smallest) => {
  const found = document.querySelectorAll('a, button, input, select, textarea');
  return [...found].flatMap((element) => {
    const { width, height } = element.getBoundingClientRect();
    const hidden = width <= 1 || height <= 1 || getComputedStyle(element).clipPath !== 'none';
    if (hidden || (width >= smallest && height >= smallest)) return [];
    return [`${element.getAttribute('aria-label') || element.textContent}: ${width} × ${height}`];
  });
}"""
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_CAPTIONS = """() => [...document.querySelectorAll('article')].flatMap((card) => {
  const edge = card.getBoundingClientRect();
  return [...card.querySelectorAll('button, span, p')].flatMap((part) => {
    const box = part.getBoundingClientRect();
    const inside = box.left >= edge.left - 1 && box.right <= edge.right + 1
      && box.top >= edge.top - 1 && box.bottom <= edge.bottom + 1;
    return inside ? [] : [part.textContent || part.getAttribute('aria-label')];
  });
})"""


def _faults(page: Page, *, phone: bool) -> dict[str, Any]:
    """What is wrong with the page as it is; nothing where nothing is."""
    shifted = page.evaluate("window.shifted")
    found = {
        "shifts": page.evaluate("window.shifts") if shifted > LARGEST_SHIFT else [],
        "overhang": page.evaluate(OVERHANG),
        "small": page.evaluate(SMALL_TARGETS, SMALLEST_TARGET_PX) if phone else [],
        "cut": page.evaluate(CUT_CAPTIONS),
    }
    return {name: fault for name, fault in found.items() if fault}


@pytest.fixture(scope="module")
def long_names(people: People) -> str:
    """A finished batch of the administrator in which everything has a long name; its path."""
    images = [steps.portrait(LONG_NAME), steps.faceless(LONG_CHINESE_NAME)]
    api, batch = people.api(people.admin), people.submit(people.admin, images)
    api.call("PATCH", f"/api/video/batches/{batch}", json={"name": LONG_BATCH_NAME}).raise_for_status()
    api.wait(batch)
    return f"/batches/{batch}"


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_screens_keep_still_and_within_reach(
    open_page: Opener, people: People, long_names: str, phone: bool
) -> None:
    page = open_page("/login", phone=phone)
    tokens, faults = people.tokens(people.admin), {}
    steps.enter(page, tokens, "/batches")
    steps.settle(page)
    page.context.add_init_script(WATCH_SHIFTS)
    page.context.add_init_script(LATE_PROFILE)
    for path in (*steps.SCREENS, long_names):
        steps.enter(page, tokens, path)
        steps.settle(page)
        faults[path] = _faults(page, phone=phone)
    assert {path: found for path, found in faults.items() if found} == {}


def test_a_batch_keeps_still_while_it_renders(open_page: Opener, people: People, gate: Gate) -> None:
    creator = people.new(balance=4)
    with gate.closed():
        batch = people.submit(creator, [steps.faceless(f"{number}.jpg") for number in range(4)])
        page = open_page("/login")
        page.context.add_init_script(WATCH_SHIFTS)
        steps.enter(page, people.tokens(creator), f"/batches/{batch}")
        steps.settle(page)
    people.api(creator).wait(batch)
    expect(page.get_by_role("button", name=re.compile("^换图片"))).to_have_count(4)
    assert _faults(page, phone=False) == {}
    order = [card.get_attribute("aria-label") for card in page.get_by_role("article").all()]
    assert order == [f"{number}.jpg" for number in range(4)]


def test_a_phone_submits_without_scrolling(open_page: Opener, people: People) -> None:
    page = open_page("/login", phone=True)
    steps.enter(page, people.tokens(people.new(balance=5)), "/new")
    page.get_by_test_id("image-input").set_input_files([steps.portrait("林晓.jpg")])
    page.get_by_test_id("audio-input").set_input_files(SPEECH)
    submit = page.get_by_role("button", name="生成 1 个视频")
    expect(submit).to_be_enabled()
    page.evaluate("window.scrollTo(0, 0)")
    expect(submit).to_be_in_viewport(ratio=1)
    covered = submit.evaluate(
        "button => { const box = button.getBoundingClientRect();"
        " return !button.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }"
    )
    assert not covered


def test_a_player_is_paused_by_space_and_closed_by_back(
    open_page: Opener, people: People, long_names: str
) -> None:
    page = _batch(open_page, people, people.admin, long_names)
    play = page.locator("[data-plays]")
    play.click()
    player = page.get_by_role("dialog")
    expect(player).to_be_visible()
    address = page.url
    assert "/videos/" in address
    video = player.locator("video")
    expect(video).to_have_js_property("paused", False)
    page.keyboard.press("Space")
    expect(video).to_have_js_property("paused", True)
    page.keyboard.press("Space")
    expect(video).to_have_js_property("paused", False)
    page.go_back()
    expect(player).to_have_count(0)
    assert page.url.endswith(long_names)
    expect(play).to_be_focused()
    page.goto(address)
    expect(player).to_be_visible()
    page.reload()
    expect(player).to_be_visible()


def _batch(open_page: Opener, people: People, person: Person, path: str) -> Page:
    page = open_page("/login")
    steps.enter(page, people.tokens(person), path)
    expect(page.get_by_role("article").first).to_be_visible()
    return page
