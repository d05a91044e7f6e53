"""What an engine made is proven to be a video of this recording, and made ours: format, label, poster."""

from engines.results.making import make_ours

__all__ = ["make_ours"]
