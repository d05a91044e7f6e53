"""Fixtures shared by the portrait engine's tests: the real portrait, real speech, and one real render."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from engines.base import RenderResult, RenderSpec
from engines.portrait.engine import PortraitEngine
from engines.portrait.face.faces import FaceFinder
from engines.portrait.rig import PortraitRig, build_rig
from tests.engines.portrait.reading import Clip, read_clip

MEDIA = Path(__file__).parents[2] / "media"
PORTRAIT = MEDIA / "portrait-astronaut.jpg"
SPEECH = MEDIA / "speech-en-librivox-0930.wav"


@dataclass(frozen=True)
class Rendered:
    """A finished render with everything that was said about it on the way."""

    spec: RenderSpec
    result: RenderResult
    progress: list[float]
    clip: Clip


@pytest.fixture(scope="session")
def portrait() -> Path:
    return PORTRAIT


@pytest.fixture(scope="session")
def speech() -> Path:
    return SPEECH


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="session")
def rig(finder: FaceFinder) -> PortraitRig:
    return build_rig(PORTRAIT, finder)


@pytest.fixture(scope="session")
def engine() -> PortraitEngine:
    engine = PortraitEngine()
    engine.warm_up()
    return engine


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio-cache")


@pytest.fixture(scope="session")
def rendered(engine: PortraitEngine, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The real portrait speaking the real recording, with a prompt."""
    folder = tmp_path_factory.mktemp("render")
    spec = RenderSpec(
        portrait=PORTRAIT,
        audio=SPEECH,
        output=folder / "video.mp4",
        poster=folder / "poster.jpg",
        prompt="微笑，点头",
        seed=5,
        cache_dir=cache_dir,
    )
    progress: list[float] = []
    result = engine.render(spec, progress.append, lambda: False)
    return Rendered(spec, result, progress, read_clip(spec.output))
