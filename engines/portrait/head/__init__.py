"""The head: how it moves the picture."""
