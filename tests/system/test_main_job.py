"""The whole job as a user does it, on a real server, a real portrait and real speech."""

import io
import re
import subprocess
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.films import watch
from tests.support.live import (
    ADMIN_PASSWORD,
    START_TIMEOUT_S,
    Api,
    Platform,
    clean_environment,
    manage,
    serving,
)
from tests.support.media import PORTRAIT, SPEECH, image_bytes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main job")]

MOUTH = (slice(0.29, 0.40), slice(0.38, 0.52))
"""Where the astronaut's mouth is, as shares of height and width."""
BORDER_SHARE = 0.02


def wide_portrait() -> bytes:
    """The portrait as a PNG of another shape, so that aspect and format are not those of the source."""
    stream = io.BytesIO()
    with Image.open(PORTRAIT) as picture:
        picture.crop((56, 0, 456, 300)).save(stream, "PNG")
    return stream.getvalue()


def speech_s() -> float:
    with wave.open(str(SPEECH)) as file:
        return float(file.getnframes() / file.getframerate())


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("main") / "data") as platform:
        yield platform


@pytest.fixture(scope="module")
def creator(platform: Platform) -> Api:
    """A user whom the administrator gave five credits."""
    answer = platform.login().call("POST", "/api/admin/users", data={"username": "creator", "credits": "5"})
    assert answer.status_code == 201, answer.text
    return platform.login("creator", answer.json()["password"])


@pytest.fixture(scope="module")
def finished(creator: Api) -> Any:
    """A batch of two portraits and a picture without a face, done."""
    images = {"脸.jpg": PORTRAIT.read_bytes(), "wide.png": wide_portrait(), "nobody.jpg": image_bytes(256)}
    batch_id = creator.submit(images, SPEECH.read_bytes(), name="First", prompt="微笑, nod")
    return creator.wait(batch_id)


def test_two_portraits_become_videos_and_the_faceless_picture_says_why(finished: Any) -> None:
    assert [item["status"] for item in finished["items"]] == ["completed", "completed", "failed"], finished
    failed = finished["items"][2]
    assert failed["error_code"] == "no_face"
    assert failed["error_msg"]
    assert failed["videoUrl"] == ""
    assert finished["status"] == "partial"
    assert finished["progress"]["overall_progress"] == 100


def test_only_finished_videos_cost_credits(finished: Any, creator: Api) -> None:
    assert finished["creditsUsed"] == 2
    assert creator.get("/api/user/profile")["credits"] == 3
    entries = creator.get("/api/user/credits")["entries"]
    assert [(entry["kind"], entry["amount"]) for entry in entries] == [
        ("refund", 1),
        ("charge", -1),
        ("charge", -1),
        ("charge", -1),
        ("grant", 5),
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_each_video_is_what_a_browser_plays_and_lasts_as_long_as_the_speech(
    finished: Any, number: int
) -> None:
    item = finished["items"][number]
    film = watch(Api("").call("GET", item["videoUrl"]).content)  # no header: a <video> sends none
    assert (film.video_codec, film.profile, film.pixel_format) == ("h264", "High", "yuv420p")
    assert film.audio_codec == "aac"
    assert film.fps == 25
    assert film.faststart
    assert film.duration_s == pytest.approx(speech_s(), abs=1 / 25 + 1e-6)
    assert film.audio_duration_s == pytest.approx(speech_s(), abs=0.1)
    assert item["duration"] == pytest.approx(film.duration_s, abs=1 / 25)
    height, width = film.frames.shape[1:]
    assert max(width, height) <= 1080
    assert width / height == pytest.approx(item["width"] / item["height"], rel=0.02)


def test_the_mouth_moves_and_the_border_is_still(finished: Any) -> None:
    film = watch(Api("").call("GET", finished["items"][0]["videoUrl"]).content)
    motion = film.motion()
    height, width = motion.shape
    rows, columns = MOUTH
    mouth = motion[
        int(rows.start * height) : int(rows.stop * height),
        int(columns.start * width) : int(columns.stop * width),
    ]
    edge = max(2, int(BORDER_SHARE * height))
    border = np.concatenate(
        [part.ravel() for part in (motion[:edge], motion[-edge:], motion[:, :edge], motion[:, -edge:])]
    )
    assert mouth.mean() > 6, mouth.mean()
    assert border.mean() < 1.5, border.mean()


def test_posters_thumbnails_and_sources_are_pictures(finished: Any) -> None:
    item = finished["items"][0]
    for name in ("sourceImage", "thumbnail_url", "poster_url"):
        answer = Api("").call("GET", item[name])
        assert answer.headers["Content-Type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as picture:
            picture.load()


def test_the_archive_holds_the_videos_and_a_manifest(finished: Any, creator: Api) -> None:
    export = creator.get(f"/api/video/batches/{finished['id']}/export")
    assert [file["name"] for file in export["files"]] == ["脸.mp4", "wide.mp4"]
    archive = zipfile.ZipFile(io.BytesIO(Api("").call("GET", export["zip_url"]).content))
    assert archive.testzip() is None
    assert set(archive.namelist()) == {"脸.mp4", "wide.mp4", "manifest.csv"}
    assert archive.read("脸.mp4") == Api("").call("GET", finished["items"][0]["videoUrl"]).content


def test_a_second_server_on_the_same_data_is_refused_with_a_sentence(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data_dir = platform.log.parent / "data"
    result = subprocess.run(
        manage("serve", "--port", "0"),
        env=clean_environment(DATA_DIR=str(data_dir)),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    assert result.returncode != 0
    assert f"Another server is running on {data_dir}" in result.stderr
    assert "Traceback" not in result.stderr
    assert platform.login().get("/api/user/profile")["isAdmin"]


def test_a_port_that_is_taken_is_said_so(platform: Platform, tmp_path: Path) -> None:
    port = platform.origin.rpartition(":")[2]
    result = subprocess.run(
        manage("serve"),
        env=clean_environment(DATA_DIR=str(tmp_path), PORT=port),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    assert result.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_server_says_where_to_go_and_never_prints_a_given_password(platform: Platform) -> None:
    assert re.search(rf"http://localhost:{platform.origin.rpartition(':')[2]}\b", platform.output)
    assert ADMIN_PASSWORD not in platform.output
    assert "Traceback" not in platform.output
