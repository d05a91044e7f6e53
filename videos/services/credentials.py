"""Credentials of engines: set and removed by administrators, asked for with every request to a server.

A row holds for its engine; without one, `ENGINE_CREDENTIAL` of the environment holds for `GENERATION_ENGINE`
and for no other: a key of one server must not be shown to another. What is set is given to the engine alone.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.models import AuditAction, User
from accounts.services import audit_log
from engines.base import EngineStoppedError
from engines.registry import credential_use, engine_paths, remote_engine_paths
from videos import catalogue
from videos.models import CredentialUse, EngineCredential
from zhiying.kernel import encryption
from zhiying.kernel.clock import database_now
from zhiying.kernel.encryption import UnreadableSecretError, decrypted, encrypted
from zhiying.kernel.errors import InvalidError, NotFoundError
from zhiying.kernel.origin import current_origin
from zhiying.kernel.redaction import hide

PURPOSE = "engine-credential"
KEPT_S = 5.0
"""How long a process goes on with what it read: a new credential works so much later everywhere."""
NOTED_S = 60.0
"""The same verdict is written again no sooner."""
MAX_CHARS = 8192

logger = logging.getLogger(__name__)

Source = Literal["stored", "environment", "none"]
Verdict = CredentialUse.Verdict


@dataclass(frozen=True)
class Status:
    """What may be told of an engine's credential: everything but itself."""

    engine: str
    use: str
    """Whether the engine takes one: none, optional, required."""
    source: Source
    readable: bool
    """False: no key that there is decrypts it any more."""
    set_at: datetime | None
    set_by: str
    last_use: Verdict
    last_used_at: datetime | None

    @property
    def configured(self) -> bool:
        return self.source != "none"


class _Cache:
    """What this process read lately, by engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[str, tuple[float, str]] = {}
        self._noted: dict[str, tuple[float, str, str]] = {}

    def secret(self, engine: str) -> str:
        with self._lock:  # of many threads at once, one asks
            read_at, secret = self._read.get(engine, (0.0, ""))
            if not read_at or time.monotonic() - read_at >= KEPT_S:
                read_at, secret = time.monotonic(), _read(engine)
                self._read[engine] = read_at, secret
            return secret

    def is_new(self, engine: str, fingerprint: str, verdict: str) -> bool:
        """Whether a verdict has to be written; of many at once, one is."""
        with self._lock:
            noted_at, *noted = self._noted.get(engine, (0.0, "", ""))
            if noted == [fingerprint, verdict] and time.monotonic() - noted_at < NOTED_S:
                return False
            self._noted[engine] = time.monotonic(), fingerprint, verdict
            return True

    def forget(self, engine: str | None = None) -> None:
        with self._lock:
            for kept in (self._read, self._noted):
                kept.clear() if engine is None else kept.pop(engine, None)


_cache = _Cache()


def check_credential(new: str) -> str:
    """What is stored of what was typed or pasted.

    Raises:
        InvalidError: it cannot be a credential: it would not even fit into a header.
    """
    new = new.strip()
    if new and len(new) <= MAX_CHARS and all("!" <= letter <= "~" for letter in new):
        return new
    text = _("A credential has 1 to %(max)d visible ASCII characters and no spaces.")
    raise InvalidError(text % {"max": MAX_CHARS}, code="credential_invalid")


def require_engine(engine: str, *, or_stored: bool = False) -> None:
    """Make sure that there is such an engine, or (`or_stored`) that one of it was kept when there was.

    Raises:
        NotFoundError: there is neither.
    """
    known = {settings.GENERATION_ENGINE, *engine_paths(), *remote_engine_paths()}
    if engine in known or (or_stored and EngineCredential.objects.filter(engine=engine).exists()):
        return
    text = _("There is no engine of that name. There are: %(known)s.")
    raise NotFoundError(text % {"known": ", ".join(sorted(known))})


@transaction.atomic
def set_credential(*, engine: str, new: str, acting_user: User | None) -> str:
    """Give an engine a credential, or another one; returns a warning, empty where there is none.

    Raises:
        NotFoundError: there is no such engine. InvalidError: it cannot be a credential.
    """
    require_engine(engine)
    new = check_credential(new)
    hide(new)
    row, created = EngineCredential.objects.update_or_create(
        engine=engine,
        defaults={
            "secret": encrypted(new, PURPOSE),
            "set_at": database_now(),
            "set_by": acting_user.username if acting_user else current_origin().command,
        },
    )
    audit_log.record(
        AuditAction.CREDENTIAL_SET, acting_user=acting_user, target=row, details={"replaced": not created}
    )
    transaction.on_commit(partial(_cache.forget, engine))
    if credential_use(engine) == "none":
        return _("The engine %(engine)s takes no credential: it is kept, and not used.") % {"engine": engine}
    return ""


@transaction.atomic
def remove_credential(*, engine: str, acting_user: User | None) -> bool:
    """Take an engine's credential away; that of the environment holds again. False: there was none."""
    row = EngineCredential.objects.select_for_update().filter(engine=engine).first()
    if row is None:
        return False
    audit_log.record(AuditAction.CREDENTIAL_REMOVE, acting_user=acting_user, target=row)
    EngineCredential.objects.filter(engine=engine).delete()
    CredentialUse.objects.filter(engine=engine).delete()
    transaction.on_commit(partial(_cache.forget, engine))
    return True


