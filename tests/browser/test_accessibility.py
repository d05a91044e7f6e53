"""Keys do all, and axe finds nothing serious in dialogs and on the admin site; see also test_screens.py."""

from typing import Literal

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("a browser"), pytest.mark.slow]

WORDS = {
    "zh-CN": {"more": "更多操作", "rename": "重命名", "delete": "删除批次", "create": "新建用户",
              "credits": "调整积分：{}", "menu": "{} 的更多操作", "deactivate": "停用账户"},
    "en-US": {"more": "More actions", "rename": "Rename", "delete": "Delete batch", "create": "New user",
              "credits": "Credits of {}", "menu": "More actions for {}", "deactivate": "Deactivate"},
}  # fmt: skip


@pytest.mark.parametrize(("theme", "language"), [("light", "zh-CN"), ("dark", "en-US")])
def test_no_dialog_has_a_serious_problem(
    open_page: Opener, people: People, axe: str, theme: str, language: str
) -> None:
    words, creator = WORDS[language], people.new()
    batch = people.submit(people.admin, [steps.faceless("scenery.jpg")])
    page = open_page("/login", language=language)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    steps.enter(page, people.tokens(people.admin), f"/batches/{batch}")
    found: list[str] = []

    def examine(role: Literal["dialog", "alertdialog"]) -> None:
        expect(page.get_by_role(role)).to_be_visible()
        found.extend(steps.serious_problems(page, axe))
        page.keyboard.press("Escape")
        expect(page.get_by_role(role)).to_have_count(0)

    def choose(menu: Locator, entry: str) -> None:
        menu.click()
        page.get_by_role("menuitem", name=entry, exact=True).click()

    choose(page.locator("#main").get_by_role("button", name=words["more"], exact=True), words["rename"])
    examine("dialog")
    choose(page.locator("#main").get_by_role("button", name=words["more"], exact=True), words["delete"])
    examine("alertdialog")

    page.goto("/manage/users")
    page.get_by_role("button", name=words["create"], exact=True).click()
    examine("dialog")
    row = page.get_by_role("row").filter(has_text=creator.username)
    row.get_by_role("button", name=words["credits"].format(creator.username), exact=True).click()
    examine("dialog")
    choose(row.get_by_role("button", name=words["menu"].format(creator.username)), words["deactivate"])
    examine("alertdialog")
    assert not found, "\n".join(found)


def test_the_main_job_can_be_done_by_keyboard(open_page: Opener, people: People) -> None:
    """Log in, skip to the content, open a menu and a dialog, and come back to where one was."""
    creator = people.new()
    people.submit(creator, [steps.faceless("风景.jpg")])
    page = open_page("/login")
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(creator.username)
    page.keyboard.press("Tab")
    page.keyboard.type(creator.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="主导航")).to_be_visible()

    page.reload()
    expect(page.get_by_role("navigation", name="主导航")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到主要内容")).to_be_focused()
    page.keyboard.press("Enter")

    page.get_by_role("navigation", name="批次文件夹").get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    more = page.get_by_role("button", name="更多操作")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="重命名")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


SITE = ("", "accounts/user/", "accounts/creditentry/", "videos/batch/", "videos/videoitem/", "videos/worker/")
"""Pages of the administration site, below /admin/."""


@pytest.mark.parametrize(("theme", "language"), [("light", "zh-CN"), ("dark", "en-US")])
def test_no_page_of_the_administration_site_has_a_serious_problem(
    open_page: Opener, people: People, axe: str, theme: str, language: str
) -> None:
    people.new(balance=3)
    page = open_page("/login", language=language)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto("/admin/login/")
    found = steps.serious_problems(page, axe)
    steps.enter(page, people.tokens(people.admin), "/manage/site")
    page.wait_for_url("**/admin/")
    for path in SITE:
        page.goto(f"/admin/{path}")
        found += steps.serious_problems(page, axe)
        rows = page.locator("#result_list tbody th a")
        if rows.count():
            rows.first.click()
            page.wait_for_load_state()
            found += steps.serious_problems(page, axe)
    assert not found, "\n".join(found)
