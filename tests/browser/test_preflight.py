"""Fifty portraits, five of which no video can be made of: all five are named before a credit moves."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, expect

from tests.browser import steps
from tests.browser.conftest import Opener
from tests.browser.people import People
from tests.servers.process import scratch_folder
from tests.support.live import serving
from tests.support.media import PORTRAIT, SPEECH

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("another browser"), pytest.mark.slow]

GOOD = 45


def jpeg(name: str, picture: Image.Image) -> FilePayload:
    content = io.BytesIO()
    picture.save(content, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": content.getvalue()}


def unusable() -> list[FilePayload]:
    """One of each kind."""
    with Image.open(PORTRAIT) as found:
        face = found.convert("RGB")
    far = Image.new("RGB", (1600, 1600), "grey")
    far.paste(face.resize((72, 72)), (760, 760))
    whole = PORTRAIT.read_bytes()
    return [
        steps.faceless("nobody.jpg"),
        jpeg("far.jpg", far),
        jpeg("tiny.jpg", face.resize((40, 40))),
        jpeg("blurred.jpg", face.resize((8, 8)).resize((512, 512), Image.Resampling.NEAREST)),
        {"name": "half.jpg", "mimeType": "image/jpeg", "buffer": whole[: len(whole) // 2]},
    ]


@pytest.fixture(scope="module")
def checking() -> Iterator[People]:
    """The people of an installation that looks for faces."""
    with scratch_folder("preflight") as folder, serving(folder / "data", FACE_CHECK="1") as platform:
        yield People(platform)


def test_the_unusable_ones_are_named_and_the_others_submitted(browser: Browser, checking: People) -> None:
    creator = checking.new(balance=50)
    opener = Opener(browser, checking.origin)
    page = opener("/login")
    steps.enter(page, checking.tokens(creator), "/new")
    bad = unusable()
    face = PORTRAIT.read_bytes()
    good: list[FilePayload] = [
        {"name": f"{number:02}.jpg", "mimeType": "image/jpeg", "buffer": face} for number in range(GOOD)
    ]
    page.get_by_test_id("image-input").set_input_files([*good[:20], *bad, *good[20:]])
    page.get_by_test_id("audio-input").set_input_files(SPEECH)
    page.get_by_role("button", name="先检查文件，不扣积分").click()
    tiles = page.get_by_role("region", name="人像图片").get_by_role("listitem")
    for payload in bad:
        expect(tiles.filter(has_text=payload["name"]).get_by_role("alert")).to_be_visible(timeout=120_000)
    expect(tiles.get_by_role("alert")).to_have_count(len(bad))
    expect(steps.balance(page)).to_have_text("50")
    page.get_by_role("button", name="移除这些图片").click()
    page.get_by_role("button", name=f"生成 {GOOD} 个视频").click()
    expect(page.get_by_role("article")).to_have_count(GOOD, timeout=120_000)
    expect(steps.balance(page)).to_have_text(str(50 - GOOD))
    opener.close()
    assert opener.problems == []
