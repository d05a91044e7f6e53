"""Measuring how true the lips are: `python -m workshop.evaluate --help`."""
