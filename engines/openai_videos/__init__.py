"""Servers that speak `/v1/videos`, and LocalAI."""
