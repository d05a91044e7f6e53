"""Loading the networks that look at photos."""

import cv2

from engines.base import EngineUnavailableError
from engines.portrait.face.models import verified_file


def load_network(name: str) -> cv2.dnn.Net:
    """Parse model `name`.

    OpenCV 5's new engine returns only one output of these nets, the classic engine all of them.
    """
    path = str(verified_file(name))
    try:
        return cv2.dnn.readNetFromTFLite(path, engine=cv2.dnn.ENGINE_CLASSIC)
    except cv2.error as error:
        raise EngineUnavailableError("face_model_broken", name=name) from error
