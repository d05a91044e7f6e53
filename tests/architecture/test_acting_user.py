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
    "videos.services.lanes": "counts, within the transaction of what is counted",
    "accounts.services.sessions": "a session's own life; ending somebody else's goes through `users`",
    "accounts.services.login": "whoever logs in",
    "accounts.services.login_limits": "counts of attempts",
    "accounts.services.handover": "whoever's session it is",
    "accounts.services.mail_addresses": "one's own address",
    "accounts.services.mails": "rows that tell of what somebody did, and their sending",
    "accounts.services.second_factor": "one's own second factor",
    "accounts.services.usage": "figures that are written with the event they count",
    "videos.services.attempts": "a worker's side",
    "videos.services.letters": "part of an attempt's end",
    "videos.services.shares:delete_expired": "links whose time is over, whoever made them",
    "videos.services.credentials:note_use": "what a server said",
    "videos.services.heartbeats": "a worker's side",
    "videos.services.remote_jobs": "a worker's side",
    "videos.services.fallback": "what the sweep does",
    "videos.services.routing": "parts of a caller's transaction",
    "videos.services.taking": "a worker's side",
    "videos.services.uploads": "nobody but their owner finds uploads",
    "videos.services.retention": "what the installation's rules say, whoever's batch it is",
    "videos.services.store_check:measure": "writes down what the store has",
    "videos.services.stored_bytes": "counters that change in a caller's transaction",
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


SERVICES = frozenset(service_modules())


def functions_of(module: str) -> dict[str, FunctionType]:
    found = inspect.getmembers(import_module(module), inspect.isfunction)
    return {name: function for name, function in found if function.__module__ == module}


def named_services(tree: ast.Module, module: str) -> dict[str, tuple[str, str]]:
    """What names stand for in a module: its own functions, and imported functions of services."""
    places = {node.name: (module, node.name) for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = alias.asname or alias.name
                if f"{node.module}.{alias.name}" in SERVICES:
                    places[f"{name}."] = (f"{node.module}.{alias.name}", "")
                elif node.module in SERVICES:
                    places[name] = (node.module, alias.name)
    return places


def used_services(tree: ast.AST, names: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """Functions of services that are called or handed over in a piece of code."""
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            used.add(names[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, _ = names.get(f"{node.value.id}.", ("", ""))
            used.add((module, node.attr))
    return used


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
    trees: dict[tuple[str, str], ast.FunctionDef] = {}
    names: dict[str, dict[str, tuple[str, str]]] = {}
    for module in SERVICES:
        tree = ast.parse(Path(ROOT, *module.split(".")).with_suffix(".py").read_text())
        names[module] = named_services(tree, module)
        trees |= {(module, node.name): node for node in tree.body if isinstance(node, ast.FunctionDef)}
    writing = {place for place, function in trees.items() if writes_rows(function)}
    while True:
        more = {
            place for place, function in trees.items() if used_services(function, names[place[0]]) & writing
        } - writing
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
