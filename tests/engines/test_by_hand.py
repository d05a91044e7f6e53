"""An engine is tried by hand before it is used: `python -m engines`."""

from pathlib import Path

import pytest
from PIL import Image

from engines.__main__ import main
from tests.engines.portrait.reading import read_clip
from tests.standins.films import write_speech
from tests.standins.lightx2v import LightX2VServer


def test_a_remote_engine_makes_one_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    portrait, output = tmp_path / "portrait.jpg", tmp_path / "out.mp4"
    Image.new("RGB", (256, 320), "grey").save(portrait)
    audio = write_speech(tmp_path / "a.wav", 1.0)
    arguments = ["lightx2v", str(portrait), str(audio), str(output), "--look-s", "0.01"]
    with LightX2VServer().serving() as server:
        monkeypatch.setenv("LIGHTX2V_URLS", server.url)
        server.autorun = True
        server.fail("dropped", path="/status", method="GET", times=1)
        assert main(arguments) == 1  # it was not ready
        assert "server_unreachable" in capsys.readouterr().err
        assert main(arguments) == 0
        assert read_clip(output).metadata["AIGC"]
        assert [request.method for request in server.requests].count("POST") == 1
    assert main(["nobody", *arguments[1:]]) == 1
    assert "engine_unknown" in capsys.readouterr().err
