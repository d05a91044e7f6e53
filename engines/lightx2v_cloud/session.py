"""Requests to the deploy server with a token that is kept fresh, no faster than it allows."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from engines.base import EngineBusyError, EngineError, EngineStoppedError
from engines.http import Client, Reply
from engines.remote import Credential

PAUSE_S = 0.06
"""Between two requests; the server refuses a second one within 0.05 s."""
SOON_S, ACTIVE_S, DAY_S = 1.0, 30.0, 3600.0
"""When to come back after: too fast; as many tasks as are allowed; as many as are allowed a day."""


class Session:
    """The credential is an access token, or a refresh token, which is exchanged for one when that is needed.

    What was exchanged is kept for that credential alone: another one begins anew.
    """

    def __init__(self, url: str, client: Client, credential: Credential) -> None:
        self._url, self._client, self._credential = url, client, credential
        self._for, self._access, self._refresh = "", "", ""
        self._lock, self._pace = threading.Lock(), threading.Lock()
        self._next = 0.0

    def get(self, path: str) -> Reply:
        return self.asked(lambda headers: self._client.get(f"{self._url}{path}", headers=headers))

    def post(self, path: str, value: Any) -> Reply:
        return self.asked(
            lambda headers: self._client.post_json(f"{self._url}{path}", value, headers=headers)
        )

    def asked(self, send: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """The answer to a request, sent again with a fresh token when the first has expired."""
        token = self._token()
        reply = self._sent(send, token)
        if reply.status == 401:
            reply = self._sent(send, self._renewed(token))
            if reply.status == 401:
                raise EngineStoppedError("credential_rejected")
        return reply

    def _sent(self, send: Callable[[Mapping[str, str]], Reply], token: str) -> Reply:
        with self._pace:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + PAUSE_S
        return send({"Authorization": f"Bearer {token}"})

    def _token(self) -> str:
        credential = self._credential()
        if not credential:
            raise EngineStoppedError("credential_missing")
        with self._lock:
            if credential != self._for:
                self._for, self._access, self._refresh = credential, credential, credential
            return self._access

    def _renewed(self, used: str) -> str:
        """A fresh access token; one thread exchanges, the others get what it got."""
        with self._lock:
            if self._access != used:
                return self._access
            reply = self._client.post_json(f"{self._url}/auth/refresh", {"refresh_token": self._refresh})
            if reply.status == 401:
                raise EngineStoppedError("credential_rejected")
            reply.raise_for_trouble()
            value = reply.object()
            access = value.get("access_token")
            if not isinstance(access, str) or not access:
                raise EngineBusyError("server_answer", host=reply.host)
            self._access, self._refresh = access, str(value.get("refresh_token") or self._refresh)
            return access


def trouble_of(reply: Reply) -> EngineError | None:
    """What an answer that is no success means. Its status says little, its text most of it."""
    if reply.ok:
        return None
    words = message_of(reply).lower()
    if "too frequently" in words:
        return EngineBusyError(retry_after_s=SOON_S)
    if "too many active" in words:
        return EngineBusyError(retry_after_s=ACTIVE_S)
    if "too many daily" in words:
        return EngineBusyError("day_used_up", retry_after_s=DAY_S)
    if "queue busy" in words:
        return EngineBusyError(retry_after_s=ACTIVE_S)
    if "model_pipeline" in words:
        return EngineStoppedError("engine_setting", name="LIGHTX2V_CLOUD_MODEL", reason=message_of(reply))
    if any(
        part in words for part in ("failed to read input", "not found in params", "valid prompt", "invalid")
    ):
        return EngineError("input_refused", reason=message_of(reply))
    try:
        reply.raise_for_trouble()
    except EngineError as error:
        return error
    return EngineError("generation_failed", reason=message_of(reply))


def message_of(reply: Reply) -> str:
    try:
        words = str(reply.object().get("message", ""))
    except EngineError:
        words = ""
    return words.removeprefix("error: ").rstrip("!")[:300]
