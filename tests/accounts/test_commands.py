"""`topup_credits` and `create_admin`, as an operator runs them."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError

from accounts.models import CreditEntry, User
from accounts.services.credits import MAX_CREDITS
from tests.plugins.environment import ROOT
from tests.support.books import assert_books_balance
from tests.support.live import clean_environment
from tests.support.losses import gone_after
from tests.support.rows import PASSWORD, make_user
from zhiying.data_folder import COMMANDS

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def run(*arguments: str, **options: Any) -> tuple[str, str]:
    """Output and error output; a refusal is raised as `CommandError`."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err, **options)
    except CommandError as error:
        error.args = (f"{error}\n{err.getvalue()}",)
        raise
    return out.getvalue(), err.getvalue()


def credits_of(name: str) -> int:
    return User.objects.get(username=name).credits


def csv_file(folder: Path, *lines: str, header: str = "username,amount,reason") -> str:
    path = folder / "topup.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8-sig")
    return str(path)


# --- topup_credits USERNAME AMOUNT -----------------------------------------------------------------


def test_one_user_is_topped_up_whatever_the_case_of_the_name() -> None:
    make_user("Anna", credits=1)
    out, _ = run("topup_credits", "anna", "25", reason="paid in cash")
    assert "+25" in out
    assert "26" in out
    entry = CreditEntry.objects.get(kind="topup")
    assert (entry.amount, entry.note, entry.actor) == (25, "paid in cash", None)
    assert_books_balance()


def test_the_same_key_tops_up_once() -> None:
    make_user("anna", credits=0)
    first, second = (run("topup_credits", "anna", "25", reason="paid", key="invoice 7")[0] for _ in range(2))
    assert credits_of("anna") == 25
    assert "anna: +25, balance 25" in first
    assert "anna: nothing added" in second
    assert "balance 25" in second


def test_without_a_key_each_run_tops_up() -> None:
    make_user("anna", credits=0)
    for _ in range(2):
        run("topup_credits", "anna", "25", reason="paid")
    assert credits_of("anna") == 50


