"""Names what a file really is by its first bytes, so that a refusal can say it."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"BM", "a BMP image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (0, b"\0\0\1\0", "an icon file"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (0, b"8BPS", "a Photoshop file"),
    (4, b"ftypheic", "a HEIC image"),
    (4, b"ftypheix", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftypM4A", "an M4A file"),
    (4, b"ftypqt", "a QuickTime video"),
    (4, b"ftyp", "an MP4 file"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
    (0, b"OggS", "an Ogg file"),
    (0, b"fLaC", "a FLAC file"),
    (0, b"ADIF", "an AAC file"),
    (0, b"\xff\xf1", "an AAC file"),
    (0, b"\xff\xf9", "an AAC file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"FORM", "an AIFF file"),
    (0, b"caff", "a CAF file"),
    (0, b"0&\xb2u", "a Windows Media file"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "a WAV file"),
    (0, b"ID3", "an audio file that is not MP3"),
    (0, b"#EXTM3U", "a playlist"),
    (0, b"ffconcat", "a playlist"),
    (0, b"[playlist]", "a playlist"),
    (0, b"v=0", "a stream description"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\3\4", "a ZIP archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"MZ", "a program"),
    (0, b"\x7fELF", "a program"),
)
_TEXT_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"<svg", "an SVG drawing"),
    (b"<html", "a web page"),
    (b"<!doctype html", "a web page"),
)
_TEXT, _UNKNOWN = "a text file", "a file of unknown type"

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
