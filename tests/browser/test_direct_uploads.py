"""Files go from the page straight to the store, on disk and on S3, and go on after a broken connection."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import run
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser import steps
from tests.browser.conftest import BUILT_PAGE, Opener
from tests.browser.people import People
from tests.plugins.environment import missing
from tests.servers import S3Server
from tests.servers.process import scratch_folder
from tests.support.gated_engine import Gate
from tests.support.live import Platform, clean_environment, manage, serving
from tests.support.media import wav_bytes

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("another browser"), pytest.mark.slow]


@dataclass(frozen=True)
class Place:
    """A server whose engine waits, and where its files go."""

    platform: Platform
    store_origin: str


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.faults)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if not BUILT_PAGE.is_file():
        missing("the front end is not built (`make frontend`)")
    variables: dict[str, str] = {}
    if request.param == "s3":
        s3: S3Server = request.getfixturevalue("s3_server")
        variables = {
            "S3_BUCKET": s3.bucket,
            "S3_ENDPOINT_URL": s3.endpoint_url,
            "S3_ACCESS_KEY_ID": s3.access_key,
            "S3_SECRET_ACCESS_KEY": s3.secret_key,
            "S3_REGION": s3.region,
        }
    with scratch_folder("uploads") as folder:
        gate = Gate(folder / "closed")
        gate.close()
        with serving(folder / "data", **gate.variables, **variables) as platform:
            environment = clean_environment(
                DATA_DIR=str(folder / "data"), PUBLIC_URL=platform.origin, **variables
            )
            run(manage("prepare_store"), env=environment, check=True, capture_output=True)
            yield Place(platform, variables.get("S3_ENDPOINT_URL", platform.origin))


class Parts:
    """What the page PUTs; the first try of every second part of a file is broken on the way."""

    def __init__(self, page: Page) -> None:
        self.sent: list[str] = []
        self.broken: list[str] = []
        page.on("request", self._note)
        page.route(re.compile(r"(/upload/.+/2$)|(partNumber=2)"), self._break_once)

    def _note(self, request: Request) -> None:
        if request.method == "PUT":
            self.sent.append(request.url)

    def _break_once(self, route: Route) -> None:
        if route.request.method == "PUT" and route.request.url not in self.broken:
            self.broken.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()


def test_a_batch_goes_to_the_store_in_parts_and_a_broken_one_is_sent_again(
    place: Place, browser: Browser
) -> None:
    creator = People(place.platform).new(balance=10)
    opener = Opener(browser, place.platform.origin)
    page = opener("/new")
    steps.log_in(page, creator)
    parts = Parts(page)
    page.get_by_test_id("image-input").set_input_files([steps.faceless("一.jpg"), steps.faceless("二.jpg")])
    speech = wav_bytes(150, 32_000)  # 9.6 MB: two parts
    page.get_by_test_id("audio-input").set_input_files(
        {"name": "speech.wav", "mimeType": "audio/wav", "buffer": speech}
    )
    page.get_by_role("button", name="先检查文件，不扣积分").click()
    expect(page.get_by_text("全部文件检查通过，可以生成。")).to_be_visible()
    assert len(parts.broken) == 1
    assert len(parts.sent) == 5  # two pictures, two parts, and the broken one again
    assert {_origin(url) for url in parts.sent} == {place.store_origin}

    page.get_by_role("button", name="生成 2 个视频").click()
    expect(page).to_have_url(re.compile(r"/batches/[0-9a-f-]{36}$"))
    expect(steps.card(page, "一.jpg")).to_be_visible()
    expect(steps.balance(page)).to_have_text("8")
    assert len(parts.sent) == 5  # what had been checked was not sent again
    opener.close()
    assert opener.problems == []


def _origin(url: str) -> str:
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc}"
