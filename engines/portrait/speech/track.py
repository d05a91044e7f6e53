"""The result of the speech analysis: what the mouth and head do in every video frame."""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

SHAPE_NAMES = ("jaw", "width", "pucker", "upper_lip", "lip_tuck", "closure", "tongue", "tongue_out")
"""The columns of `VisemeTrack.shapes`."""

SHAPE_LOW = np.array([0, -1, 0, 0, 0, 0, 0, 0], np.float32)
SHAPE_HIGH = np.ones(len(SHAPE_NAMES), np.float32)

_FORMAT = 2


@dataclass(frozen=True)
class VisemeTrack:
    """Mouth shapes and emphasis of one recording, one row per video frame.

    Frame `i` shows the moment `i / fps`. A closed mouth at rest is all zeros.
    """

    fps: int
    shapes: NDArray[np.float32]
    """(frames, 8), see `SHAPE_NAMES`: jaw opening 0..1, width -1 (narrow)..1 (spread),
    pucker 0..1, raised upper lip 0..1, lower lip tucked under the teeth (f, v) 0..1,
    lips pressed together (b, p, m) 0..1, which is max-pooled so that no closure falls
    between two frames, the tongue's tip raised to the upper teeth 0..1, and put out
    between the teeth (th) 0..1."""
    energy: NDArray[np.float32]
    """(frames,) smoothed loudness 0..1, for nods and head motion."""
    stress: NDArray[np.float32]
    """(frames,) emphasis of syllables 0..1."""
    silence: NDArray[np.bool_]
    """(frames,) whether nobody speaks."""
    language: str
    """"en", "zh", or "und" where the speech is too short or too unclear to tell."""
    duration_s: float
    """Exact length of the analysed audio."""

    @property
    def aperture(self) -> NDArray[np.float32]:
        """(frames,) opening between the lips 0..1: the jaw's, less what closures and f/v take away."""
        jaw, tuck, closure = self.shapes[:, 0], self.shapes[:, 4], self.shapes[:, 5]
        return jaw * (1 - closure) * (1 - 0.7 * tuck)

    def __len__(self) -> int:
        """Number of video frames."""
        return len(self.shapes)

    def save(self, path: Path | str | IO[bytes]) -> None:
        """Write the track as an npz archive without pickled objects."""
        np.savez_compressed(
            path,
            format=np.int64(_FORMAT),
            fps=np.int64(self.fps),
            shapes=self.shapes,
            energy=self.energy,
            stress=self.stress,
            silence=self.silence,
            language=np.array(self.language),
            duration_s=np.float64(self.duration_s),
        )

    @classmethod
    def load(cls, path: Path | str | IO[bytes]) -> "VisemeTrack":
        """Read what `save` wrote.

        Raises `ValueError` for an archive of another format and `OSError` for an unreadable one.
        """
        with np.load(path, allow_pickle=False) as archive:
            if "format" not in archive or int(archive["format"]) != _FORMAT:
                raise ValueError("not a viseme track of this version")
            return cls(
                fps=int(archive["fps"]),
                shapes=archive["shapes"],
                energy=archive["energy"],
                stress=archive["stress"],
                silence=archive["silence"],
                language=str(archive["language"]),
                duration_s=float(archive["duration_s"]),
            )
