"""Recognises MP3 and WAV by content, and finds their sound and how much of it their headers promise.

No demuxer is asked what a file might be: those that read playlists open other files. Layouts: RIFF/WAVE
(Microsoft, "Multiple Channel Audio Data and WAVE Files"), RF64 (EBU Tech 3306), MPEG audio (ISO/IEC
11172-3 and 13818-3), ID3 (id3.org), APEv2 (wiki.hydrogenaud.io), the Xing/Info frame.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from .problems import MediaProblem
from .sniffing import describe
from .sound_view import SoundView

_HEAD_BYTES = 1024
_MAX_ID3_TAGS = 8
_SEARCH_BYTES = 64 * 1024  # garbage and padding tolerated before the first MP3 frame
_MIN_FRAMES = 2  # chance alone makes one frame header in 64 kB of noise, hardly two in a row
_OPEN_ENDED = 0x7FFFF000  # sizes from here on are written by programs that stream and cannot seek back
_MAX_CHUNKS = 1000
_MAX_FORMAT_BYTES = 1024  # with what its codec needs; any more is garbage
_MAX_END_TAGS = 4
_ID3V1_BYTES, _APE_BYTES = 128, 32

_BITRATES_KBPS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass(frozen=True)
class AudioHeader:
    """Demuxer to use (`mp3` or `wav`), the bytes of sound declared and present (0 = not declared), and what
    the demuxer is to see.
    """

    format: str
    declared_bytes: int
    present_bytes: int
    view: SoundView


def read_audio_header(file: BinaryIO) -> AudioHeader:
    """Judge `file` by its content; raises `audio_type`, `audio_no_stream` or `audio_unreadable`."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _wav_header(file, size)
    found = _find_mp3(file)
    if found is None:
        raise MediaProblem("audio_type", {"found": describe(head)})
    start, frame = found
    return AudioHeader(
        "mp3", _xing_bytes(frame), size - start, SoundView(b"", start, _end_of_mp3(file, start, size))
    )


def _wav_header(file: BinaryIO, size: int) -> AudioHeader:
    file.seek(0)
    is_long = file.read(4) == b"RF64"
    offset, form, fact, long_bytes = 12, b"", b"", 0
    for _ in range(_MAX_CHUNKS):
        file.seek(offset)
        chunk = file.read(8)
        if len(chunk) < 8:
            break
        name, length = struct.unpack("<4sI", chunk)
        if name == b"fmt " and not form:
            form = file.read(min(length, _MAX_FORMAT_BYTES))
        elif name == b"fact":
            fact = file.read(min(length, 4))
        elif name == b"ds64" and is_long:
            long_bytes = int.from_bytes(file.read(16)[8:], "little")
        elif name == b"data":
            if not form:
                raise MediaProblem("audio_unreadable")
            start, declared = offset + 8, 0 if length >= _OPEN_ENDED else length
            end = min(size, start + (long_bytes or declared or size))
            return AudioHeader("wav", declared, size - start, _plain_wav(form, fact, start, end))
        offset += 8 + length + (length & 1)
    raise MediaProblem("audio_no_stream" if form else "audio_unreadable")


def _plain_wav(form: bytes, fact: bytes, start: int, end: int) -> SoundView:
    """A WAV of these two chunks and the data: its true size is known by now, and nothing comes after it."""
    chunks = _chunk(b"fmt ", form) + (_chunk(b"fact", fact) if len(fact) == 4 else b"")
    data_bytes = min(end - start, 0xFFFFFFFF)
    riff_bytes = min(4 + len(chunks) + 8 + data_bytes, 0xFFFFFFFF)
    head = struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE") + chunks
    return SoundView(head + struct.pack("<4sI", b"data", data_bytes), start, end)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) & 1)


def _end_of_mp3(file: BinaryIO, start: int, size: int) -> int:
    """Where the ID3v1 and APE tags at the end begin."""
    end = size
    for _ in range(_MAX_END_TAGS):
        file.seek(max(start, end - _ID3V1_BYTES))
        tail = file.read(min(end - start, _ID3V1_BYTES))
        if len(tail) == _ID3V1_BYTES and tail.startswith(b"TAG"):
            end -= _ID3V1_BYTES
        elif tail[-_APE_BYTES:].startswith(b"APETAGEX"):
            length, _items, flags = struct.unpack("<III", tail[-_APE_BYTES:][12:24])
            length += _APE_BYTES if flags & 1 << 31 else 0  # a header, which the length leaves out
            end -= length if _APE_BYTES <= length <= end - start else _APE_BYTES
        else:
            break
    return end


def _find_mp3(file: BinaryIO) -> tuple[int, bytes] | None:
    """Offset and first bytes of the first frame that another valid one follows, behind any ID3v2 tags."""
    offset = 0
    for _ in range(_MAX_ID3_TAGS):
        file.seek(offset)
        tag = file.read(10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        size = 0
        for byte in tag[6:10]:
            size = size << 7 | byte & 0x7F
        offset += 10 + size + (10 if tag[5] & 0x10 else 0)
    file.seek(offset)
    window = file.read(_SEARCH_BYTES)
    position = window.find(b"\xff")
    while position >= 0:
        if _starts_frames(window, position):
            return offset + position, window[position : position + 256]
        position = window.find(b"\xff", position + 1)
    return None


def _starts_frames(window: bytes, position: int) -> bool:
    first = window[position + 1 : position + 3]
    for _ in range(_MIN_FRAMES):
        header = window[position : position + 4]
        length = _frame_bytes(header)
        if length == 0 or (header[1] ^ first[0]) & 0xFE or (header[2] ^ first[1]) & 0x0C:
            return False
        position += length
    return True


def _frame_bytes(header: bytes) -> int:
    """Length of an MPEG layer III frame with this 4-byte header; 0 when it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer != 1 or rate == 3 or bitrate in (0, 15):
        return 0
    kbps = _BITRATES_KBPS[1 if version == 3 else 2][bitrate]
    slot_factor = 144_000 if version == 3 else 72_000
    return slot_factor * kbps // _RATES_HZ[version][rate] + padding


def _xing_bytes(frame: bytes) -> int:
    """The stream length that the encoder noted in its first frame; 0 when it noted none."""
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark, 4, 64)
        if at < 0 or len(frame) < at + 16:
            continue
        (flags,) = struct.unpack(">I", frame[at + 4 : at + 8])
        if flags & 2:
            field = at + 8 + (4 if flags & 1 else 0)
            return int.from_bytes(frame[field : field + 4], "big")
    return 0
