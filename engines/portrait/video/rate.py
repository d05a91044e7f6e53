"""What all parts of a video count by."""

FPS = 25
"""Frames a second."""
