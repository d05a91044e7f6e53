"""The whole installation under load while its parts die: seeded, bounded, with a verdict at its end.

`clients` order, cancel, retry and watch; `chaos` kills and freezes; `verdict` says what is true afterwards.
"""
