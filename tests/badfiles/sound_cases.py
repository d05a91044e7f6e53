"""Odd and broken recordings. A name's end is what the client claims; the content decides."""

from collections.abc import Callable
from functools import partial

import numpy as np

from . import pictures, raw
from . import sounds as s
from .case import AudioAnswer, Case

_SPEECH_S = 3.29


def _bad(name: str, code: str, build: Callable[[], bytes]) -> Case:
    return Case(name, name, "audio", build, code)


def _good(
    name: str,
    build: Callable[[], bytes],
    duration_s: float,
    *,
    kind: str = "wav",
    rate: int | None = 16_000,
    channels: int | None = 1,
    peak: float | None = None,
    tolerance_s: float = 0.001,
) -> Case:
    answer = AudioAnswer(duration_s, kind, rate, channels, peak, tolerance_s)
    return Case(name, name, "audio", build, None, answer)


def _text(*lines: str) -> Callable[[], bytes]:
    return lambda: "\n".join(lines).encode()


def _cut(build: Callable[[], bytes], share: float) -> Callable[[], bytes]:
    return lambda: build()[: int(len(build()) * share)]


_POSING = (
    _bad("hls-file-url.mp3", "audio_type", _text("#EXTM3U", "#EXTINF:9,", "file:///etc/passwd")),
    _bad("hls-http-url.mp3", "audio_type", _text("#EXTM3U", "#EXTINF:9,", "http://127.0.0.1:9/x.ts")),
    _bad("hls-in-wav-name.wav", "audio_type", _text("#EXTM3U", "#EXTINF:9,", "plain-tone.wav")),
    _bad("ffconcat.mp3", "audio_type", _text("ffconcat version 1.0", "file plain-tone.wav")),
    _bad("pls.mp3", "audio_type", _text("[playlist]", "File1=file:///etc/passwd")),
    _bad("sdp.mp3", "audio_type", _text("v=0", "c=IN IP4 127.0.0.1", "m=audio 9 RTP/AVP 0")),
    _bad("subtitles.mp3", "audio_type", _text("1", "00:00:00,000 --> 00:00:09,000", "hello")),
    _bad("dash.mp3", "audio_type", _text("<MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>")),
    _bad(
        "playlist-behind-id3.mp3",
        "audio_type",
        lambda: raw.id3(bytes(100)) + b"#EXTM3U\nfile:///etc/passwd\n",
    ),
    _bad("jpeg.mp3", "audio_type", pictures.portrait),
    _bad("video-without-sound.mp3", "audio_type", s.video_only),
    _bad("m4a.mp3", "audio_type", partial(s.encoded, "mp4", "aac")),
    _bad("flac.wav", "audio_type", partial(s.encoded, "flac", "flac")),
    _bad("ogg.mp3", "audio_type", partial(s.encoded, "ogg", "libopus", 1.0)),
    _bad("aac.mp3", "audio_type", partial(s.encoded, "adts", "aac")),
    _bad("avi.wav", "audio_type", lambda: b"RIFF\x64\0\0\0AVI " + bytes(100)),
    _bad("webp.wav", "audio_type", partial(pictures.plain, "WEBP")),
    _bad("noise.mp3", "audio_type", partial(pictures.noise, 200_000)),
    _bad("aac-inside.wav", "audio_codec", partial(s.encoded, "wav", "aac")),
    _bad("unknown-codec.wav", "audio_codec", lambda: raw.wav(bytes(32_000), rate=16_000, tag=0x7777)),
    _good("mp3-named.wav", s.mp3, _SPEECH_S, kind="mp3"),
    _good("wav-named.mp3", s.speech_wav, _SPEECH_S),
    _good("mp3-inside.wav", partial(s.encoded, "wav", "libmp3lame"), _SPEECH_S, tolerance_s=0.15),
)

