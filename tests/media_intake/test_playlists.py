"""A playlist that poses as a recording leads nowhere: no other file is opened, no connection made."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.badfiles import raw, sounds
from tests.media_intake.watching import opened_names
from videos.media.audio import prepare_audio
from videos.media.problems import MediaProblem

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")

FORMS = {
    "ffconcat": "ffconcat version 1.0\nfile neighbour.wav\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nneighbour.wav\n#EXT-X-ENDLIST\n",
    "hls with address": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{folder}/neighbour.wav\n",
    "hls to a server": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.ts\n",
    "stream description": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
}
WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "bare": lambda text: text,
    "behind an MP3 tag": lambda text: raw.id3(bytes(64)) + text,
    "behind real frames": lambda text: sounds.bare_mp3() + text,
    "inside a WAV": lambda text: raw.wav(text * 200, rate=8_000, bits=8),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("form", FORMS)
def test_nothing_but_the_given_file_is_opened(form: str, wrapping: str, tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "neighbour.wav").write_bytes(sounds.tone_wav(1))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        text = FORMS[form].format(folder=inside, port=server.getsockname()[1]).encode()
        (inside / "speech.mp3").write_bytes(WRAPPINGS[wrapping](text))
        with opened_names(inside) as opened:
            try:
                prepare_audio(inside / "speech.mp3", wav_out=outside / "speech.wav")
            except MediaProblem:
                assert not list(outside.iterdir())
        with pytest.raises(BlockingIOError):
            server.accept()
    assert opened == {"speech.mp3"}


def test_the_danger_is_real_without_the_defence(tmp_path: Path) -> None:
    (tmp_path / "neighbour.wav").write_bytes(sounds.tone_wav(1))
    playlist = tmp_path / "speech.mp3"
    playlist.write_text(FORMS["ffconcat"])
    with opened_names(tmp_path) as opened, av.open(str(playlist)) as container:
        assert container.streams.audio
    assert opened == {"speech.mp3", "neighbour.wav"}
