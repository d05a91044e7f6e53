"""Credentials of engines: set, told of and removed by administrators; never given out again."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone, translation

from accounts.models import AuditEntry, User
from accounts.services import audit_log
from tests.adminpanel.pages import messages, page
from tests.support.credentials import CLOUD, SECOND, SECRET, TOKEN, change, told
from tests.support.rows import UserClient
from tests.support.secrets_at_rest import Places
from videos.models import EngineCredential
from videos.services import credentials
from zhiying.kernel.redaction import Redaction

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cloud(settings: LazySettings) -> None:
    settings.GENERATION_ENGINE = CLOUD
    settings.ENGINE_CREDENTIAL = ""


# --- set, told of, removed ------------------------------------------------------------------------


def test_an_administrator_sets_it_and_it_is_told_by_whom_and_since_when(
    client_of_admin: UserClient, admin: User
) -> None:
    assert told(client_of_admin)["origin"] == "none"
    answer = change(client_of_admin)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": f"The credential of {CLOUD} was set."}
    body = told(client_of_admin)
    assert (body["origin"], body["set_by"], body["use"]) == ("stored", admin.username, "required")
    assert (body["last_use"], body["last_used_at"], body["readable"]) == ("unknown", None, True)
    assert body["set_at"]
    assert credentials.credential_of(CLOUD) == SECRET


def test_a_form_sets_it_too(client_of_admin: UserClient) -> None:
    """The earlier web application sends forms."""
    assert client_of_admin.patch(TOKEN, {"new_token": f" {SECRET}\n"}).status_code == 200
    assert credentials.credential_of(CLOUD) == SECRET


def test_an_engine_that_takes_none_gives_a_warning(
    client_of_admin: UserClient, settings: LazySettings
) -> None:
    settings.GENERATION_ENGINE = "portrait"
    body = change(client_of_admin).json()
    assert body["success"] is True
    assert body["warning"] == "The engine portrait takes no credential: it is kept, and not used."


@pytest.mark.parametrize("given", ["", "   ", "two words", "kept\r\nX-Evil: 1", "密钥", "a" * 8193])
def test_what_cannot_be_a_credential_is_refused_and_changes_nothing(
    client_of_admin: UserClient, given: str
) -> None:
    answer = change(client_of_admin, given)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not EngineCredential.objects.exists()


def test_an_engine_that_is_not_there_has_no_credential(client_of_admin: UserClient) -> None:
    assert change(client_of_admin, engine="nothing").status_code == 404
    assert change(client_of_admin, engine="dashscope").status_code == 200
    assert told(client_of_admin, "dashscope")["origin"] == "stored"


def test_nobody_else_may_look_set_or_remove(client_of_user: UserClient) -> None:
    for call in (client_of_user.get, client_of_user.patch, client_of_user.delete):
        assert call(TOKEN, {"new_token": SECRET}).status_code == 403
    assert Client().get(TOKEN).status_code == 401
    assert not EngineCredential.objects.exists()


def test_every_change_is_in_the_audit_log(client_of_admin: UserClient, admin: User) -> None:
    change(client_of_admin)
    change(client_of_admin, SECOND)
    client_of_admin.delete(TOKEN)
    client_of_admin.delete(TOKEN)  # nothing to remove, nothing to record
    rows = AuditEntry.objects.filter(target_kind="enginecredential").order_by("number")
    acts = [(row.action, row.actor_id, row.target_name, row.details) for row in rows]
    assert acts == [
        ("credential.set", admin.pk, CLOUD, {"replaced": False}),
        ("credential.set", admin.pk, CLOUD, {"replaced": True}),
        ("credential.remove", admin.pk, CLOUD, {}),
    ]


def test_without_its_audit_entry_nothing_is_set(
    client_of_admin: UserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(audit_log, "record", refuse)
    with pytest.raises(IntegrityError), transaction.atomic():
        credentials.set_credential(engine=CLOUD, new=SECRET, acting_user=None)
    assert credentials.credential_of(CLOUD) == ""


# --- never readable -------------------------------------------------------------------------------


def test_no_answer_page_log_or_table_holds_it(
    client_of_admin: UserClient, browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [change(client_of_admin), client_of_admin.get(TOKEN), client_of_admin.get("/api/admin/audit")]
    answers.append(change(client_of_admin, "wrong " + SECRET))
    row = EngineCredential.objects.get()
    answers += [browser.get(page(EngineCredential, name, *args)) for name, args in (
        ("changelist", ()), ("change", (row.pk,)), ("history", (row.pk,)), ("add", ()),
    )]  # fmt: skip
    answers.append(
        browser.post(page(EngineCredential, "add"), {"engine": CLOUD, "new_credential": f"{SECRET} x"})
    )
    assert not [answer for answer in answers if SECRET in answer.content.decode()]
    assert SECRET not in repr(row) + str(vars(row)) + repr(credentials.status_of(CLOUD))
    assert SECRET not in caplog.text
    places = Places()
    places.add_connection()
    assert places.found({"credential": SECRET}) == {}
    assert places.holding(CLOUD), "names are found, so the search works"


def test_a_process_that_knows_it_writes_it_into_no_log_line() -> None:
    credentials.set_credential(engine=CLOUD, new=SECRET, acting_user=None)
    assert credentials.credential_of(CLOUD) == SECRET
    assert Redaction()(f"the server said: {SECRET}") == "the server said: [hidden]"


def test_two_rows_of_one_secret_look_different() -> None:
    for engine in (CLOUD, "dashscope"):
        credentials.set_credential(engine=engine, new=SECRET, acting_user=None)
    assert len(set(EngineCredential.objects.values_list("secret", flat=True))) == 2


# --- the admin site -------------------------------------------------------------------------------


def test_the_site_sets_changes_and_removes_it(browser: Client, admin: User) -> None:
    added = browser.post(
        page(EngineCredential, "add"), {"engine": "dashscope", "new_credential": SECRET}, follow=True
    )
    assert added.status_code == 200
    assert credentials.credential_of("dashscope") == SECRET
    html = browser.get(page(EngineCredential, "change", "dashscope")).content.decode()
    assert 'type="password"' in html
    browser.post(page(EngineCredential, "change", "dashscope"), {"new_credential": SECOND})
    credentials.forget_cached()
    assert credentials.credential_of("dashscope") == SECOND
    browser.post(page(EngineCredential, "delete", "dashscope"), {"post": "yes"})
    credentials.forget_cached()
    assert credentials.credential_of("dashscope") == ""
    actions = AuditEntry.objects.filter(actor=admin).order_by("number").values_list("action", flat=True)
    assert list(actions) == ["credential.set", "credential.set", "credential.remove"]


def test_the_site_says_what_cannot_be_one(browser: Client) -> None:
    form = {"engine": "dashscope", "new_credential": "two words"}
    html = browser.post(page(EngineCredential, "add"), form).content.decode()
    assert "visible ASCII characters" in html
    assert "two words" not in html


def test_the_site_warns_of_an_engine_that_takes_none(browser: Client, settings: LazySettings) -> None:
    settings.GENERATION_ENGINE = "portrait"
    form = {"engine": "portrait", "new_credential": SECRET}
    answer = browser.post(page(EngineCredential, "add"), form, follow=True)
    assert any("takes no credential" in text for text in messages(answer))


# --- the command ----------------------------------------------------------------------------------


def test_the_command_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    out = io.StringIO()
    call_command("engine_credential", CLOUD, file=tmp_path / "key", stdout=out)
    assert credentials.credential_of(CLOUD) == SECRET
    call_command("engine_credential", "--status", stdout=out)
    assert "lightx2v-cloud: required, stored by engine_credential at" in out.getvalue()
    entry = AuditEntry.objects.get(action="credential.set")
    assert (entry.acting_as, entry.actor_name) == ("command", "engine_credential")
    call_command("engine_credential", "--remove", stdout=out)
    credentials.forget_cached()
    assert credentials.credential_of(CLOUD) == ""
    assert SECRET not in out.getvalue()


def test_the_command_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n"))
    call_command("engine_credential", stdout=io.StringIO())
    assert credentials.credential_of(CLOUD) == SECRET


@pytest.mark.parametrize("how", ["--status", "--remove", "--file=/dev/null"])
def test_the_command_refuses_an_engine_that_there_is_not(how: str) -> None:
    there_are = pytest.raises(CommandError, match=rf"no engine of that name.*\b{CLOUD}\b.*portrait")
    with translation.override("en"), there_are:
        call_command("engine_credential", "nope", how, stdout=io.StringIO())


def test_the_command_tells_of_and_removes_what_an_engine_left_behind() -> None:
    """Nobody would get rid of it otherwise."""
    EngineCredential.objects.create(engine="of the past", secret="x", set_at=timezone.now())
    out = io.StringIO()
    call_command("engine_credential", "of the past", "--status", stdout=out)
    call_command("engine_credential", "of the past", "--remove", stdout=out)
    assert "of the past: none, stored" in out.getvalue()
    assert not EngineCredential.objects.exists()


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe"])
def test_the_command_refuses_what_cannot_be_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(CommandError):
        call_command("engine_credential", file=tmp_path / "key", stdout=io.StringIO())
    with pytest.raises(CommandError, match="FileNotFoundError"):
        call_command("engine_credential", file=tmp_path / "no key", stdout=io.StringIO())
    assert not EngineCredential.objects.exists()
