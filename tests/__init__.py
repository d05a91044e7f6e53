"""Whole-system tests, the real servers they run against, and the pytest plugins they need."""
