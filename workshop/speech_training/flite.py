"""Speech of the statistical CMU voices of Flite with the timings it prints.

Needs the program `flite` (Debian: flite).
"""

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech.constants import SAMPLE_RATE
from workshop.speech_training.ipa import ARPABET_UNITS
from workshop.speech_training.labels import UNKNOWN, Label, spread

VOICES = ("slt", "awb", "rms", "kal16")


def speak(text: str, voice: str, stretch: float = 1.0) -> tuple[NDArray[np.float32], list[Label]]:
    """Mono 16 kHz samples and labels of an English text.

    Raises `OSError` where the program is missing and `subprocess.CalledProcessError` where it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur"]
        command += ["-t", text, "-o", str(path)]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        with wave.open(str(path), "rb") as file:
            if file.getframerate() != SAMPLE_RATE:
                raise OSError(f"voice {voice} does not speak at {SAMPLE_RATE} Hz")
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    labels: list[Label] = []
    start = 0.0
    for item in printed.split():
        name, end = item.rsplit(":", 1)
        labels += spread(start, float(end), ARPABET_UNITS.get(name, (UNKNOWN,)))
        start = float(end)
    return samples.astype(np.float32) / np.float32(32768), labels
