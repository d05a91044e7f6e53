"""What the portrait benchmarks share: pictures and recordings of a size, timing, the engine, the floor."""

import os
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import psutil

from engines.base import RenderSpec
from engines.portrait.engine import PortraitEngine
from engines.portrait.rig import read_image
from engines.portrait.video.audio import SOUND_BIT_RATE, SOUND_RATE
from engines.portrait.video.encode import encoder_options
from engines.portrait.video.rate import FPS

MEDIA = Path(__file__).parents[1] / "tests" / "media"
PORTRAIT, SPEECH = MEDIA / "portrait-astronaut.jpg", MEDIA / "speech-en-librivox-0870.wav"
Timing = tuple[float, float]
"""Seconds by the clock and by the processor."""


def timed(work: Callable[[], None]) -> Timing:
    """How long `work` takes."""
    clock, processor = time.perf_counter(), processor_s()
    work()
    return time.perf_counter() - clock, processor_s() - processor


def processor_s() -> float:
    """Processor time of this process and of those it started, ended or not, in seconds."""
    running = [child.cpu_times() for child in psutil.Process().children()]
    return sum(os.times()[:4]) + sum(times.user + times.system for times in running)


def loop_audio(source: Path, seconds: float, target: Path) -> None:
    """A WAV of `seconds` that repeats `source`."""
    with av.open(str(source)) as reader:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
        pieces = [
            block.to_ndarray().reshape(-1)
            for frame in reader.decode(audio=0)
            for block in resampler.resample(frame)
        ]
    samples = np.resize(np.concatenate(pieces), int(seconds * SOUND_RATE))
    with av.open(str(target), "w", format="wav") as writer:
        stream = writer.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = SOUND_RATE
        writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))


def scale_portrait(source: Path, side: int, target: Path, *, trim: int = 0) -> None:
    """The portrait at `side` pixels along its longer side, after `trim` rows are cut off its top."""
    image = read_image(source)[trim:]
    factor = side / max(image.shape[:2])
    cv2.imwrite(str(target), cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC))


def render(engine: PortraitEngine, portrait: Path, audio: Path, cache: Path, threads: int) -> None:
    """One video; the recording is prepared unless it is in `cache` already."""
    output = cache.with_suffix(".mp4")
    spec = RenderSpec(portrait=portrait, audio=audio, output=output, cache_dir=cache, threads=threads)
    engine.render(spec, lambda _: None, lambda: False)


def encode_still(portrait: Path, audio: Path, output: Path, threads: str) -> None:
    """The floor: the portrait as a still video with the recording as AAC, by one encoder of `threads`.

    The picture is laid out once and only its time changes, so that nothing but the encoding is paid for.
    """
    image = read_image(portrait)
    height, width = image.shape[0] & ~1, image.shape[1] & ~1
    picture = cv2.cvtColor(np.ascontiguousarray(image[:height, :width]), cv2.COLOR_BGR2YUV_I420)
    still = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="yuv420p")
    with (
        av.open(str(output), "w", options={"movflags": "+faststart"}) as writer,
        av.open(str(audio)) as reader,
    ):
        video = writer.add_stream("libx264", rate=FPS, width=width, height=height, pix_fmt="yuv420p")
        video.options = {**encoder_options(), "threads": threads}
        sound = writer.add_stream("aac", rate=SOUND_RATE, layout="mono", bit_rate=SOUND_BIT_RATE)
        sound.options = {"aac_coder": "fast"}
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=SOUND_RATE, frame_size=1024)
        frames, shown = reader.decode(audio=0), 0
        for block in (piece for frame in frames for piece in resampler.resample(frame)):
            writer.mux(sound.encode(block))
            while shown * SOUND_RATE < ((block.pts or 0) + block.samples) * FPS:
                still.pts, still.time_base = shown, Fraction(1, FPS)
                writer.mux(video.encode(still))
                shown += 1
        writer.mux(sound.encode(None))
        writer.mux(video.encode(None))
