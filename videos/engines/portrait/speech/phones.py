"""Phone recognition with PocketSphinx, in pieces, so that memory stays bounded."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from .constants import ANALYSIS_RATE, HOP

_BEAM = 1e-20
"""Search beam. Narrower ones are faster but now and then lose every hypothesis in mid-utterance,
after which one phone fills the rest of the recording."""

_LANGUAGE_WEIGHT = 2.0

_PIECE_S = 20.0
_CUT_SEARCH_S = 4.0
"""Pieces end at the quietest moment of their last seconds."""


class Phone(NamedTuple):
    """A recognised phone and the analysis frames it spans, half open."""

    name: str
    start: int
    end: int


def recognise(pcm: NDArray[np.float32], level_db: NDArray[np.float32]) -> list[Phone]:
    """The phones of a recording, in order, in frames of 10 ms."""
    decoder = _decoder()
    found: list[Phone] = []
    for start, end in _pieces(level_db):
        samples = np.clip(pcm[start * HOP : end * HOP] * 32767, -32768, 32767).astype(np.int16)
        if len(samples) < 5 * HOP:
            continue
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        found += [
            Phone(segment.word, start + segment.start_frame, start + segment.end_frame + 1)
            for segment in decoder.seg() or []
        ]
    return found


def _decoder() -> pocketsphinx.Decoder:
    model = Path(pocketsphinx.get_model_path()) / "en-us"
    config = pocketsphinx.Config(
        hmm=str(model / "en-us"),
        allphone=str(model / "en-us-phone.lm.bin"),
        lw=_LANGUAGE_WEIGHT,
        beam=_BEAM,
        pbeam=_BEAM,
        loglevel="FATAL",
    )
    return pocketsphinx.Decoder(config)


def _pieces(level_db: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Cut a recording at quiet moments into half-open frame ranges of bounded length."""
    longest, search = round(_PIECE_S * ANALYSIS_RATE), round(_CUT_SEARCH_S * ANALYSIS_RATE)
    pieces, start = [], 0
    while len(level_db) - start > longest:
        window = level_db[start + longest - search : start + longest]
        cut = start + longest - search + int(np.argmin(window))
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, len(level_db))]
