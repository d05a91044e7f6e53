"""What rows decide is decided by the database's clock: only what is named here asks the machine's."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.test_rooms import APPLICATIONS, modules, name_of

MACHINES_CLOCK = {
    "timezone.now",
    "timezone.localtime",
    "timezone.localdate",
    "time.time",
    "datetime.now",
    "date.today",
}
TAKES_A_TIME = {"timezone.localtime", "timezone.localdate"}
"""With an argument these only convert."""

MAY_ASK = {
    "zhiying/kernel/clock.py": "tells the database's time",
    "videos/services/taking_sqlite.py": "SQLite runs in this process",
    "videos/services/store_check.py": "files of a store, to which hours are nothing",
    "videos/store/scratch.py": "files of this machine",
    "videos/store/urls.py": "signed links, made and checked without a row; they are good for hours",
    "videos/store/direct_uploads/disk.py": "when such a link ends, for the client to know",
    "videos/store/direct_uploads/s3.py": "when a link to S3 ends, for the client to know",
    "videos/api/answers.py": "how often estimates change in answers",
    "adminpanel/admin/filters.py": "which days are shown",
    "adminpanel/admin/ledger.py": "the name of a file",
    "adminpanel/services/usage.py": "which days are shown",
}
"""Modules that ask the machine's clock, and why that is enough there."""
DEFAULTS = "/models/"
"""Fields' defaults, for rows whose time is shown and orders lists; services give what decides something."""


def questions(path: Path) -> Iterator[str]:
    """Where a module asks the machine's clock, or hands the question on."""
    tree = ast.parse(path.read_text())
    converting = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in TAKES_A_TIME
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in converting:
            continue
        if ast.unparse(node) in MACHINES_CLOCK:
            yield f"{name_of(path)}:{node.lineno}"


def askers() -> dict[str, list[str]]:
    places = {name_of(path): list(questions(path)) for path in modules(*APPLICATIONS)}
    return {name: found for name, found in places.items() if found and DEFAULTS not in name}


def test_nothing_that_rows_decide_goes_by_the_machines_clock() -> None:
    asking = askers()
    assert sorted(place for name in asking.keys() - MAY_ASK.keys() for place in asking[name]) == []
    assert MAY_ASK.keys() - asking.keys() == set(), "these ask it no more"
