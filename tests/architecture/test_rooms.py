"""What import contracts cannot say: who writes credits, how long a module may be, what files may name."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPLICATIONS = ("zhiying", "accounts", "videos", "adminpanel", "engines", "workshop")
LEDGER = "accounts/services/credits.py"
MAX_LINES = 400
MAX_FUNCTION_LINES = 60

WRITING_METHODS = {
    "create",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "bulk_update",
    "update",
    "delete",
    "save",
}


def modules(*folders: str) -> Iterator[Path]:
    """Our own modules below these folders, migrations and tests excepted."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"migrations", "tests"} & set(path.relative_to(ROOT).parts):
                yield path


def name_of(path: Path) -> str:
    """The path as it is written in the repository."""
    return path.relative_to(ROOT).as_posix()


def ledger_writes(tree: ast.AST) -> Iterator[int]:
    """Lines that make, change or delete ledger entries, or set a user's balance."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id == "CreditEntry":
                yield node.lineno
            elif isinstance(function, ast.Attribute) and function.attr in WRITING_METHODS:
                touched = {name.id for name in ast.walk(function.value) if isinstance(name, ast.Name)}
                sets_balance = function.attr == "update" and any(
                    word.arg == "credits" for word in node.keywords
                )
                if "CreditEntry" in touched or sets_balance:
                    yield node.lineno
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Attribute) and target.attr == "credits" for target in targets):
                yield node.lineno


@pytest.mark.parametrize(
    "code",
    [
        "CreditEntry.objects.create(user=user)",
        "CreditEntry(user=user).save()",
        "CreditEntry.objects.filter(pk=1).update(amount=3)",
        "CreditEntry.objects.bulk_create(entries)",
        "User.objects.filter(pk=1).update(credits=F('credits') - 1)",
        "user.credits = 5",
        "user.credits += 5",
    ],
)
def test_every_way_of_writing_credits_is_recognised(code: str) -> None:
    assert list(ledger_writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["CreditEntry.objects.filter(user=user)", "print(user.credits)", "a = user.credits"]
)
def test_reading_credits_is_allowed(code: str) -> None:
    assert not list(ledger_writes(ast.parse(code)))


def test_only_the_ledger_writes_credits() -> None:
    writers = {
        f"{name_of(path)}:{line}"
        for path in modules(*APPLICATIONS)
        for line in ledger_writes(ast.parse(path.read_text()))
    }
    assert {writer for writer in writers if not writer.startswith(f"{LEDGER}:")} == set()
    assert writers, "the ledger itself writes; if this finds nothing, it looks for the wrong thing"


HTTP_PACKAGES = ("django.http", "rest_framework.")
SPEAK_HTTP_STILL = {"accounts/services/login.py", "accounts/services/users.py"}
"""Until their limits on attempts are our own and take an address instead of a request."""


def test_services_know_nothing_of_http() -> None:
    found = {
        name_of(path)
        for path in modules(*APPLICATIONS)
        if {"services", "store", "scheduling"} & set(path.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(HTTP_PACKAGES)
    }
    assert found <= SPEAK_HTTP_STILL


def test_modules_stay_readable() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in modules(*APPLICATIONS, "tools")}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_functions_fit_a_screen() -> None:
    long = {
        f"{name_of(path)}:{node.name}": node.end_lineno - node.lineno
        for path in modules(*APPLICATIONS, "tools")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
        if node.end_lineno - node.lineno > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_says_what_it_holds() -> None:
    trees = {name_of(path): ast.parse(path.read_text()) for path in modules(*APPLICATIONS, "tools")}
    assert {name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)} == set()


def test_no_lock_file_names_the_address_of_a_registry() -> None:
    lock = re.compile(r"requirements.*\.(txt|in)$|package-lock\.json$")
    address = re.compile(r"""https?://[^\s"']+\.(whl|tgz|tar\.gz)|--(extra-)?index-url|"resolved":\s*"http""")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    locks = [name for name in tracked.split() if lock.search(name)]
    assert "requirements.txt" in locks
    assert [name for name in locks if address.search((ROOT / name).read_text())] == []
