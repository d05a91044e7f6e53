"""Credentials of engines: set, used, told of and removed; never given out again."""

import io
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from accounts.services import audit_log
from engines.base import EngineStoppedError
from engines.remote import JobOrder
from tests.adminpanel.pages import messages, page
from tests.standins.dashscope import DashScopeServer
from tests.standins.lightx2v_cloud import LightX2VCloudServer
from tests.support.parallel import all_at_once
from tests.support.rows import UserClient, make_worker
from tests.support.secrets_at_rest import Places
from videos.models import CredentialUse, EngineCredential
from videos.services import credentials
from videos.services.remote_engines import remote_engine
from zhiying.kernel.encryption import encrypted
from zhiying.kernel.redaction import Redaction

pytestmark = pytest.mark.django_db

TOKEN = "/api/admin/token"
SECRET = "sk-first-0123456789abcdef"
SECOND = "sk-second-fedcba9876543210"
CLOUD = "lightx2v-cloud"


@pytest.fixture(autouse=True)
def _cloud(settings: LazySettings) -> None:
    settings.GENERATION_ENGINE = CLOUD
    settings.ENGINE_CREDENTIAL = ""


def change(client: UserClient, new: str = SECRET, **fields: str) -> Any:
    return client.patch(TOKEN, {"new_token": new, **fields}, format="json", HTTP_ACCEPT_LANGUAGE="en")


def told(client: UserClient, engine: str = CLOUD) -> Any:
    body = client.get(TOKEN).json()
    return next(one for one in body["credentials"] if one["engine"] == engine)


# --- set, told of, removed ----------------------------------------------------------------------------


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


# --- the environment's --------------------------------------------------------------------------------


def test_the_environment_s_holds_until_one_is_set_and_again_when_that_is_removed(
    client_of_admin: UserClient, settings: LazySettings
) -> None:
    settings.ENGINE_CREDENTIAL = "from-the-environment"
    assert told(client_of_admin)["origin"] == "environment"
    assert credentials.credential_of(CLOUD) == "from-the-environment"
    change(client_of_admin)
    credentials.forget_cached()
    assert credentials.credential_of(CLOUD) == SECRET
    assert client_of_admin.delete(TOKEN).json()["success"] is True
    credentials.forget_cached()
    assert credentials.credential_of(CLOUD) == "from-the-environment"


def test_the_environment_s_is_shown_to_no_other_engine_s_server(settings: LazySettings) -> None:
    settings.ENGINE_CREDENTIAL = "from-the-environment"
    assert credentials.credential_of("comfyui") == ""


# --- never readable -----------------------------------------------------------------------------------


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


# --- keys ---------------------------------------------------------------------------------------------


