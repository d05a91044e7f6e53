"""The mouth of the face in a video, frame by frame, by the face mesh."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engines.portrait.face.detect import FaceDetector
from engines.portrait.face.mesh import FaceMesh, Mesh
from engines.portrait.speech.constants import SAMPLE_RATE

_SURE = 0.5
_INNER_LIP_PAIRS = ((13, 14), (82, 87), (312, 317))
"""Upper and lower points of the inner lips: middle and both sides of it."""
_CORNERS = (61, 291)
_EYES = ((33, 133), (362, 263))


@dataclass(frozen=True)
class FilmedMouth:
    """What a video shows and sounds like; lengths in inter-ocular distances (IOD)."""

    fps: float
    opening: NDArray[np.float32]
    """(frames,) mean gap between the inner lips."""
    width: NDArray[np.float32]
    """(frames,) distance between the corners of the mouth."""
    pixels: float
    """The middle width of the mouth, the one length in pixels."""
    lost: int
    """Frames without a face, filled in from their neighbours; before the first and after the last face
    (titles) nothing is measured."""
    moments: NDArray[np.float64]
    """(frames,) which second of `pcm` each frame is shown at; sound and picture need not start together."""
    pcm: NDArray[np.float32]
    """Mono 16 kHz samples of the sound."""

    def sampled(self, curve: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
        """(frames,) values of a curve over the sound with `rate` values a second."""
        return np.interp(self.moments * rate, np.arange(len(curve)), curve).astype(np.float32)


def film(path: Path) -> FilmedMouth:
    """Measure the largest face of a video with sound.

    Raises `OSError` for an unreadable file and `ValueError` where picture, sound or face is missing.
    """
    try:
        with av.open(str(path)) as file:
            if not file.streams.video or not file.streams.audio:
                raise ValueError(f"{path} needs a picture and sound")
            rate = file.streams.video[0].average_rate or Fraction(25)
            shown = [(moment, *_of_mesh(mesh)) for moment, mesh in _meshes(file)]
        pcm, first_s = _sound(path)
    except av.error.FFmpegError as error:
        raise OSError(f"{path} cannot be decoded: {error}") from error
    table = np.array(shown, np.float64).reshape(-1, 4)
    found = np.flatnonzero(np.isfinite(table[:, 1]))
    if len(found) < 2:
        raise ValueError(f"{path} shows no face")
    moments, *measured = table[found[0] : found[-1] + 1].T
    seen = np.isfinite(measured[0])
    opening, width = (
        np.interp(moments, moments[seen], column[seen]).astype(np.float32) for column in measured[:2]
    )
    pixels = float(np.median(measured[2][seen]))
    return FilmedMouth(float(rate), opening, width, pixels, int((~seen).sum()), moments - first_s, pcm)


def _meshes(file: av.container.InputContainer) -> Iterator[tuple[float, Mesh | None]]:
    """Every frame's time in seconds and the largest face in it."""
    detector, network = FaceDetector(), FaceMesh()
    previous: Mesh | None = None
    for frame in file.decode(video=0):
        image = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
        mesh = network.track(image, previous) if previous else None
        if mesh is None or mesh.confidence < _SURE:
            faces = detector.detect(image)
            mesh = network.locate(image, max(faces, key=lambda face: face.size)) if faces else None
        previous = mesh if mesh and mesh.confidence >= _SURE else None
        yield frame.time or 0.0, previous


def _of_mesh(mesh: Mesh | None) -> tuple[float, float, float]:
    """Opening and width in IOD, and width in pixels."""
    if mesh is None:
        return (np.nan, np.nan, np.nan)
    points = mesh.points
    eyes = [points[list(pair)].mean(axis=0) for pair in _EYES]
    distance = float(np.linalg.norm(eyes[0] - eyes[1])) or 1.0
    gaps = [np.linalg.norm(points[upper] - points[lower]) for upper, lower in _INNER_LIP_PAIRS]
    corners = float(np.linalg.norm(points[_CORNERS[0]] - points[_CORNERS[1]]))
    return float(np.mean(gaps)) / distance, corners / distance, corners


def _sound(path: Path) -> tuple[NDArray[np.float32], float]:
    """The sound's samples, and when they begin on the clock of the file."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    pieces: list[NDArray[np.float32]] = []
    first_s: float | None = None
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            first_s = (frame.time or 0.0) if first_s is None else first_s
            pieces += [piece.to_ndarray().ravel().astype(np.float32) for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray().ravel().astype(np.float32) for piece in resampler.resample(None)]
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return samples / np.float32(32768), first_s or 0.0