_BROKEN = (
    _bad("zero-bytes.mp3", "audio_empty", bytes),
    _bad("riff-only.wav", "audio_type", lambda: b"RIFF"),
    _bad("wav-without-format.wav", "audio_unreadable", lambda: b"RIFF\x24\0\0\0WAVEdata" + bytes(4000)),
    _bad("wav-without-data.wav", "audio_no_stream", lambda: s.tone_wav(1)[:36]),
    _bad("wav-with-no-samples.wav", "audio_no_stream", lambda: raw.wav(b"", rate=16_000)),
    _bad("wav-cut-in-half.wav", "audio_truncated", _cut(s.speech_wav, 0.5)),
    _bad("wav-cut-near-end.wav", "audio_truncated", _cut(s.speech_wav, 0.95)),
    _bad("mp3-cut-in-half.mp3", "audio_truncated", _cut(s.mp3, 0.5)),
    _bad("mp3-cut-near-end.mp3", "audio_truncated", _cut(s.mp3, 0.9)),
    _bad("mp3-tag-only.mp3", "audio_type", lambda: raw.id3(bytes(2_000))),
    _good("bare-mp3-cut-in-half.mp3", _cut(s.bare_mp3, 0.5), _SPEECH_S / 2, kind="mp3", tolerance_s=0.2),
    _good(
        "mp3-with-little-garbage.mp3",
        partial(s.mp3_with_garbage, 0.02),
        _SPEECH_S,
        kind="mp3",
        tolerance_s=0.4,
    ),
    _bad("mp3-half-garbage.mp3", "audio_damaged", partial(s.mp3_with_garbage, 0.5)),
    _good("mp3-behind-zeros.mp3", lambda: bytes(5_000) + s.mp3(), _SPEECH_S, kind="mp3"),
    _good("mp3-with-2-mb-tag.mp3", s.tagged_mp3, _SPEECH_S, kind="mp3"),
    _good("mp3-with-id3v1.mp3", lambda: s.mp3() + b"TAG" + bytes(125), _SPEECH_S, kind="mp3"),
    _good("mp3-with-ape.mp3", lambda: s.mp3() + raw.ape(pictures.noise(300_000)), _SPEECH_S, kind="mp3"),
    _good(
        "mp3-with-ape-and-id3v1.mp3",
        lambda: s.mp3() + raw.ape(b"cover") + b"TAG" + bytes(125),
        _SPEECH_S,
        kind="mp3",
    ),
    _good("mp3-with-ape-larger-than-file.mp3", s.mp3_before_a_lying_ape, _SPEECH_S, kind="mp3"),
    _good("float-few-nans.wav", partial(s.wav_float, 32, 0.01), 1.0),
    _bad("float-many-nans.wav", "audio_damaged", partial(s.wav_float, 32, 0.5)),
)

