"""Only what renders and decodes loads the libraries for it: of all other processes there are many."""

import json
import subprocess
import sys

from tests.plugins.environment import ROOT

HEAVY = ("numpy", "scipy", "cv2", "av", "engines.portrait.renderer")
ASKED = """
import json, sys
from importlib import import_module

import django
from django.urls import get_resolver

django.setup()
get_resolver().url_patterns
from engines import registry

for path in {**registry.ENGINES, **registry.REMOTE_ENGINES}.values():
    import_module(path.partition(":")[0])
portrait = registry.get_engine("portrait")
assert portrait.capabilities().needs_face
assert portrait.readiness().ready
print(json.dumps(sorted(sys.modules)))
"""


def test_whoever_only_asks_what_engines_can_do_loads_none() -> None:
    asked = [sys.executable, "-c", ASKED]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    assert set(HEAVY) & set(json.loads(answer.stdout)) == set()
