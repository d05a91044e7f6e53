"""The self-hosted LightX2V inference server."""
