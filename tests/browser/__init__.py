"""The web application in a real browser, against a really running server with the real engine."""
