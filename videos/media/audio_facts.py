"""What is accepted of a recording, and what is known of an accepted one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AudioLimits:
    """What is accepted.

    `silence_dbfs`: a recording is silent when no tenth of a second of it has a higher RMS.
    `max_damaged_share`: packets that may fail to decode, or samples that may be no numbers, of all.
    `max_missing_share`: how much of the declared data may be missing at the end.
    `slack_s`: beyond `max_s`, for the padding that MP3 encoders add.
    """

    max_bytes: int = 50_000_000
    min_s: float = 0.5
    max_s: float = 300.0
    slack_s: float = 0.1
    min_rate_hz: int = 8_000
    max_rate_hz: int = 192_000
    max_channels: int = 8
    silence_dbfs: float = -60.0
    max_damaged_share: float = 0.05
    max_missing_share: float = 0.02


DEFAULT_AUDIO_LIMITS = AudioLimits()


@dataclass(frozen=True)
class PreparedAudio:
    """Facts about an accepted recording: of the source its format, codec, rate (Hz) and channels; of the
    result duration (s), sample count at 48 kHz, peak and RMS (dBFS); and the share of damage mended (0 to 1).
    """

    duration_s: float
    samples: int
    source_format: str
    codec: str
    sample_rate: int
    channels: int
    peak_dbfs: float
    rms_dbfs: float
    damaged_share: float
