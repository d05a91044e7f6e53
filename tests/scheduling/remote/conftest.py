"""A remote engine's server and a carrier of its jobs."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.scheduling.remote.carrying import another
from tests.standins.openai_videos import OpenAIVideosServer
from videos.scheduling import engines
from videos.services import credentials
from videos.worker import remote, trouble
from videos.worker.remote import Carrier
from videos.worker.slots import slots
from videos.worker.stopping import stopping
from videos.worker.trouble import forget_troubles


@pytest.fixture
def server(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIVideosServer]:
    """A stand-in of `/v1/videos` as the installation's engine, without pauses on our side."""
    with OpenAIVideosServer().serving() as standing:
        monkeypatch.setenv("OPENAI_VIDEOS_URL", f"{standing.url}/v1")
        monkeypatch.setenv("OPENAI_VIDEOS_SECURED", "yes")
        monkeypatch.setenv("OPENAI_VIDEOS_CONCURRENT", "10")
        settings.GENERATION_ENGINE = "openai-videos"
        settings.ENGINE_CREDENTIAL = standing.key
        settings.HEARTBEAT_S = 0
        settings.RENDER_RETRY_DELAY_S = 0
        for module, name in (
            (remote, "FIRST_LOOK_S"),
            (remote, "LONGEST_LOOK_S"),
            (remote, "TROUBLE_S"),
            (remote, "LONGEST_TROUBLE_S"),
            (trouble, "FIRST_PAUSE_S"),
            (trouble, "LONGEST_PAUSE_S"),
            (engines, "READINESS_KEPT_S"),
        ):
            monkeypatch.setattr(module, name, 0.01)
        engines.remote.cache_clear()
        credentials.forget_cached()
        stopping.clear()
        forget_troubles()
        yield standing
    engines.remote.cache_clear()
    credentials.forget_cached()
    forget_troubles()


@pytest.fixture(scope="module", autouse=True)
def _places() -> Iterator[None]:
    """Results of all tests are finished in the same processes."""
    slots.close()
    yield
    slots.close()


@pytest.fixture
def carrier(server: OpenAIVideosServer) -> Carrier:
    return another()
