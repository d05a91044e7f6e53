"""Whether somebody has an administrator's rights is asked in one place, which knows of the second factor."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.test_rooms import APPLICATIONS, modules, name_of

MARKS = {"is_admin", "is_staff", "is_superuser", "IsAdminUser"}
"""What says that somebody is an administrator, but not whether they may act as one now."""

MAY_READ = {
    "accounts/services/second_factor.py": "answers the question (`may_administer`)",
    "accounts/models/user.py": "names of Django's for the mark; its site asks `second_factor` besides",
    "accounts/api/permissions.py": "who may set up a second factor has none yet",
    "accounts/api/serializers.py": "shows it",
    "accounts/services/audit_log.py": "writes down in which capacity something was done that was permitted",
    "accounts/management/commands/create_admin.py": "whether a command has something to do",
    "adminpanel/admin/users.py": "shows it, and makes users",
}
"""Modules that read the mark itself, and why that gives nobody a right."""


def readings(path: Path) -> Iterator[int]:
    """The lines in which a module reads the mark of a user."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in MARKS:
                yield node.lineno
            case ast.ImportFrom(names=names) if any(name.name in MARKS for name in names):
                yield node.lineno


def test_rights_are_decided_by_the_one_who_knows_of_the_second_factor() -> None:
    reading = {name_of(path): list(readings(path)) for path in modules(*APPLICATIONS)}
    found = {name: lines for name, lines in reading.items() if lines}
    assert {name: found[name] for name in found.keys() - MAY_READ.keys()} == {}
    assert MAY_READ.keys() - found.keys() == set(), "these read it no more"
