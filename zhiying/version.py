"""The version of this software."""

VERSION = "1.0.0"
