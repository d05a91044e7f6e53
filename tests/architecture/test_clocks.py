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
    "time.time_ns",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
}
TAKES_A_TIME = {"timezone.localtime", "timezone.localdate"}
"""With an argument these only convert."""
ASKED_BY_DJANGO = {"max_age"}
"""What signing is told so that it asks the clock itself."""

MAY_ASK = {
    "zhiying/kernel/clock.py": "tells the database's time",
    "videos/services/taking_sqlite.py": "SQLite runs in this process",
    "videos/services/store_check.py": "files of a store, to which hours are nothing",
    "videos/store/scratch.py": "files of this machine",
    "videos/store/urls.py": "signed links, made and checked without a row; they are good for hours",
    "videos/store/direct_uploads/disk.py": "when such a link ends, for the client to know",
    "videos/store/direct_uploads/s3.py": "when a link to S3 ends, for the client to know",
    "videos/api/answers.py": "how often estimates change in answers",
    "videos/tasks.py": "how old a hint of the broker may be",
    "zhiying/kernel/tracing.py": "when a span began on this machine",
    "adminpanel/admin/markup.py": "turns times that it is given",
    "adminpanel/admin/filters.py": "which days are shown",
    "adminpanel/admin/ledger.py": "the name of a file",
    "adminpanel/services/usage.py": "which days are shown",
}
"""Modules that ask the machine's clock, and why that is enough there."""
DEFAULTS = "/models/"
"""Where fields have defaults: for rows whose time is shown and orders lists; services give what decides."""


def questions(path: Path) -> Iterator[int]:
    """The lines in which a module asks the machine's clock, or hands the question on."""
    tree = ast.parse(path.read_text())
    harmless = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and converts(node)}
    if DEFAULTS in f"/{name_of(path)}":
        harmless |= {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg in {"default", "db_default"}
        }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute() if id(node) not in harmless and last_two(node) in MACHINES_CLOCK:
                yield node.lineno
            case ast.ImportFrom(module=str(module), names=names):
                room = module.rpartition(".")[2]
                if any(f"{room}.{name.name}" in MACHINES_CLOCK for name in names):
                    yield node.lineno
            case ast.keyword(arg=str(name)) if name in ASKED_BY_DJANGO:
                yield node.value.lineno


def converts(call: ast.Call) -> bool:
    return bool(call.args) and last_two(call.func) in TAKES_A_TIME


def last_two(node: ast.AST) -> str:
    """`datetime.datetime.now` is `datetime.now`, however the module was imported."""
    return ".".join(ast.unparse(node).split(".")[-2:])


def askers() -> dict[str, list[str]]:
    places = {
        name_of(path): [f"{name_of(path)}:{line}" for line in questions(path)]
        for path in modules(*APPLICATIONS)
    }
    return {name: found for name, found in places.items() if found}


def test_nothing_that_rows_decide_goes_by_the_machines_clock() -> None:
    asking = askers()
    assert sorted(place for name in asking.keys() - MAY_ASK.keys() for place in asking[name]) == []
    assert MAY_ASK.keys() - asking.keys() == set(), "these ask it no more"
