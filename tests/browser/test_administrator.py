"""The administrator's day, and what others see of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People, Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("another browser"), pytest.mark.slow]


def test_a_top_up_is_seen_by_the_user_without_a_reload(open_page: Opener, people: People) -> None:
    creator = people.new(balance=1)
    theirs = open_page("/login")
    steps.enter(theirs, people.tokens(creator), "/credits")
    expect(steps.balance(theirs)).to_have_text("1")

    page = open_page("/login")
    steps.log_in(page, people.admin)
    page.get_by_role("link", name="管理").click()
    page.get_by_role("searchbox", name="搜索用户名").fill(creator.username)
    page.get_by_role("button", name=f"调整积分：{creator.username}").click()
    page.get_by_label("积分数").fill("50")
    page.get_by_label("原因").fill("十一月充值")
    expect(page.get_by_text("1 → 51")).to_be_visible()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("cell", name="51", exact=True)).to_be_visible()

    expect(steps.balance(theirs)).to_have_text("51")
    theirs.goto("/credits")
    expect(theirs.get_by_role("row").filter(has_text="十一月充值")).to_contain_text("+50")


def test_a_user_created_with_a_generated_password_can_log_in(open_page: Opener, people: People) -> None:
    page = open_page("/login", language="en-US")
    steps.enter(page, people.tokens(people.admin), "/manage/users")
    page.get_by_role("button", name="New user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill("fresh-user")
    dialog.get_by_label("Credits to start with").fill("12")
    dialog.get_by_role("button", name="New user").click()
    password = page.get_by_test_id("generated-password").inner_text()

    theirs = open_page("/login", language="en-US")
    steps.log_in(theirs, Person("fresh-user", password))
    expect(steps.balance(theirs)).to_have_text("12")
    expect(theirs.get_by_role("link", name="Admin")).to_have_count(0)
    theirs.goto("/manage/users")
    expect(theirs.get_by_text("There is nothing here")).to_be_visible()


def test_a_deactivated_user_is_out_at_once(open_page: Opener, people: People) -> None:
    creator = people.new()
    theirs = open_page("/login")
    steps.enter(theirs, people.tokens(creator), "/batches")

    page = open_page("/login")
    steps.enter(page, people.tokens(people.admin), "/manage/users")
    page.get_by_role("button", name=f"{creator.username} 的更多操作").click()
    page.get_by_role("menuitem", name="停用账户").click()
    page.get_by_role("alertdialog").get_by_role("button", name="停用账户").click()
    expect(page.get_by_role("row").filter(has_text=creator.username)).to_contain_text("已停用")

    theirs.reload()
    expect(theirs).to_have_url("/login")


def test_one_log_in_opens_both_administrations_and_one_log_out_closes_them(
    open_page: Opener, people: People
) -> None:
    page = open_page("/login", language="en-US")
    steps.enter(page, people.tokens(people.admin), "/manage/engine")
    page.get_by_role("link", name="Administration site").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    page.get_by_role("link", name="Web application").click()
    expect(page.get_by_role("searchbox", name="Search user name")).to_be_visible()
    page.goto("/manage/site?next=/admin/videos/batch/")
    expect(page.get_by_role("heading", name="Select batch to view")).to_be_visible()

    page.goto("/batches")
    page.get_by_role("button", name=re.compile(r"admin", re.IGNORECASE)).last.click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("textbox", name="Password")).to_be_visible()
    page.goto("/admin/")
    page.get_by_role("link", name="Enter with the log-in of the web application").click()
    expect(page.get_by_role("textbox", name="Password")).to_be_visible()


def test_a_ledger_is_exported_from_the_web_application(open_page: Opener, people: People) -> None:
    creator = people.new(balance=7)
    page = open_page("/login", language="en-US")
    steps.enter(page, people.tokens(people.admin), "/manage/users")
    page.get_by_role("button", name=f"More actions for {creator.username}").click()
    page.get_by_role("menuitem", name="Ledger").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    _head, *rows = download.value.path().read_text("utf-8-sig").splitlines()
    assert [row.split(",")[2] for row in rows] == [creator.username]
