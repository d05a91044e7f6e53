"""The schema the front end's types are made of is the schema the server answers."""

import json
from pathlib import Path

from django.core.management import call_command

COMMITTED = Path(__file__).resolve().parents[2] / "frontend" / "openapi.json"


def test_the_front_end_is_built_on_the_current_schema(tmp_path: Path) -> None:
    """When this fails: manage.py spectacular --lang en --format openapi-json --file frontend/openapi.json"""
    current = tmp_path / "openapi.json"
    call_command("spectacular", lang="en", format="openapi-json", file=str(current))
    assert json.loads(current.read_text()) == json.loads(COMMITTED.read_text())
