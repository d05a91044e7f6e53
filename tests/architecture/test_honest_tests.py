"""Tests are skipped where everybody sees it, and wait for conditions rather than for time."""

import ast
from collections.abc import Iterator

from tests.plugins.environment import ROOT

SKIPS = {"skip", "xfail", "importorskip"}
MAY_SKIP = {"tests/plugins/environment.py", "tests/plugins/postgres.py"}
"""Where a skip becomes a failure in CI."""
PLATFORM = "sys.platform != 'linux'"
WAITS = {"sleep", "wait_for_timeout"}
MAY_HANG = {"tests/support/scripted_engine.py"}
"""Stands in for an engine that hangs."""


def nodes() -> Iterator[tuple[str, ast.expr, bool]]:
    """Every expression of every test: where it stands, and whether that is within a loop on a condition."""

    def walk(node: ast.AST, place: str, looping: bool) -> Iterator[tuple[str, ast.expr, bool]]:
        if isinstance(node, ast.expr):
            yield f"{place}:{node.lineno}", node, looping
        for child in ast.iter_child_nodes(node):
            yield from walk(child, place, looping or isinstance(node, ast.While))

    for path in sorted(ROOT.joinpath("tests").rglob("*.py")):
        yield from walk(ast.parse(path.read_text()), path.relative_to(ROOT).as_posix(), False)


def is_from(files: set[str], place: str) -> bool:
    return place.partition(":")[0] in files


def test_nothing_is_skipped_in_silence() -> None:
    """What is not installed here goes through `missing`; what only Linux has is left out elsewhere."""
    found = []
    for place, node, _looping in nodes():
        if isinstance(node, ast.Attribute) and node.attr in SKIPS and not is_from(MAY_SKIP, place):
            found += [place] if ast.unparse(node).startswith("pytest.") else []
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.skipif":
            found += [place] if ast.unparse(node.args[0]) != PLATFORM else []
    assert not found


def test_nobody_sleeps_but_between_two_looks() -> None:
    found = [
        place
        for place, node, looping in nodes()
        if isinstance(node, ast.Attribute) and node.attr in WAITS
        if not looping and not is_from(MAY_HANG, place)
    ]
    assert not found
