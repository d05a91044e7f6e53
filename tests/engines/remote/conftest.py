"""Each remote engine beside its stand-in, and an order to give it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from engines.registry import make_remote_engine
from engines.remote import JobOrder, RemoteEngine
from tests.standins.comfyui import ComfyUIServer, MiddleComfyUIServer, OlderComfyUIServer
from tests.standins.dashscope import DashScopeServer
from tests.standins.films import write_speech
from tests.standins.lightx2v import LightX2VServer
from tests.standins.lightx2v_cloud import LightX2VCloudServer
from tests.standins.openai_videos import OpenAIVideosServer
from tests.standins.server import StandIn
from tests.standins.sixth import SixthServer

SECRET = "sk-secret-0123456789abcdef"
AUDIO_S = 1.5


@dataclass
class Kind:
    """How an engine is set up, and what its server can."""

    name: str
    server: Callable[[], StandIn]
    settings: Callable[[StandIn], dict[str, str]]
    submit: str
    """Part of the path to which jobs are sent."""
    takes_our_id: bool = False
    secured: bool = False
    has_progress: bool = False
    finds_lost: bool = True
    """Whether a job whose answer was lost can be found."""
    refused: tuple[int, str] = (400, "invalid image")
    forgets: bool = True


EXAMPLE = Path(__file__).parents[3] / "docs" / "engines.md"

KINDS = {
    "sixth": Kind(
        "sixth",
        SixthServer,
        lambda server: {"SIXTH_URL": server.url},
        submit="/jobs",
        takes_our_id=True,
        refused=(422, "no picture"),
    ),
    "dashscope": Kind(
        "dashscope",
        DashScopeServer,
        lambda server: {"DASHSCOPE_URL": f"{server.url}/api/v1"},
        submit="/video-synthesis",
        secured=True,
        finds_lost=False,
    ),
    "lightx2v-cloud": Kind(
        "lightx2v-cloud",
        LightX2VCloudServer,
        lambda server: {"LIGHTX2V_CLOUD_URL": server.url},
        submit="/api/v1/task/submit",
        secured=True,
        refused=(500, "error: Failed to read input_audio, type=base64, val=AAAA: Audio file too short!!!"),
    ),
    "openai-videos": Kind(
        "openai-videos",
        OpenAIVideosServer,
        lambda server: {"OPENAI_VIDEOS_URL": f"{server.url}/v1", "OPENAI_VIDEOS_SECURED": "yes"},
        submit="/v1/videos",
        secured=True,
        has_progress=True,
    ),
    "lightx2v": Kind(
        "lightx2v",
        LightX2VServer,
        lambda server: {"LIGHTX2V_URLS": server.url},
        submit="/v1/tasks/video/",
        takes_our_id=True,
    ),
    **{
        name: Kind(
            "comfyui",
            server,
            lambda server: {"COMFYUI_URLS": server.url, "COMFYUI_WORKFLOW": "still"},
            submit="/prompt",
            takes_our_id=True,
            refused=(400, "invalid image"),
        )
        for name, server in (
            ("comfyui", ComfyUIServer),
            ("comfyui-reads-jobs", MiddleComfyUIServer),
            ("comfyui-without-jobs", OlderComfyUIServer),
        )
    },
}


@dataclass
class Setting:
    """An engine with its server."""

    kind: Kind
    server: StandIn
    engine: RemoteEngine
    order: JobOrder
    credentials: list[str] = field(default_factory=lambda: [SECRET])

    def another(self) -> JobOrder:
        return replace(self.order, job_id=uuid4())

    def server_id(self, their_id: str) -> str:
        """The id of the stand-in's job."""
        return their_id.rpartition("|")[2]


@pytest.fixture
def order(tmp_path: Path) -> JobOrder:
    portrait = tmp_path / "portrait.jpg"
    Image.new("RGB", (512, 640), "grey").save(portrait)
    audio = write_speech(tmp_path / "speech.wav", AUDIO_S)
    return JobOrder(
        job_id=uuid4(), portrait=portrait, audio=audio, prompt="smile, 微笑", seed=2**40 + 7, audio_s=AUDIO_S
    )


@pytest.fixture
def sixth(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """The worked example of the documentation, installed beside our engines; its text."""
    text = EXAMPLE.read_text(encoding="utf-8")
    code = text.partition("```python\n")[2].partition("```")[0]
    folder = tmp_path_factory.mktemp("installed")
    (folder / "sixth.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("EXTRA_REMOTE_ENGINES", "sixth=sixth:SixthEngine")
    return code


@pytest.fixture(params=list(KINDS))
def setting(request: pytest.FixtureRequest, order: JobOrder, sixth: str) -> Iterator[Setting]:
    kind = KINDS[request.param]
    credentials = [SECRET]
    with kind.server().serving() as server:
        engine = make_remote_engine(kind.name, kind.settings(server), lambda: credentials[-1])
        yield Setting(kind, server, engine, order, credentials)
