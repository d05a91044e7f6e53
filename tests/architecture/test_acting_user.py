"""Every service that writes on behalf of a person is told who that is."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

from tests.architecture.test_rooms import APPLICATIONS, ROOT, WRITING_METHODS

NOT_ON_BEHALF_OF_A_PERSON = {
    "accounts.services.audit_log": "writes down what the service was told",
    "accounts.services.ledger_check": "reads; names of what it calls are those of writing ones elsewhere",
    "adminpanel.services.usage": "reads; names of what it calls are those of writing ones elsewhere",
    "videos.services.usage_rebuild": "reads; names of what it calls are those of writing ones elsewhere",
    "videos.services.announcements": "tells the workers that something waits",
    "videos.services.lanes": "counts, within the transaction of what is counted",
    "videos.services.taking": "a worker's side",
    "accounts.services.sessions": "a session's own life; ending somebody else's goes through `users`",
    "accounts.services.usage": "figures that are written with the event they count",
    "videos.services.attempts": "a worker's side",
    "videos.services.intake:prepared_files": "reads; its name is that of a writing one elsewhere",
    "videos.services.intake:prepared_portrait": "reads; its name is that of a writing one elsewhere",
    "videos.services.uploads": "nobody but their owner finds uploads",
    "videos.services.transitions": "parts of a caller's transaction",
    "videos.services.runs": "parts of a caller's transaction; `batches` knows for whom",
    "accounts.services.credits:charge_runs": "part of a run's transaction",
    "accounts.services.credits:refund_runs": "part of a run's transaction",
    "accounts.services.users:password_change": "its own `user` acts",
    "accounts.services.first_admin:ensure_first_admin": "only the installation makes the first one",
}
"""Modules, or single functions, that write and take no acting user, and why."""


def service_modules() -> Iterator[str]:
    for application in APPLICATIONS:
        for path in sorted((ROOT / application / "services").glob("*.py")):
            if path.stem != "__init__":
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts)


def functions_of(module: str) -> dict[str, FunctionType]:
    found = inspect.getmembers(import_module(module), inspect.isfunction)
    return {name: function for name, function in found if function.__module__ == module}


def called_names(tree: ast.AST) -> set[str]:
    """Last parts of everything called or handed over by name."""
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return named | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def writes_rows(tree: ast.AST) -> bool:
    """Whether a manager's or a model's writing method is called."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WRITING_METHODS
            and not _is_plain_collection(node)
        ):
            return True
    return False


def _is_plain_collection(call: ast.Call) -> bool:
    """`digest.update(chunk)` and `dict.update({})` change nothing in a database."""
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr == "update" and bool(call.args)


def writing_functions() -> set[tuple[str, str]]:
    """Public functions of services that write, by themselves or through another function of a service."""
    trees = {
        (module, node.name): node
        for module in service_modules()
        for node in ast.parse(Path(ROOT, *module.split(".")).with_suffix(".py").read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    writing = {place for place, tree in trees.items() if writes_rows(tree)}
    while True:
        names = {name for _, name in writing}
        more = {place for place, tree in trees.items() if called_names(tree) & names} - writing
        if not more:
            return {place for place in writing if not place[1].startswith("_")}
        writing |= more


@pytest.mark.parametrize("place", sorted(writing_functions()), ids=":".join)
def test_a_service_that_writes_takes_the_acting_user_by_name(place: tuple[str, str]) -> None:
    module, name = place
    if module in NOT_ON_BEHALF_OF_A_PERSON or f"{module}:{name}" in NOT_ON_BEHALF_OF_A_PERSON:
        return
    parameter = inspect.signature(functions_of(module)[name]).parameters.get("acting_user")
    assert parameter is not None, f"{module}.{name} writes, but nobody tells it for whom"
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default is inspect.Parameter.empty, "who acts must not be forgotten silently"


def test_the_search_finds_what_writes_and_leaves_out_what_reads() -> None:
    found = {f"{module}:{name}" for module, name in writing_functions()}
    assert {
        "videos.services.batches:batch_cancel",
        "videos.services.batches:batch_create",
        "accounts.services.users:user_set_active",
        "accounts.services.bulk_topup:top_up_all",
        "adminpanel.services.bulk_credits:credits_set",
    } <= found
    assert "accounts.services.ledger_reads:entries_of" not in found
    assert "videos.services.selectors:batch_for" not in found


def test_every_exception_still_exists() -> None:
    known = {f"{module}:{name}" for module, name in writing_functions()}
    known |= {module for module, _ in writing_functions()}
    assert set(NOT_ON_BEHALF_OF_A_PERSON) - known == set()
