"""Faults of real processes and servers: each file shows those of one kind (docs/faults.md)."""
