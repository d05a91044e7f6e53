"""Pytest plugins: session fixtures for real servers, and a run of the suite on PostgreSQL."""