def credential_of(engine: str) -> str:
    """What an engine shows to its server now; empty for none. A query every `KEPT_S` at most.

    Raises:
        EngineStoppedError: it cannot be decrypted any more.
    """
    return _cache.secret(engine)


def note_use(*, engine: str, secret: str, accepted: bool) -> None:
    """Write down what a server said of a credential, if it says something new or did not lately.

    Never raises for the database's sake: whatever was asked of the server has been done.
    """
    if not secret:
        return
    verdict, fingerprint = Verdict.ACCEPTED if accepted else Verdict.REFUSED, _fingerprint(secret)
    if not _cache.is_new(engine, fingerprint, verdict):
        return
    facts = {"fingerprint": fingerprint, "verdict": verdict, "said_at": database_now()}
    try:
        CredentialUse.objects.update_or_create(engine=engine, defaults=facts)
    except DatabaseError as error:
        logger.warning("What the server of %s said of its credential was not noted: %s", engine, error)


def status_of(engine: str) -> Status:
    """What may be told of one engine's credential."""
    row = EngineCredential.objects.filter(engine=engine).first()
    try:
        secret, readable = _secret_in(row, engine), True
    except UnreadableSecretError:
        secret, readable = "", False
    use = CredentialUse.objects.filter(engine=engine, fingerprint=_fingerprint(secret)).first()
    source: Source = "stored" if row else "environment" if secret else "none"
    return Status(
        engine=engine,
        use=credential_use(engine),
        source=source,
        readable=readable,
        set_at=row.set_at if row else None,
        set_by=row.set_by if row else "",
        last_use=Verdict(use.verdict) if use else Verdict.UNKNOWN,
        last_used_at=use.said_at if use else None,
    )


def statuses() -> list[Status]:
    """Of the installation's engine, then of all others that have a credential."""
    stored = EngineCredential.objects.exclude(engine=settings.GENERATION_ENGINE).order_by("engine")
    names = [settings.GENERATION_ENGINE, *stored.values_list("engine", flat=True)]
    return [status_of(name) for name in names]


def problem_of(engine: str) -> str:
    """Why an engine cannot work with the credential it has, as a code of the catalogue; empty where it can.

    An engine that takes none costs no query.
    """
    if credential_use(engine) == "none":
        return ""
    status = status_of(engine)
    if not status.readable:
        return "credential_unreadable"
    if status.use == "required" and not status.configured:
        return "credential_missing"
    return "credential_rejected" if status.last_use == Verdict.REFUSED else ""


def reencrypt_all() -> tuple[int, int]:
    """Bring every credential under the first key; returns how many, and how many no key reads any more."""
    return encryption.reencrypt_all(EngineCredential.objects.all(), PURPOSE)


def forget_cached() -> None:
    """The next question goes to the database."""
    _cache.forget()


def _read(engine: str) -> str:
    try:
        secret = _secret_in(EngineCredential.objects.filter(engine=engine).first(), engine)
    except UnreadableSecretError as error:
        sentence = catalogue.failure_in_english("credential_unreadable", {})
        raise EngineStoppedError("credential_unreadable", sentence) from error
    hide(secret)
    return secret


def _secret_in(row: EngineCredential | None, engine: str) -> str:
    """Raises UnreadableSecretError."""
    if row is not None:
        return decrypted(row.secret, PURPOSE)
    return settings.ENGINE_CREDENTIAL.strip() if engine == settings.GENERATION_ENGINE else ""


def _fingerprint(secret: str) -> str:
    """Tells one credential from another, and nobody what it is."""
    return salted_hmac(PURPOSE, secret, algorithm="sha256").hexdigest()
