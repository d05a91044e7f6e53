"""The CPU portrait engine: one photo and one recording in, one talking video out. No Django."""

from engines.portrait.engine import PortraitEngine

__all__ = ["PortraitEngine"]
