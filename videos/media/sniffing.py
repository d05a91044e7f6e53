"""Names what a file really is by its first bytes, so that a refusal can say it."""

from videos.media.problems import gettext_noop

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", gettext_noop("a JPEG image")),
    (0, b"\x89PNG\r\n\x1a\n", gettext_noop("a PNG image")),
    (8, b"WEBP", gettext_noop("a WebP image")),
    (0, b"GIF8", gettext_noop("a GIF image")),
    (0, b"BM", gettext_noop("a BMP image")),
    (0, b"II*\0", gettext_noop("a TIFF image")),
    (0, b"MM\0*", gettext_noop("a TIFF image")),
    (0, b"\0\0\1\0", gettext_noop("an icon file")),
    (0, b"%!PS", gettext_noop("a PostScript file")),
    (0, b"\xc5\xd0\xd3\xc6", gettext_noop("a PostScript file")),
    (0, b"8BPS", gettext_noop("a Photoshop file")),
    (4, b"ftypheic", gettext_noop("a HEIC image")),
    (4, b"ftypheix", gettext_noop("a HEIC image")),
    (4, b"ftypmif1", gettext_noop("a HEIC image")),
    (4, b"ftypavif", gettext_noop("an AVIF image")),
    (4, b"ftypM4A", gettext_noop("an M4A file")),
    (4, b"ftypqt", gettext_noop("a QuickTime video")),
    (4, b"ftyp", gettext_noop("an MP4 file")),
    (0, b"\x1aE\xdf\xa3", gettext_noop("a WebM or Matroska file")),
    (0, b"OggS", gettext_noop("an Ogg file")),
    (0, b"fLaC", gettext_noop("a FLAC file")),
    (0, b"ADIF", gettext_noop("an AAC file")),
    (0, b"\xff\xf1", gettext_noop("an AAC file")),
    (0, b"\xff\xf9", gettext_noop("an AAC file")),
    (0, b"#!AMR", gettext_noop("an AMR file")),
    (0, b"FORM", gettext_noop("an AIFF file")),
    (0, b"caff", gettext_noop("a CAF file")),
    (0, b"0&\xb2u", gettext_noop("a Windows Media file")),
    (8, b"AVI ", gettext_noop("an AVI video")),
    (8, b"WAVE", gettext_noop("a WAV file")),
    (0, b"ID3", gettext_noop("an audio file that is not MP3")),
    (0, b"#EXTM3U", gettext_noop("a playlist")),
    (0, b"ffconcat", gettext_noop("a playlist")),
    (0, b"[playlist]", gettext_noop("a playlist")),
    (0, b"v=0", gettext_noop("a stream description")),
    (0, b"%PDF", gettext_noop("a PDF document")),
    (0, b"PK\3\4", gettext_noop("a ZIP archive")),
    (0, b"Rar!", gettext_noop("a RAR archive")),
    (0, b"7z\xbc\xaf", gettext_noop("a 7-Zip archive")),
    (0, b"\x1f\x8b", gettext_noop("a gzip archive")),
    (0, b"MZ", gettext_noop("a program")),
    (0, b"\x7fELF", gettext_noop("a program")),
)
_TEXT_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"<svg", gettext_noop("an SVG drawing")),
    (b"<html", gettext_noop("a web page")),
    (b"<!doctype html", gettext_noop("a web page")),
)
_TEXT, _UNKNOWN = gettext_noop("a text file"), gettext_noop("a file of unknown type")

NAMES: tuple[str, ...] = tuple(
    dict.fromkeys([*(row[2] for row in _MAGIC), *(row[1] for row in _TEXT_MARKS), _TEXT, _UNKNOWN])
)
"""Every answer of `describe`, so that each can be translated."""


def describe(head: bytes) -> str:
    """Say in a few English words what a file with the first bytes `head` (≥ 1 kB is best) looks like."""
    for offset, magic, name in _MAGIC:
        if head.startswith(magic, offset):
            return name
    lowered = head.lower()
    for mark, name in _TEXT_MARKS:
        if mark in lowered:
            return name
    if head and b"\0" not in head:
        try:
            head.decode()
        except UnicodeDecodeError as error:
            # A multi-byte character may be cut by the end of `head`.
            return _TEXT if error.start >= len(head) - 3 else _UNKNOWN
        return _TEXT
    return _UNKNOWN
