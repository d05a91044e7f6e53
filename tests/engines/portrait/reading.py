"""Reading finished videos back, independently of the code that wrote them."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clip:
    """A decoded video: `luma` (frames, H, W), and facts about its streams."""

    luma: NDArray[np.uint8]
    times_s: list[float]
    video_codec: str
    profile: str
    pixel_format: str
    fps: float
    audio_codec: str
    audio_s: float
    audio_level: float
    metadata: dict[str, str]


def read_clip(path: Path) -> Clip:
    """Decode `path` completely."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames, times, sound = [], [], []
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    height = frame.height
                    frames.append(frame.to_ndarray(format="yuv420p")[:height].copy())
                    times.append(float(frame.time or 0))
                elif isinstance(frame, av.AudioFrame):
                    sound.append(frame.to_ndarray().reshape(-1))
        samples = np.concatenate(sound)
        return Clip(
            luma=np.stack(frames),
            times_s=times,
            video_codec=video.codec_context.name,
            profile=str(video.profile),
            pixel_format=str(video.pix_fmt),
            fps=float(video.average_rate or 0),
            audio_codec=audio.codec_context.name,
            audio_s=len(samples) / audio.sample_rate,
            audio_level=float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))),
            metadata=dict(container.metadata),
        )


def top_level_boxes(path: Path) -> list[str]:
    """The names of an MP4's outermost boxes, in order."""
    data, position, names = path.read_bytes(), 0, []
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        names.append(data[position + 4 : position + 8].decode("latin-1"))
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16], "big")
        position += size or len(data)
    return names
