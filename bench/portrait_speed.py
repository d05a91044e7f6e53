"""How fast the portrait engine renders, against the price of encoding a still picture.

    python -m bench.portrait_speed [--portrait P] [--audio A] [--sides 512 1080] [--seconds 10 60]

For every size and length three figures, taken turn and turn about in one process: the engine on a new
recording, the engine on a recording it has prepared before (as for every further item of a batch), and
the floor: one still frame of the same portrait and the same sound, encoded by one plain encoder with the
engine's settings. The processor's seconds are given beside the clock's, because they tell the truth on a
busy machine too.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from videos.engines.base import RenderSpec
from videos.engines.portrait.audio import FPS, SOUND_BIT_RATE, SOUND_RATE
from videos.engines.portrait.encode import encoder_options
from videos.engines.portrait.engine import PortraitEngine, default_threads
from videos.engines.portrait.rig import read_image

MEDIA = Path(__file__).parents[1] / "tests" / "media"
Timing = tuple[float, float]
HEADING = """\
                           new recording         known recording        floor      known / floor
side length threads      s  CPU s  x real       s  CPU s  x real       s  CPU s        s    CPU"""


def timed(work: Callable[[], None]) -> Timing:
    """Seconds by the clock and by the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


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


def scale_portrait(source: Path, side: int, target: Path) -> None:
    """The portrait at `side` pixels along its longer side."""
    image = read_image(source)
    factor = side / max(image.shape[:2])
    cv2.imwrite(str(target), cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC))


def encode_still(portrait: Path, audio: Path, output: Path, threads: int) -> None:
    """The floor: the portrait as a still video with the recording as AAC."""
    image = read_image(portrait)
    height, width = image.shape[0] & ~1, image.shape[1] & ~1
    picture = cv2.cvtColor(np.ascontiguousarray(image[:height, :width]), cv2.COLOR_BGR2YUV_I420).astype(
        np.uint8
    )
    with (
        av.open(str(output), "w", options={"movflags": "+faststart"}) as writer,
        av.open(str(audio)) as reader,
    ):
        video = writer.add_stream("libx264", rate=FPS, width=width, height=height, pix_fmt="yuv420p")
        video.options = {**encoder_options(), "threads": str(threads)}
        sound = writer.add_stream("aac", rate=SOUND_RATE, layout="mono", bit_rate=SOUND_BIT_RATE)
        sound.options = {"aac_coder": "fast"}
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=SOUND_RATE, frame_size=1024)
        frames, shown = reader.decode(audio=0), 0
        for block in (piece for frame in frames for piece in resampler.resample(frame)):
            writer.mux(sound.encode(block))
            while shown * SOUND_RATE < ((block.pts or 0) + block.samples) * FPS:
                still = av.VideoFrame.from_ndarray(picture, format="yuv420p")
                still.pts, still.time_base = shown, Fraction(1, FPS)
                writer.mux(video.encode(still))
                shown += 1
        writer.mux(sound.encode(None))
        writer.mux(video.encode(None))


def measure(portrait: Path, audio: Path, folder: Path, threads: int, rounds: int) -> list[Timing]:
    """Best of `rounds`, turn and turn about: a new recording, a known one, the floor."""
    engine = PortraitEngine()
    engine.warm_up()
    best: list[Timing] = [(np.inf, np.inf)] * 3

    def render(cache: Path) -> None:
        spec = RenderSpec(
            portrait=portrait, audio=audio, output=folder / "ours.mp4", cache_dir=cache, threads=threads
        )
        engine.render(spec, lambda _: None, lambda: False)

    known = folder / "known"
    render(known)
    for index in range(rounds):
        fresh = folder / f"fresh{index}"
        works = (
            partial(render, fresh),
            partial(render, known),
            partial(encode_still, portrait, audio, folder / "floor.mp4", threads),
        )
        for place, work in enumerate(works):
            clock, processor = timed(work)
            best[place] = min(best[place][0], clock), min(best[place][1], processor)
        shutil.rmtree(fresh)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--portrait", type=Path, default=MEDIA / "portrait-astronaut.jpg")
    parser.add_argument("--audio", type=Path, default=MEDIA / "speech-en-librivox-0870.wav")
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 1080])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--threads", type=int, nargs="+", default=[default_threads()])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; best of {options.rounds}")
    print(HEADING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in options.sides:
            portrait = folder / f"{side}.png"
            scale_portrait(options.portrait, side, portrait)
            for seconds in options.seconds:
                audio = folder / f"{seconds:g}.wav"
                loop_audio(options.audio, seconds, audio)
                for threads in options.threads:
                    new, known, floor = measure(portrait, audio, folder, threads, options.rounds)
                    cells = [f"{clock:8.2f}{cpu:7.2f}{seconds / clock:9.1f}" for clock, cpu in (new, known)]
                    print(
                        f"{side:4} {seconds:5g} s {threads:4}     {cells[0]}{cells[1]}"
                        f"{floor[0]:9.2f}{floor[1]:7.2f}{known[0] / floor[0]:9.2f}{known[1] / floor[1]:7.2f}"
                    )


if __name__ == "__main__":
    main()