_HEADERS = (
    _bad("one-hertz.wav", "audio_sample_rate", lambda: raw.wav(bytes(88_200), rate=1)),
    _bad("zero-hertz.wav", "audio_unreadable", lambda: raw.wav(bytes(88_200), rate=0)),
    _bad("four-gigahertz.wav", "audio_sample_rate", lambda: raw.wav(bytes(88_200), rate=0x7FFFFFFF)),
    _bad(
        "sixty-four-channels.wav",
        "audio_channels",
        lambda: raw.wav(bytes(64 * 2 * 16_000), rate=16_000, channels=64),
    ),
    _bad("no-channels.wav", "audio_no_stream", lambda: raw.wav(bytes(32_000), rate=16_000, channels=0)),
    _good(
        "size-ffffffff.wav",
        lambda: raw.wav(s.pcm16(s.tone(1)), rate=16_000, declared=0xFFFFFFFF),
        1.0,
        peak=-6.0,
    ),
    _good("size-zero.wav", lambda: raw.wav(s.pcm16(s.tone(1)), rate=16_000, declared=0), 1.0, peak=-6.0),
    _good(
        "chunks-before-data.wav",
        lambda: raw.wav(s.pcm16(s.tone(1)), rate=16_000, before=raw.riff_chunk(b"LIST", bytes(99_999))),
        1.0,
    ),
    _good(
        "chunks-after-data.wav",
        lambda: raw.wav(s.pcm16(s.tone(1)), rate=16_000) + raw.riff_chunk(b"LIST", bytes(99_999)),
        1.0,
        peak=-6.0,
    ),
    _good("rf64.wav", lambda: raw.rf64(s.pcm16(s.tone(1)), rate=16_000), 1.0, peak=-6.0),
    _good(
        "rf64-with-chunks-after-data.wav",
        lambda: raw.rf64(s.pcm16(s.tone(1)), rate=16_000, after=raw.riff_chunk(b"LIST", bytes(99_999))),
        1.0,
        peak=-6.0,
    ),
    _good(
        "rf64-size-zero.wav", lambda: raw.rf64(s.pcm16(s.tone(1)), rate=16_000, declared=0), 1.0, peak=-6.0
    ),
    _bad(
        "chunk-larger-than-file.wav",
        "audio_no_stream",
        lambda: raw.wav(s.pcm16(s.tone(1)), rate=16_000, before=b"LIST\xff\xff\xff\x7f"),
    ),
    _good("8-bit.wav", s.wav8, 1.0, peak=-6.0),
    _good("24-bit.wav", s.wav24, 1.0, peak=-6.0),
    _good("24-bit-extensible.wav", partial(s.wav24, extensible=True), 1.0, peak=-6.0),
    _good("float-32.wav", s.wav_float, 1.0, peak=-6.0),
    _good("float-64.wav", partial(s.wav_float, 64), 1.0, peak=-6.0),
    _good("stereo.wav", partial(s.stereo_wav, 0.5, 0.5), 1.0, channels=2, peak=-6.0),
    _good("stereo-one-side.wav", partial(s.stereo_wav, 0.5, 0.0), 1.0, channels=2, peak=-12.0),
    _good("stereo-opposite-phase.wav", partial(s.stereo_wav, 0.5, -0.5), 1.0, channels=2, peak=-6.0),
    _good(
        "six-channels.wav",
        lambda: raw.wav(s.pcm16(s.tone(1).repeat(6)), rate=16_000, channels=6),
        1.0,
        channels=6,
    ),
    _good("eight-kilohertz.wav", partial(s.tone_wav, 1.0, 8_000), 1.0, rate=8_000, peak=-6.0),
    _good("192-kilohertz.wav", partial(s.tone_wav, 1.0, 192_000), 1.0, rate=192_000, peak=-6.0),
)

_LENGTHS = (
    _bad("ten-milliseconds.wav", "audio_too_short", partial(s.tone_wav, 0.01)),
    _bad("490-milliseconds.wav", "audio_too_short", partial(s.tone_wav, 0.49)),
    _good("500-milliseconds.wav", partial(s.tone_wav, 0.5), 0.5),
    _good("plain-tone.wav", partial(s.tone_wav, 1.0), 1.0, peak=-6.0),
    _good("five-minutes.wav", partial(s.tone_wav, 300.0, 8_000), 300.0, rate=8_000),
    _bad("five-minutes-and-a-second.wav", "audio_too_long", partial(s.tone_wav, 301.0, 8_000)),
    _bad("five-minutes-and-a-second.mp3", "audio_too_long", lambda: s.bare_mp3() * 95),
    _bad("over-50-mb.wav", "audio_too_large", lambda: raw.wav(bytes(50_000_001), rate=48_000)),
    _bad("silence.wav", "audio_silent", lambda: raw.wav(bytes(64_000), rate=16_000)),
    _bad("silence-8-bit.wav", "audio_silent", lambda: raw.wav(b"\x80" * 32_000, rate=16_000, bits=8)),
    _bad("idle-microphone.wav", "audio_silent", partial(s.hum, 0.0003)),
    _bad("constant-offset.wav", "audio_silent", s.offset_only),
    _good("very-quiet.wav", partial(s.hum, 0.003), 2.0),
    _good(
        "speech-between-silences.wav",
        lambda: raw.wav(
            s.pcm16(np.concatenate([np.zeros(80_000), s.tone(1), np.zeros(80_000)])), rate=16_000
        ),
        11.0,
    ),
)

SOUND_CASES: tuple[Case, ...] = _POSING + _BROKEN + _HEADERS + _LENGTHS
