"""Decodes an uploaded recording once, measures it, and writes the 48 kHz mono WAV that all else uses."""

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from .audio_decoding import SAMPLE_RATE_HZ, Decoder, Samples, open_container
from .audio_facts import DEFAULT_AUDIO_LIMITS, AudioLimits, PreparedAudio
from .audio_headers import AudioHeader, read_audio_header
from .files import replacing
from .loudness import LevelMeter
from .problems import MediaProblem

_LEVEL_WINDOW = SAMPLE_RATE_HZ // 10
_BLOCK_SAMPLES = SAMPLE_RATE_HZ  # what is gathered before it is measured and written


def prepare_audio(
    source: Path, *, limits: AudioLimits = DEFAULT_AUDIO_LIMITS, wav_out: Path
) -> PreparedAudio:
    """Decode `source` whole into a 48 kHz mono 16-bit WAV at its own loudness, in constant memory.

    Channels are averaged. A few damaged MP3 frames are left out and samples that are no numbers become
    zero, up to `limits.max_damaged_share`. `wav_out` appears whole or not at all.

    Raises `MediaProblem` for anything wrong with the file, OSError when source or folder is missing.
    """
    with source.open("rb") as file:
        size = file.seek(0, 2)
        if size == 0:
            raise MediaProblem("audio_empty")
        if size > limits.max_bytes:
            raise MediaProblem("audio_too_large", {"limit_mb": round(limits.max_bytes / 1e6, 1)})
        header = read_audio_header(file)
        _refuse_truncated(header, limits)
        with replacing(wav_out) as out:
            sound = _decode(file, header, limits, out)
            if sound.channels > 1 and sound.meter.loudest_dbfs < limits.silence_dbfs:
                # Channels in opposite phase, from a miswired cable, cancel each other when averaged.
                out.seek(0)
                out.truncate()
                sound = _decode(file, header, limits, out, first_channel=True)
            _judge(sound, limits)
    return PreparedAudio(
        duration_s=sound.meter.samples / SAMPLE_RATE_HZ,
        samples=sound.meter.samples,
        source_format=header.format,
        codec=sound.codec,
        sample_rate=sound.rate,
        channels=sound.channels,
        peak_dbfs=sound.meter.peak_dbfs,
        rms_dbfs=sound.meter.rms_dbfs,
        damaged_share=round(sound.damaged_share, 4),
    )


def _refuse_truncated(header: AudioHeader, limits: AudioLimits) -> None:
    if header.present_bytes < header.declared_bytes * (1 - limits.max_missing_share):
        percent = 100 * header.present_bytes // header.declared_bytes
        raise MediaProblem("audio_truncated", {"present_percent": percent})


@dataclass(frozen=True)
class _Sound:
    """One pass over the source: what it was, and what was measured."""

    codec: str
    rate: int
    channels: int
    damaged_share: float
    meter: LevelMeter


def _decode(
    file: BinaryIO, header: AudioHeader, limits: AudioLimits, out: IO[bytes], *, first_channel: bool = False
) -> _Sound:
    meter = LevelMeter(_LEVEL_WINDOW)
    with open_container(file, header) as container:
        decoder = Decoder(
            container,
            rates_hz=(limits.min_rate_hz, limits.max_rate_hz),
            max_channels=limits.max_channels,
            first_channel=first_channel,
        )
        with wave.open(out, "wb") as target:
            target.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
            for block in _gathered(decoder.blocks()):
                meter.feed(block)
                if meter.samples > (limits.max_s + limits.slack_s) * SAMPLE_RATE_HZ:
                    raise MediaProblem("audio_too_long", {"limit_s": limits.max_s})
                target.writeframesraw(block.tobytes())
        return _Sound(decoder.codec, decoder.rate, decoder.channels, decoder.damaged_share, meter)


def _judge(sound: _Sound, limits: AudioLimits) -> None:
    meter, damaged_share = sound.meter, sound.damaged_share
    if damaged_share > limits.max_damaged_share:
        raise MediaProblem("audio_damaged", {"damaged_percent": max(1, round(100 * damaged_share))})
    if meter.samples == 0:
        raise MediaProblem("audio_no_stream")
    if meter.samples < limits.min_s * SAMPLE_RATE_HZ:
        seconds = round(meter.samples / SAMPLE_RATE_HZ, 2)
        raise MediaProblem("audio_too_short", {"duration_s": seconds, "limit_s": limits.min_s})
    if meter.loudest_dbfs < limits.silence_dbfs:
        raise MediaProblem("audio_silent", {"limit_dbfs": limits.silence_dbfs})


def _gathered(pieces: Iterator[Samples]) -> Iterator[Samples]:
    """Join pieces to blocks of about a second: a write for each MP3 frame would cost more than decoding."""
    parts: list[Samples] = []
    count = 0
    for piece in pieces:
        parts.append(piece)
        count += piece.size
        if count >= _BLOCK_SAMPLES:
            yield np.concatenate(parts)
            parts, count = [], 0
    if parts:
        yield np.concatenate(parts)
