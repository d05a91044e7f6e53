"""Whatever a command changes is in the audit log, under the command's name."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts.models import AuditEntry, TotpDevice, User
from tests.api.stores import use_disk
from tests.support.rows import make_batch, make_user
from videos.models import Batch
from videos.services import credentials, store_check
from videos.store.installation import MARKER, claim_store
from zhiying.data_folder import COMMANDS
from zhiying.kernel.encryption import encrypted

pytestmark = pytest.mark.django_db

CHANGE_NOTHING = {"audit_credits"}


def nothing() -> None:
    """The command needs no more than is there."""


def a_second_factor() -> None:
    TotpDevice.objects.create(user=User.objects.get(), secret=encrypted("x", "totp"))


def a_credential() -> None:
    credentials.set_credential(engine="dashscope", new="sk-0123456789", acting_user=None)


def an_orphan() -> None:
    claim_store()
    Batch.objects.filter(pk=make_batch(User.objects.get(), 2).pk).delete()


def the_store_of_somebody_else() -> None:
    default_storage.save(MARKER, ContentFile(b"nonsense"))


CHANGING: list[tuple[str, Callable[[], None], str]] = [
    ("create_admin root", nothing, "user.create"),
    ("engine_credential dashscope --file KEY", nothing, "credential.set"),
    ("engine_credential dashscope --remove", a_credential, "credential.remove"),
    ("media_orphans --delete", an_orphan, "store.orphans"),
    ("prepare_store --adopt", the_store_of_somebody_else, "store.adopt"),
    ("rebuild_usage", nothing, "usage.rebuild"),
    ("reencrypt_secrets", a_credential, "secrets.reencrypt"),
    ("reencrypt_secrets", a_second_factor, "secrets.reencrypt"),
    ("reset_totp anna", a_second_factor, "user.totp_off"),
    ("topup_credits anna 5 --reason paid", nothing, "credits.topup"),
    ("topup_credits --csv FILE --reason paid", nothing, "credits.topup"),
]
HOW_MANY = {"store.orphans": 1, "secrets.reencrypt": 1, "usage.rebuild": 0}


@pytest.fixture(autouse=True)
def _an_installation(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_disk(settings, tmp_path)
    monkeypatch.setattr(store_check, "YOUNG", timedelta(seconds=-60))
    make_user("anna")


def test_every_command_is_known_to_change_something_or_nothing() -> None:
    assert {words.split()[0] for words, *_ in CHANGING} | CHANGE_NOTHING == COMMANDS


@pytest.mark.parametrize(
    ("words", "prepare", "action"), CHANGING, ids=[f"{one[0]}-{one[2]}" for one in CHANGING]
)
def test_what_a_command_changes_is_recorded_under_its_name(
    words: str, prepare: Callable[[], None], action: str, tmp_path: Path
) -> None:
    (tmp_path / "KEY").write_text("sk-0123456789")
    (tmp_path / "FILE").write_text("username,amount\nanna,5\n")
    prepare()
    before = AuditEntry.objects.count()
    command, *arguments = words.split()
    named = [str(tmp_path / word) if word.isupper() else word for word in arguments]
    call_command(command, *named, stdout=io.StringIO())
    entry = AuditEntry.objects.get(action=action, acting_as="command", actor_name=command)
    assert AuditEntry.objects.count() == before + 1
    if action in HOW_MANY:
        assert entry.details["count"] == HOW_MANY[action]


@pytest.mark.parametrize(
    "words", ["audit_credits", "media_orphans", "prepare_store", "media_orphans --measure"]
)
def test_a_command_that_only_looks_leaves_no_entry(words: str) -> None:
    an_orphan()
    before = AuditEntry.objects.count()
    call_command(*words.split(), stdout=io.StringIO())
    assert AuditEntry.objects.count() == before
