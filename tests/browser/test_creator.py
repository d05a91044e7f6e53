"""The creator's day: from the login to playing, repairing and taking home the results."""

import re
import time
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People
from tests.support.gated_engine import Gate
from tests.support.media import SPEECH

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("another browser"), pytest.mark.slow]


def test_three_portraits_and_a_recording_become_videos_that_play(
    open_page: Opener, people: People, gate: Gate, tmp_path: Path
) -> None:
    """One of them has no face: it fails with its reason, is refunded, and succeeds with another image."""
    creator = people.new(balance=10)
    page = open_page("/new")
    steps.log_in(page, creator)
    expect(page).to_have_url("/new")  # back to where the visitor wanted to go
    expect(steps.balance(page)).to_have_text("10")

    page.get_by_test_id("image-input").set_input_files(
        [steps.portrait("林晓.jpg"), steps.faceless("风景.jpg"), steps.portrait("王伟.jpg")]
    )
    page.get_by_test_id("audio-input").set_input_files(SPEECH)
    page.get_by_role("button", name="微笑").click()
    expect(page.get_by_text("3 积分")).to_be_visible()
    with gate.closed():
        page.get_by_role("button", name="生成 3 个视频").dblclick()
        expect(page).to_have_url(re.compile(r"/batches/[0-9a-f-]{36}$"))
        expect(page.get_by_role("progressbar", name="批次进度")).to_be_visible()
    failed = steps.card(page, "风景.jpg")
    expect(failed.get_by_text("没有找到人脸，请换一张正脸照片。")).to_be_visible(
        timeout=steps.RENDER_TIMEOUT_MS
    )
    for name in ("林晓.jpg", "王伟.jpg"):
        expect(page.get_by_role("button", name=f"播放 {name}")).to_be_visible(timeout=steps.RENDER_TIMEOUT_MS)
    expect(steps.balance(page)).to_have_text("8")  # three charged, one refunded
    expect(page.get_by_role("heading", level=1).locator("..")).to_contain_text("部分完成")

    _plays(page, "林晓.jpg")

    failed.locator("input[type=file]").set_input_files([steps.portrait("better.jpg")])
    expect(page.get_by_role("article")).to_have_count(3)
    done = page.get_by_role("article").get_by_text("已完成", exact=True)
    expect(done).to_have_count(3, timeout=steps.RENDER_TIMEOUT_MS)
    expect(steps.balance(page)).to_have_text("7")

    with page.expect_download() as download:
        page.get_by_role("button", name="下载全部").click()
    archive = tmp_path / "batch.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as files:
        names = files.namelist()
        assert len([name for name in names if name.endswith(".mp4")]) == 3
        assert "manifest.csv" in names


def _plays(page: Page, name: str) -> None:
    """Open the player, see the time advance, step to the next result, compare it with its source."""
    page.get_by_role("button", name=f"播放 {name}").click()
    video = page.get_by_label(f"{name} 的视频")
    page.wait_for_function("video => video.currentTime > 0.5 && !video.error", arg=video.element_handle())
    page.get_by_role("button", name="下一个").click()
    expect(page.get_by_text("第 2 个，共 2 个")).to_be_visible()
    page.get_by_role("button", name="与原图对比").click()
    source = page.get_by_role("img", name="原图")
    page.wait_for_function("image => image.naturalWidth > 0", arg=source.element_handle())
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_item_is_retried_where_it_helps_and_charged_only_while_it_runs(
    open_page: Opener, people: People, gate: Gate
) -> None:
    creator = people.new(balance=2)
    cancel = "取消 风景.jpg"
    with gate.closed():
        batch = people.submit(creator, [steps.faceless("风景.jpg")])
        page = open_page("/login")
        steps.enter(page, people.tokens(creator), f"/batches/{batch}")
        page.get_by_role("button", name=cancel, exact=True).click()
        retry = page.get_by_role("button", name="重试失败或取消的 1 个", exact=True)
        expect(retry).to_be_visible()
        expect(steps.balance(page)).to_have_text("2")
        with page.expect_response(lambda answer: answer.url.endswith("/retry_failed")) as answer:
            retry.click()
        assert answer.value.ok
        expect(page.get_by_role("button", name=cancel, exact=True)).to_be_visible()
        expect(steps.balance(page)).to_have_text("1")
    people.api(creator).wait(batch)
    expect(page.get_by_role("button", name="换图片 风景.jpg")).to_be_visible()
    expect(retry).to_have_count(0)  # it would fail again, be charged and be refunded
    expect(steps.balance(page)).to_have_text("2")

    page.get_by_role("link", name="积分", exact=True).click()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="退回")).to_have_count(2)
    expect(rows.filter(has_text="生成视频")).to_have_count(2)


