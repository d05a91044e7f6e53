"""The talking-portrait models of DashScope: what each takes and how it is called.

From help.aliyun.com/zh/model-studio: wan-s2v-api, liveportrait-api, emo-detect-api and emo-api.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Model:
    title: str
    detector: str
    """The model that looks at a portrait before it is paid for."""
    detection: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()
    """What the detector finds and the model wants to be told."""
    min_side_px: int = 400
    max_side_px: int = 7000
    max_aspect: float | None = 2.0
    max_image_bytes: int = 10_000_000
    max_audio_bytes: int = 15_000_000
    min_audio_s: float = 1.0
    max_audio_s: float
    fps: int = 24


MODELS: Mapping[str, Model] = {
    "wan2.2-s2v": Model(
        title="Wan2.2-S2V (DashScope)",
        detector="wan2.2-s2v-detect",
        parameters={"resolution": "480P"},
        max_aspect=None,
        max_audio_s=19.9,
        fps=16,
    ),
    "liveportrait": Model(
        title="LivePortrait (DashScope)",
        detector="liveportrait-detect",
        parameters={"template_id": "normal", "video_fps": 24, "paste_back": True},
        min_side_px=128,
        max_side_px=4096,
        max_audio_s=179.9,
    ),
    "emo-v1": Model(
        title="EMO (DashScope)",
        detector="emo-detect-v1",
        detection={"ratio": "1:1"},
        parameters={"style_level": "normal"},
        boxes=("face_bbox", "ext_bbox"),
        max_audio_s=59.9,
    ),
}
