"""Timings of recordings whose words are known, by PocketSphinx's forced alignment (English)."""

from pathlib import Path

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from workshop.speech_training.ipa import ARPABET_UNITS
from workshop.speech_training.labels import UNKNOWN, Label, spread

_RATE = 100
_CENTRE_S = 0.01
"""A frame of the aligner begins at its number, ours is centred there: half a window between them."""

_BEAMS = (1e-48, 1e-60, 1e-80, 1e-100, 1e-120)
"""Search beams to try in turn: which of them keeps the right path alive depends on the recording."""


def align(pcm: NDArray[np.float32], words: str) -> list[Label]:
    """Labels of mono 16 kHz samples in which just these words are spoken.

    Raises `ValueError` where the words do not fit the recording.
    """
    samples = np.clip(pcm * 32767, -32768, 32767).astype(np.int16).tobytes()
    for beam in _BEAMS:
        decoder = _decoder(beam)
        try:
            decoder.set_align_text(words)
            _decode(decoder, samples)
            decoder.set_alignment()
            _decode(decoder, samples)
        except RuntimeError:
            continue
        break
    else:
        raise ValueError("the words do not fit the recording")
    labels: list[Label] = []
    for word in decoder.get_alignment():
        for phone in word:
            start = phone.start / _RATE + _CENTRE_S
            end = start + phone.duration / _RATE
            labels += spread(start, end, ARPABET_UNITS.get(phone.name.lower(), (UNKNOWN,)))
    return labels


def _decoder(beam: float) -> pocketsphinx.Decoder:
    model = Path(pocketsphinx.get_model_path()) / "en-us"
    return pocketsphinx.Decoder(
        hmm=str(model / "en-us"),
        dict=str(model / "cmudict-en-us.dict"),
        loglevel="FATAL",
        beam=beam,
        pbeam=beam,
        wbeam=beam,
    )


def _decode(decoder: pocketsphinx.Decoder, samples: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(samples, no_search=False, full_utt=True)
    decoder.end_utt()