def test_every_bad_file_is_shown_in_its_place_and_nothing_is_charged(
    open_page: Opener, people: People
) -> None:
    creator = people.new(balance=5)
    page = open_page("/login")
    steps.enter(page, people.tokens(creator), "/new")
    whole = steps.portrait("good.jpg")
    half: FilePayload = {**whole, "name": "half.jpg", "buffer": whole["buffer"][: len(whole["buffer"]) // 2]}
    text: FilePayload = {**whole, "name": "text.jpg", "buffer": b"not a picture"}
    page.get_by_test_id("image-input").set_input_files([whole, half, text])
    page.get_by_test_id("audio-input").set_input_files(SPEECH)
    page.get_by_role("button", name="先检查文件，不扣积分").click()
    tiles = page.get_by_role("listitem")
    expect(tiles.filter(has_text="half.jpg").get_by_role("alert")).to_be_visible()
    expect(tiles.filter(has_text="text.jpg").get_by_role("alert")).to_be_visible()
    expect(tiles.filter(has_text="good.jpg").get_by_role("alert")).to_have_count(0)
    assert people.api(creator).get("/api/user/profile")["credits"] == 5

    page.get_by_role("button", name="移除这些图片").click()
    expect(page.get_by_role("button", name="生成 1 个视频")).to_be_enabled()


def test_a_recording_made_in_the_browser_is_sent_as_wav(open_page: Opener, people: People) -> None:
    creator = people.new(balance=1)
    page = open_page("/login")
    steps.enter(page, people.tokens(creator), "/new")
    page.get_by_test_id("image-input").set_input_files([steps.faceless("风景.jpg")])
    started = time.monotonic()
    page.get_by_role("button", name="现在录音").click()
    three_seconds_or_more = re.compile(r"^0:(0[3-9]|[1-5]\d)$")
    expect(page.get_by_role("timer", name="正在录音")).to_have_text(three_seconds_or_more)
    page.get_by_role("button", name="完成").click()
    expect(page.get_by_role("slider", name="播放位置")).to_be_visible()
    longest_s = time.monotonic() - started
    page.locator("audio").evaluate("audio => { audio.loop = true; }")  # it plays until somebody looks
    page.get_by_role("button", name="试听").click()
    expect(page.get_by_role("button", name="暂停")).to_be_visible()

    page.get_by_role("button", name="生成 1 个视频").click()
    expect(page).to_have_url(re.compile(r"/batches/[0-9a-f-]{36}$"))
    batch = people.api(creator).batch(page.url.rsplit("/", 1)[-1])
    assert batch["audioName"].endswith(".wav")
    assert 1 < batch["audio_duration"] < longest_s


def test_a_batch_is_renamed_cancelled_and_deleted(open_page: Opener, people: People, gate: Gate) -> None:
    creator = people.new(balance=6)
    images = [steps.portrait(f"{number}.jpg") for number in range(6)]
    page = open_page("/login", language="en-US")
    with gate.closed():
        batch = people.submit(creator, images)
        steps.enter(page, people.tokens(creator), f"/batches/{batch}")
        page.get_by_role("button", name="Cancel all").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Cancel all").click()
        expect(page.get_by_role("button", name="Cancel all")).to_have_count(0)
    finished = people.api(creator).batch(batch)["progress"]["completed"]
    expect(steps.balance(page)).to_have_text(str(6 - finished))

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Batch name").fill("Spring campaign")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name="Spring campaign")).to_be_visible()

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete batch").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete batch").click()
    expect(page.get_by_text("Start with your first batch")).to_be_visible()


def test_a_phone_shows_everything_within_its_width(open_page: Opener, people: People) -> None:
    creator = people.new(balance=3)
    batch = people.submit(creator, [steps.faceless("风景.jpg")])
    page = open_page("/login", phone=True)
    steps.log_in(page, creator)
    page.get_by_role("link", name="批次").filter(has_text="批次 2").click()
    expect(page).to_have_url(f"/batches/{batch}")
    expect(page.get_by_role("button", name="换图片 风景.jpg", exact=True)).to_be_visible(
        timeout=steps.RENDER_TIMEOUT_MS
    )
    for path in ("/batches", f"/batches/{batch}", "/new", "/credits", "/account"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        overhang = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overhang <= 0, f"{path} is {overhang} px wider than the screen"


def test_an_ended_session_asks_to_log_in_and_returns(open_page: Opener, people: People) -> None:
    creator = people.new()
    page = open_page("/login")
    steps.enter(page, people.tokens(creator), "/credits")
    assert people.api(creator).call("POST", "/api/auth/logout_all").ok
    page.reload()
    expect(page).to_have_url("/login")
    steps.log_in(page, creator)
    expect(page).to_have_url("/credits")
