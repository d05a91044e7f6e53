"""What engines are given to render."""

from pathlib import Path

import pytest
from PIL import Image

from engines.base import RenderSpec
from tests.standins.films import write_speech


@pytest.fixture
def spec(tmp_path: Path) -> RenderSpec:
    """A grey picture and two seconds of sound."""
    portrait = tmp_path / "portrait.jpg"
    Image.new("RGB", (256, 320), "grey").save(portrait)
    return RenderSpec(
        portrait=portrait, audio=write_speech(tmp_path / "speech.wav", 2.0), output=tmp_path / "video.mp4"
    )
