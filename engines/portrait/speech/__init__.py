"""What the mouth does while a recording is spoken: `analyse` turns samples into a `VisemeTrack`."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import (
    activity,
    closures,
    coarticulation,
    encoder,
    features,
    language,
    recogniser,
)
from engines.portrait.speech import constants as c
from engines.portrait.speech.smoothing import blur, pool_to_frames, ramp, runs, to_frames, widen
from engines.portrait.speech.track import SHAPE_HIGH, SHAPE_LOW, SHAPE_NAMES, VisemeTrack

__all__ = ["SHAPE_NAMES", "WEIGHTS", "VisemeTrack", "analyse", "track_of"]

WEIGHTS = (encoder.WEIGHTS, recogniser.WEIGHTS, closures.WEIGHTS, language.WEIGHTS)
"""The files that were learned."""


def analyse(pcm16k: NDArray[np.float32], fps: int = 25) -> VisemeTrack:
    """Analyse mono 16 kHz samples in [-1, 1] and return one row per video frame.

    The track has `ceil(duration * fps)` frames. Never raises on finite samples: silence and noise
    give a mouth at rest.
    """
    pcm = np.clip(np.asarray(pcm16k, np.float32).reshape(-1), -1, 1)
    signal = features.extract(pcm)
    heard = activity.detect(signal)
    sounds = recogniser.recognise(pcm, heard.speech)
    return track_of(sounds, signal, heard, len(pcm), fps)


def track_of(
    sounds: recogniser.Sounds,
    signal: features.Features,
    heard: activity.Activity,
    samples: int,
    fps: int,
) -> VisemeTrack:
    """The track of a recording of so many samples in which these sounds were heard."""
    frames = math.ceil(samples * fps / c.SAMPLE_RATE)
    shapes = _shapes(sounds, signal, heard)
    sampled = to_frames(shapes, frames, fps)
    sampled[:, 5] = pool_to_frames(shapes[:, 5], frames, fps)
    return VisemeTrack(
        fps=fps,
        shapes=np.clip(sampled, SHAPE_LOW, SHAPE_HIGH),
        energy=to_frames(blur(heard.loudness, c.ENERGY_SIGMA_S), frames, fps),
        stress=to_frames(heard.stress, frames, fps),
        silence=to_frames(heard.speech.astype(np.float32), frames, fps) < 0.5,
        language=language.detect(sounds.posteriors, heard.speech),
        duration_s=samples / c.SAMPLE_RATE,
    )


def _shapes(
    sounds: recogniser.Sounds, signal: features.Features, heard: activity.Activity
) -> NDArray[np.float32]:
    """(n, 8) at the analysis rate: the sounds give the shape, the loudness of the phrase the amount."""
    if not heard.speech.any():
        return np.zeros((len(signal), len(SHAPE_NAMES)), np.float32)
    blended = coarticulation.blend(sounds.posteriors)
    closure = closures.curve(closures.find(sounds, signal), len(signal))
    energy = blur(heard.loudness, c.ENERGY_SIGMA_S)
    present = ramp(energy, (0, 0.25))
    offset, slope = c.JAW_GAIN
    jaw = blended[:, 0] * (offset + slope * _phrase_loudness(heard)) * ramp(energy, (0, 0.1))
    speaking, about_to = (_gate(widen(heard.speech, lead)) for lead in (0.0, c.CLOSURE_LEAD_S))
    lips = blended[:, 1:5] * np.stack([present, present, energy, ramp(energy, (0, 0.17))], axis=1)
    jaw = np.maximum(jaw * speaking, _waiting(jaw, heard.speech))
    tongue = coarticulation.tongue_tip(sounds.posteriors) * speaking[:, None]
    return np.column_stack([jaw, lips * speaking[:, None], closure * about_to, tongue]).astype(np.float32)


def _phrase_loudness(heard: activity.Activity) -> NDArray[np.float32]:
    """(n,) how loud the speech around is, whatever the loudness of the single sound."""
    speech = heard.speech.astype(np.float32)
    around = np.maximum(blur(speech, c.PHRASE_SIGMA_S), 0.01)
    phrase = blur(heard.loudness * speech, c.PHRASE_SIGMA_S) / around
    return phrase.astype(np.float32)


def _waiting(jaw: NDArray[np.float32], speech: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n,) jaw in short pauses: it waits, less open than in this speech on average."""
    pausing = np.zeros(len(speech), np.float32)
    longest, phrase = c.PAUSE_S * c.ANALYSIS_RATE, c.PHRASE_S * c.ANALYSIS_RATE
    for (before, end), (start, after) in pairwise(runs(speech)):
        if start - end <= longest and min(end - before, after - start) >= phrase:
            pausing[end:start] = c.PAUSE_OPEN * jaw[speech].mean()
    return blur(pausing, c.VISEME_SIGMA_S)


def _gate(flags: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n,) 0..1, one where a flag is set and fading beside it."""
    return ramp(blur(flags.astype(np.float32), c.CLOSURE_SIGMA_S), (0, 0.5))
