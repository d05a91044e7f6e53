"""Command lines of the application, and an environment that tells it nothing but what a test says."""

import os
import sys

from tests.plugins.environment import DOCUMENTED_VARIABLES, ROOT, documented_variables


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without the application's settings, and with these.

    Pictures without faces are let through, unless `FACE_CHECK` is given.
    """
    ours = documented_variables(DOCUMENTED_VARIABLES.read_text())
    others = {name: value for name, value in os.environ.items() if name not in ours}
    return {**others, "FACE_CHECK": "0", **variables}


def manage(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *words]
