"""Credentials of engines: which one a server is shown, with which key it is kept, what its answer means."""

import io
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from engines.base import EngineStoppedError
from engines.remote import JobOrder
from tests.standins.dashscope import DashScopeServer
from tests.standins.lightx2v_cloud import LightX2VCloudServer
from tests.support.credentials import CLOUD, SECOND, SECRET, TOKEN, change, told
from tests.support.parallel import all_at_once
from tests.support.rows import UserClient, make_worker
from videos.models import CredentialUse, EngineCredential
from videos.services import credentials
from videos.services.remote_engines import remote_engine
from zhiying.kernel.encryption import encrypted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cloud(settings: LazySettings) -> None:
    settings.GENERATION_ENGINE = CLOUD
    settings.ENGINE_CREDENTIAL = ""


# --- the environment's ----------------------------------------------------------------------------


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


# --- keys -----------------------------------------------------------------------------------------


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


# --- asked with every request ---------------------------------------------------------------------


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


# --- what is told of the engine -------------------------------------------------------------------


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
