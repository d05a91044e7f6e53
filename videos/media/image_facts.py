"""What is known of an image before it is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageHeader:
    """Type, stored size in pixels, and the decoder's memory per stored pixel in bytes.

    A `buffered` JPEG (progressive, or with its components in scans of their own) costs `bytes_per_pixel`
    beside the reduced picture; any other JPEG costs the reduced picture alone. `scans` counts the passes
    over the picture that a JPEG asks for. A file of fewer than `min_bytes` cannot hold the picture.
    """

    format: str
    width: int
    height: int
    bytes_per_pixel: float
    components: int = 0
    buffered: bool = False
    scans: int = 1
    min_bytes: int = 0
