"""A remote engine behind a real installation that is killed twice: each video is made once."""

import os
import signal
from pathlib import Path

import pytest

from tests.servers.process import scratch_folder, wait_until
from tests.standins.openai_videos import OpenAIVideosServer
from tests.support.live import Platform, serving
from tests.support.media import image_bytes, wav_bytes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("topology")]

IMAGES = 6
TIMEOUT_S = 120


def variables(server: OpenAIVideosServer) -> dict[str, str]:
    return {
        "GENERATION_ENGINE": "openai-videos",
        "OPENAI_VIDEOS_URL": server.url,
        "OPENAI_VIDEOS_SECURED": "yes",
        "OPENAI_VIDEOS_CONCURRENT": "3",
        "ENGINE_CREDENTIAL": server.key,
        "LEASE_S": "6",
        "WORKER_THREADS": "1",
    }


def kill(platform: Platform) -> None:
    os.killpg(platform.process.pid, signal.SIGKILL)
    platform.process.wait(TIMEOUT_S)


def test_each_video_is_made_once_whatever_is_killed() -> None:
    with OpenAIVideosServer().serving() as server, scratch_folder("remote") as folder:
        data = Path(folder) / "data"
        with serving(data, **variables(server)) as platform:
            images = {f"{number}.jpg": image_bytes() for number in range(IMAGES)}
            batch = platform.login().submit(images, wav_bytes(1.0))
            wait_until(lambda: len(server.jobs) == 3, timeout_s=TIMEOUT_S, what="three jobs")
            kill(platform)
        first = next(iter(server.jobs))
        with serving(data, **variables(server)) as platform:
            server.complete(first)
            api = platform.login()
            api.wait_for(batch, lambda found: found["progress"]["completed"] >= 1, timeout_s=TIMEOUT_S)
            kill(platform)
        server.autorun = True
        with serving(data, **variables(server)) as platform:
            found = platform.login().wait(batch, timeout_s=TIMEOUT_S)
        assert [item["status"] for item in found["items"]] == ["completed"] * IMAGES
        assert len(server.asked("POST", "/v1/videos")) == IMAGES
        assert found["creditsUsed"] == IMAGES