def change_key(settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 5
    credentials.forget_cached()


def drop_old_key(settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    credentials.forget_cached()


def test_it_is_encrypted_anew_before_the_old_key_is_dropped(settings: LazySettings) -> None:
    credentials.set_credential(engine=CLOUD, new=SECRET, acting_user=None)
    change_key(settings)
    assert credentials.credential_of(CLOUD) == SECRET
    out = io.StringIO()
    call_command("reencrypt_secrets", stdout=out)
    assert "1 credentials of engines" in out.getvalue()
    drop_old_key(settings)
    assert credentials.credential_of(CLOUD) == SECRET


def test_one_that_no_key_reads_is_told_and_set_anew(
    client_of_admin: UserClient, settings: LazySettings
) -> None:
    credentials.set_credential(engine=CLOUD, new=SECRET, acting_user=None)
    settings.SECRET_KEY = "another-key-" * 5
    credentials.forget_cached()
    with pytest.raises(EngineStoppedError) as refused:
        credentials.credential_of(CLOUD)
    assert refused.value.code == "credential_unreadable"
    assert credentials.status_of(CLOUD).readable is False
    error = io.StringIO()
    with pytest.raises(CommandError):
        call_command("reencrypt_secrets", stdout=io.StringIO(), stderr=error)
    assert "1 credentials of engines cannot be read" in error.getvalue()
    assert credentials.problem_of(CLOUD) == "credential_unreadable"
    credentials.set_credential(engine=CLOUD, new=SECOND, acting_user=None)
    credentials.forget_cached()
    assert credentials.credential_of(CLOUD) == SECOND


# --- asked with every request -------------------------------------------------------------------------


def test_it_costs_a_query_in_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    credentials.set_credential(engine=CLOUD, new=SECRET, acting_user=None)
    with CaptureQueriesContext(connection) as queries:
        for _number in range(50):
            assert credentials.credential_of(CLOUD) == SECRET
    assert len(queries) == 1
    # Another process sets another one: this one is told nothing, and still has it 5 s later.
    other = encrypted(SECOND, credentials.PURPOSE)
    EngineCredential.objects.update(secret=other)
    now[0] += 4.9
    assert credentials.credential_of(CLOUD) == SECRET
    now[0] += 0.1
    assert credentials.credential_of(CLOUD) == SECOND


@pytest.mark.django_db(transaction=True)
def test_the_process_that_sets_it_uses_it_at_once(client_of_admin: UserClient) -> None:
    change(client_of_admin)
    assert credentials.credential_of(CLOUD) == SECRET
    change(client_of_admin, SECOND)
    assert credentials.credential_of(CLOUD) == SECOND


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_who_set_it_at_once_the_later_holds_and_both_are_recorded() -> None:
    def put(secret: str) -> Any:
        return lambda: credentials.set_credential(engine=CLOUD, new=secret, acting_user=None)

    all_at_once([put(SECRET), put(SECOND)])
    assert EngineCredential.objects.count() == 1
    assert credentials.credential_of(CLOUD) in {SECRET, SECOND}
    assert AuditEntry.objects.filter(action="credential.set").count() == 2


def an_order(folder: Path) -> JobOrder:
    for name in ("portrait.jpg", "speech.wav"):
        (folder / name).write_bytes(b"x")
    return JobOrder(
        job_id=uuid4(),
        portrait=folder / "portrait.jpg",
        audio=folder / "speech.wav",
        prompt="",
        seed=1,
        audio_s=1.0,
    )


def test_servers_are_shown_the_new_one_without_a_restart_and_what_they_say_is_noted(tmp_path: Path) -> None:
    with DashScopeServer().serving() as server:
        server.key = SECOND
        engine = remote_engine("dashscope", {"DASHSCOPE_URL": f"{server.url}/api/v1"})
        credentials.set_credential(engine="dashscope", new=SECRET, acting_user=None)
        with pytest.raises(EngineStoppedError):
            engine.submit(an_order(tmp_path))
        status = credentials.status_of("dashscope")
        assert (status.last_use, status.configured) == ("refused", True)
        credentials.set_credential(engine="dashscope", new=SECOND, acting_user=None)
        credentials.forget_cached()
        assert credentials.status_of("dashscope").last_use == "unknown"
        assert engine.readiness().ready
        assert credentials.status_of("dashscope").last_use == "accepted"


def test_a_refresh_token_of_the_cloud_is_exchanged_and_a_new_one_taken_up() -> None:
    with LightX2VCloudServer().serving() as server:
        server.refresh = SECRET
        engine = remote_engine(CLOUD, {"LIGHTX2V_CLOUD_URL": server.url})
        assert engine.readiness().code == "credential_missing"
        assert credentials.problem_of(CLOUD) == "credential_missing"
        credentials.set_credential(engine=CLOUD, new=SECRET, acting_user=None)
        credentials.forget_cached()
        assert engine.readiness().ready
        assert (server.renewals, credentials.status_of(CLOUD).last_use) == (1, "accepted")
        server.refresh, server.access = SECOND, "of another session"
        assert engine.readiness().code == "credential_rejected"
        assert credentials.problem_of(CLOUD) == "credential_rejected"
        credentials.set_credential(engine=CLOUD, new=SECOND, acting_user=None)
        credentials.forget_cached()
        assert engine.readiness().ready
        assert (server.renewals, credentials.problem_of(CLOUD)) == (2, "")


def test_what_an_earlier_one_met_says_nothing_of_the_new_one() -> None:
    credentials.set_credential(engine=CLOUD, new=SECOND, acting_user=None)
    credentials.note_use(engine=CLOUD, secret=SECRET, accepted=False)
    assert credentials.status_of(CLOUD).last_use == "unknown"
    credentials.note_use(engine=CLOUD, secret=SECOND, accepted=True)
    assert credentials.status_of(CLOUD).last_use == "accepted"


def test_the_same_verdict_is_written_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with CaptureQueriesContext(connection) as queries:
        for _number in range(20):
            credentials.note_use(engine=CLOUD, secret=SECRET, accepted=True)
    written = [one for one in queries.captured_queries if one["sql"].startswith(("INSERT", "UPDATE"))]
    assert len(written) == 1
    first = CredentialUse.objects.get().said_at
    now[0] += credentials.NOTED_S
    credentials.note_use(engine=CLOUD, secret=SECRET, accepted=True)
    assert CredentialUse.objects.get().said_at > first


# --- what is told of the engine -----------------------------------------------------------------------


def test_an_engine_without_its_credential_is_not_usable(client_of_admin: UserClient) -> None:
    make_worker(engines={CLOUD: {"ready": True, "code": "", "params": {}, "detail": ""}})

    def status() -> Any:
        return client_of_admin.get("/api/token/status", HTTP_ACCEPT_LANGUAGE="en").json()

    assert status() == {
        "valid": False,
        "error": "The engine has no credential; an administrator must set one.",
    }
    change(client_of_admin)
    assert status() == {"valid": True}
    credentials.note_use(engine=CLOUD, secret=SECRET, accepted=False)
    assert status()["error"] == "The engine's server rejects the credential; it must be renewed."


# --- the admin site -----------------------------------------------------------------------------------


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


# --- the command --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe"])
def test_the_command_refuses_what_cannot_be_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(CommandError):
        call_command("engine_credential", file=tmp_path / "key", stdout=io.StringIO())
    with pytest.raises(CommandError, match="FileNotFoundError"):
        call_command("engine_credential", file=tmp_path / "no key", stdout=io.StringIO())
    assert not EngineCredential.objects.exists()
