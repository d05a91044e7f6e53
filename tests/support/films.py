"""What is in a finished video, found by decoding it."""

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Film:
    """Facts about an MP4; `frames` are grey levels, shape (frames, height, width)."""

    video_codec: str
    profile: str | None
    pixel_format: str
    fps: Fraction
    audio_codec: str
    audio_duration_s: float
    faststart: bool
    frames: NDArray[np.uint8]

    @property
    def duration_s(self) -> float:
        return len(self.frames) / float(self.fps)

    def motion(self) -> NDArray[np.float64]:
        """Standard deviation over time of each pixel, in grey levels."""
        deviation: NDArray[np.float64] = self.frames.astype(np.float32).std(axis=0, dtype=np.float64)
        return deviation


def watch(content: bytes) -> Film:
    """Decode a whole MP4."""
    with av.open(io.BytesIO(content), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video)]
        container.seek(0)
        samples = sum((frame.samples for frame in container.decode(audio)), start=0)
        return Film(
            video_codec=video.codec_context.name,
            profile=video.codec_context.profile,
            pixel_format=str(video.codec_context.pix_fmt),
            fps=Fraction(video.average_rate or 0),
            audio_codec=audio.codec_context.name,
            audio_duration_s=samples / audio.codec_context.sample_rate,
            faststart=0 < content.find(b"moov") < content.find(b"mdat"),
            frames=np.stack(frames),
        )
