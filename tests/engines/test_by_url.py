"""The suite for real servers works itself: here it is run at a stand-in."""

import os
import subprocess
import sys
from pathlib import Path

from tests.standins.comfyui import ComfyUIServer

ROOT = Path(__file__).parents[2]
CHECKS_NO_PICTURES = "not no_picture"


def test_the_suite_for_real_servers_passes_where_all_is_well_and_fails_where_not() -> None:
    with ComfyUIServer().serving() as server:
        server.autorun = True
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "ENGINE_UNDER_TEST": "comfyui",
            "ENGINE_TIME_LIMIT_S": "30",
            "COMFYUI_URLS": server.url,
            "COMFYUI_WORKFLOW": "still",
        }
        command = [sys.executable, "-m", "pytest", "-q", "tests/engines/by_url", "-k", CHECKS_NO_PICTURES]

        def run(*more: str) -> str:
            done = subprocess.run(
                [*command, *more],
                cwd=ROOT,
                env=variables,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            return done.stdout

        assert "5 passed" in run()
        server.fail("dropped", times=10_000)
        assert "1 failed" in run("-k", "ready")