@pytest.mark.django_db(transaction=True)
def test_a_top_up_is_told_though_the_database_goes_right_after_it() -> None:
    """Whoever saw an error instead would give the credits again."""
    make_user("anna", credits=1)
    with gone_after('INSERT INTO "audit_entries"') as gone:
        out, _ = run("topup_credits", "anna", "25", reason="paid")
    assert gone
    assert "+25, balance 26" in out
    assert credits_of("anna") == 26


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        (["nobody", "5"], {"reason": "x"}, "no user named nobody"),
        (["anna", "0"], {"reason": "x"}, rf"\b1\b.*\b{MAX_CREDITS}\b"),
        (["anna", "-5"], {"reason": "x"}, rf"\b1\b.*\b{MAX_CREDITS}\b"),
        (["anna", "5"], {}, "reason|原因|理由"),
        (["anna"], {"reason": "x"}, "USERNAME and AMOUNT"),
        ([], {}, "USERNAME and AMOUNT"),
        (["anna", "5"], {"reason": "x", "key": "k" * 295}, r"\b294\b"),
        (["anna", "5"], {"reason": "x" * 501}, r"\b500\b"),
        (["anna", "5"], {"reason": "x\udcff"}, "'reason' is not text in UTF-8"),
        (["\udcff", "5"], {"reason": "x"}, "'username' is not text in UTF-8"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_credits_nobody(
    arguments: list[str], options: dict[str, str], complaint: str
) -> None:
    make_user("anna", credits=3)
    with pytest.raises(CommandError, match=complaint):
        run("topup_credits", "--", *arguments, **options)
    assert credits_of("anna") == 3


def test_the_longest_key_is_known_again() -> None:
    make_user("anna", credits=0)
    for _ in range(2):
        run("topup_credits", "anna", "5", reason="x" * 500, key="k" * 294)
    assert credits_of("anna") == 5


# --- topup_credits --csv ---------------------------------------------------------------------------


def test_a_file_tops_up_everybody_in_it(tmp_path: Path) -> None:
    make_user("anna", credits=0)
    make_user("李雷", credits=1)
    path = csv_file(tmp_path, "anna,10,paid", "李雷,20,活动", "ANNA,5,bonus")
    out, _ = run("topup_credits", csv=Path(path))
    assert "35" in out
    assert (credits_of("anna"), credits_of("李雷")) == (15, 21)
    assert_books_balance()


def test_the_reason_may_come_from_the_command_line(tmp_path: Path) -> None:
    make_user("anna", credits=0)
    path = csv_file(tmp_path, "anna,10", header="username,amount")
    run("topup_credits", csv=Path(path), reason="spring")
    assert CreditEntry.objects.get(kind="topup").note == "spring"


def test_every_bad_line_is_named_and_nobody_is_credited(tmp_path: Path) -> None:
    make_user("anna", credits=0)
    path = csv_file(
        tmp_path,
        "anna,10,paid",
        "nobody,10,paid",
        "anna,ten,paid",
        "anna,-3,paid",
        "anna,0,paid",
        "anna,5,",
        "anna,5," + "x" * 501,
    )
    with pytest.raises(CommandError) as refused:
        run("topup_credits", csv=Path(path))
    text = str(refused.value)
    assert "6 bad lines" in text
    complaints = ("nobody", "ten", "between", "between", "reason", "500")
    for line, complaint in enumerate(complaints, start=3):
        assert any(f"line {line}:" in row and complaint in row for row in text.splitlines()), text
    assert "line 2:" not in text
    assert credits_of("anna") == 0


def test_a_failure_at_the_last_line_undoes_the_first(tmp_path: Path) -> None:
    """Both lines are fine by themselves; the second would pass the largest balance."""
    make_user("anna", credits=0)
    rich = make_user("rich", credits=1_000_000_000)
    path = csv_file(tmp_path, "anna,10,paid", "rich,1,paid")
    with pytest.raises(CommandError):
        run("topup_credits", csv=Path(path))
    assert credits_of("anna") == 0
    assert credits_of("rich") == rich.credits
    assert_books_balance()


def test_the_same_file_under_the_same_key_credits_once(tmp_path: Path) -> None:
    make_user("anna", credits=0)
    path = csv_file(tmp_path, "anna,10,paid", "anna,10,paid")
    first, second = (run("topup_credits", csv=Path(path), key="2026-11")[0] for _ in range(2))
    assert credits_of("anna") == 20
    assert "2 lines topped up with 20 credits" in first
    assert "0 lines topped up with 0 credits in all. 2 lines were done before." in second
    run("topup_credits", csv=Path(path), key="2026-12")
    assert credits_of("anna") == 40


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "header"),
        (b"name,credits\nanna,1\n", "header"),
        (b"username,amount,reason\n", "no lines"),
        (b"username,amount,reason\nanna,\xff\xfe,x\n", "UTF-8"),
        (b"username,amount,reason\nan\x00na,1,x\n", "line|NUL|CSV"),
    ],
)
def test_what_is_not_such_a_file_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "topup.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=complaint):
        run("topup_credits", csv=path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.csv"):
        run("topup_credits", csv=tmp_path / "nothing.csv")


# --- create_admin ----------------------------------------------------------------------------------


def test_an_administrator_is_made_with_a_password_shown_once(client: Any) -> None:
    out, _ = run("create_admin", "root")
    password = out.strip().rpartition(" ")[2]
    assert User.objects.get(username="root").is_admin
    assert User.objects.get(username="root").check_password(password)
    assert_books_balance()


def test_the_password_of_the_environment_is_taken_and_not_shown(settings: LazySettings) -> None:
    settings.ADMIN_PASSWORD = PASSWORD
    out, _ = run("create_admin", "root")
    assert PASSWORD not in out
    assert User.objects.get(username="root").check_password(PASSWORD)


def test_an_administrator_of_that_name_is_left_as_is() -> None:
    admin = make_user("root", is_admin=True)
    out, _ = run("create_admin", "Root")
    assert "already" in out
    assert User.objects.get().password == admin.password


def test_an_ordinary_user_is_not_made_an_administrator() -> None:
    make_user("anna")
    with pytest.raises(CommandError, match="not an administrator"):
        run("create_admin", "anna")
    assert not User.objects.get().is_admin


@pytest.mark.parametrize("command", ["create_admin", "reset_totp"])
def test_a_name_that_is_not_text_is_refused(command: str) -> None:
    with pytest.raises(CommandError, match="'username' is not text in UTF-8"):
        run(command, "\udcff")


def test_a_weak_password_is_refused(settings: LazySettings) -> None:
    settings.ADMIN_PASSWORD = "12345"
    with pytest.raises(CommandError):
        run("create_admin", "root")
    assert not User.objects.exists()


# --- which installation ----------------------------------------------------------------------------


def test_all_commands_but_those_that_run_parts_need_an_installation() -> None:
    ours = {
        name for name, app in get_commands().items() if app in ("accounts", "adminpanel", "videos", "zhiying")
    }
    assert ours - {"migrate", "serve", "setup", "work"} == COMMANDS


@pytest.mark.parametrize(
    "command",
    [
        "topup_credits anna 5 --reason x",
        "audit_credits",
        "reset_totp anna",
        "create_admin bob",
        "prepare_store",
    ],
)
def test_a_command_that_finds_no_installation_says_what_to_set_and_makes_none(
    tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "data"
    done = manage(command, DATA_DIR=str(folder))
    assert done.returncode == 1
    assert f"There is no installation in {folder}." in done.stderr
    assert "DATA_DIR=" in done.stderr
    assert "Traceback" not in done.stderr
    assert not folder.exists()


def test_a_database_that_was_never_set_up_is_named(tmp_path: Path) -> None:
    (tmp_path / "zhiying.sqlite3").touch()
    done = manage("topup_credits anna 5 --reason x", DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert f"There is no installation in {tmp_path}." in done.stderr
    assert "Traceback" not in done.stderr


def manage(command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
