"""DashScope's error codes as ours."""

from typing import Any

from engines.base import (
    EngineBusyError,
    EngineError,
    EngineStoppedError,
    EngineUnavailableError,
    NoFaceError,
)
from engines.failures import failure_of
from engines.http import Reply, said

REJECTED = (
    "InvalidApiKey",
    "AccessDenied",
    "Model.AccessDenied",
    "Workspace.AccessDenied",
    "invalid_api_key",
)
USED_UP = ("Arrearage", "AllocationQuota.FreeTierOnly", "PrepaidBillOverdue", "PostpaidBillOverdue")
BUSY = ("Throttling", "RequestTimeOut", "ServiceUnavailable", "ModelUnavailable", "LimitRequests")
INNER = ("InternalError", "SystemError", "ModelServiceFailed")
NO_FACE = (
    "InvalidFile.NoHuman",
    "InvalidFile.NoFace",
    "InvalidImage.NoHumanFace",
    "InvalidFile.BodyProportion",
)


def error_of(code: object, message: object) -> EngineError:
    """What a code and its sentence mean, whether they come at once or as the end of a task."""
    name, words = str(code or ""), said(message or code or "")
    if name.startswith("DataInspection"):
        return EngineError("content_refused")
    if name in REJECTED:
        return EngineStoppedError("credential_rejected")
    if name.startswith(USED_UP):
        return EngineStoppedError("quota_used_up")
    if name.startswith(BUSY):
        return EngineBusyError()
    if name.startswith(NO_FACE):
        return NoFaceError()
    if name.startswith(INNER):
        failure = failure_of(words)
        return (
            failure
            if failure.code == "content_refused"
            else EngineUnavailableError("generation_failed", reason=words)
        )
    if name.startswith(("InvalidFile", "InvalidParameter", "InvalidImage", "InvalidURL", "InvalidAudio")):
        return EngineError("input_refused", reason=words)
    return failure_of(words)


def raise_for(reply: Reply) -> Reply:
    """Raises what an answer that is no success means."""
    if reply.ok:
        return reply
    if reply.status in (400, 403, 404, 409, 413, 422, 429):
        value = reply.object()
        if value.get("code"):
            raise error_of(value["code"], value.get("message"))
        if reply.status in (400, 413, 422):
            raise EngineError("input_refused", reason=said(value.get("message") or ""))
    reply.raise_for_trouble()
    raise EngineBusyError("server_answer", host=reply.host)


def refused_portrait(output: dict[str, Any]) -> EngineError:
    """What the detector has against a portrait."""
    words = said(output.get("message") or output.get("code") or "")
    failure = error_of(output.get("code"), words)
    if isinstance(failure, NoFaceError) or failure.code == "content_refused":
        return failure
    if not words or "face" in words.lower() or output.get("humanoid") is False:
        return NoFaceError()
    return EngineError("input_refused", reason=words)
