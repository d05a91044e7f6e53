"""Plugins that every test of the project may use."""

pytest_plugins = ["tests.plugins.servers", "tests.plugins.database"]
