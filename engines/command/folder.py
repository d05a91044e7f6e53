"""The private folder of one job: what its program is given, and what its placeholders stand for."""

import json
import math
from io import BytesIO
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from PIL import Image

from engines.base import RenderSpec, UnusableAudioError, UnusablePortraitError, is_for_want_of_room
from engines.command.presets import Preset

SPEECH_RATE = 16_000
MAX_PROMPT = 2000
SEGMENT_FRAMES, SEGMENT_OVERLAP = 93, 13
"""LongCat's: each segment after the first repeats the end of the one before."""


def lay_out(spec: RenderSpec, folder: Path, preset: Preset) -> dict[str, str]:
    """Lay out the job's folder; returns the values of the placeholders."""
    portrait, audio = folder / "portrait.png", folder / "audio.wav"
    (folder / "out").mkdir()
    content = spec.portrait.read_bytes()  # what goes wrong here says nothing of the portrait
    try:
        with Image.open(BytesIO(content)) as image:
            picture = image.convert("RGB")
    except (OSError, ValueError) as error:
        raise UnusablePortraitError("portrait_unreadable") from error
    picture.save(portrait)
    seconds = _write_speech(spec.audio, audio)
    frames = math.ceil(seconds * preset.fps)
    prompt = " ".join(spec.prompt.split())[:MAX_PROMPT].replace("\0", "")
    return {
        "portrait": str(portrait),
        "audio": str(audio),
        "folder": str(folder),
        "output": str(folder / "output.mp4"),
        # An argument that begins with a dash could be taken for an option
        "prompt": f" {prompt}" if prompt.startswith("-") else prompt,
        "seed": str(spec.seed % 2**31),
        "seconds": f"{seconds:.3f}",
        "frames": str(frames),
        "segments": str(_segments(frames)),
        "portrait_json": json.dumps(str(portrait)),
        "audio_json": json.dumps(str(audio)),
        "prompt_json": json.dumps(prompt),
    }


def _segments(frames: int) -> int:
    later = max(0, frames - SEGMENT_FRAMES)
    return 1 + math.ceil(later / (SEGMENT_FRAMES - SEGMENT_OVERLAP))


def _write_speech(source: Path, target: Path) -> float:
    """The recording as 16 kHz mono WAV; returns its length in seconds.

    Raises `UnusableAudioError`, or OSError where there is no room for it.
    """
    resampler, samples = AudioResampler(format="s16", layout="mono", rate=SPEECH_RATE), 0
    try:
        with av.open(str(source)) as reader, av.open(str(target), "w", format="wav") as writer:
            stream = writer.add_stream("pcm_s16le", rate=SPEECH_RATE, layout="mono")
            pieces: list[AudioFrame | None] = [*reader.decode(audio=0), None]
            for piece in pieces:
                for frame in resampler.resample(piece):
                    frame.pts = samples
                    samples += frame.samples
                    writer.mux(stream.encode(frame))
            writer.mux(stream.encode(None))
    except (av.error.FFmpegError, IndexError) as error:
        if is_for_want_of_room(error):
            raise
        raise UnusableAudioError("recording_undecodable") from error
    return samples / SPEECH_RATE
