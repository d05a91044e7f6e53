"""Measuring how true the lips are: `python -m videos.engines.portrait.evaluate --help`."""
