"""Servers like those our engines talk to: they answer as the real ones do, and have trouble when told to."""
