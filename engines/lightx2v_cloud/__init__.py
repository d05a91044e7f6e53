"""The LightX2V cloud (deploy server)."""
