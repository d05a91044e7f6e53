"""The media endpoint: private files behind signed URLs, with `Range`, from disk, nginx or S3."""

import re
from collections.abc import Iterator
from typing import IO

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _

from videos.store import backends, keys
from videos.store.urls import is_valid, seconds_left
from zhiying.kernel.api.methods import only_reads
from zhiying.kernel.responses import disposition, error_response

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@only_reads
def media(request: HttpRequest, token: str, key: str) -> HttpResponseBase:
    """Answer a signed media URL: 200, 206, 304, 416, or a redirect to where the bytes are."""
    if not is_valid(token, key):
        return error_response(
            403, "media_link_expired", _("This link has expired or is not valid. Reload the page.")
        )
    cache = f"private, max-age={seconds_left(token)}, immutable"
    if backends.is_remote():
        response: HttpResponseBase = HttpResponseRedirect(_presigned(request, token, key))
        cache = f"private, max-age={min(seconds_left(token), 300)}"
    elif settings.MEDIA_ACCEL_PREFIX:
        response = HttpResponse(headers={"X-Accel-Redirect": f"{settings.MEDIA_ACCEL_PREFIX}/{key}"})
    else:
        response = _from_disk(request, key)
    response["Cache-Control"] = cache
    if response.status_code < 300:
        response["Content-Type"] = keys.content_type(key)
        response["Content-Disposition"] = _disposition(request)
        response["X-Content-Type-Options"] = "nosniff"
        # Media are shown by a front end that may live elsewhere; the URL itself is the permission.
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _disposition(request: HttpRequest) -> str:
    name = request.GET.get("download", "")
    return disposition(name) if name else "inline"


def _presigned(request: HttpRequest, token: str, key: str) -> str:
    parameters = {"ResponseContentType": keys.content_type(key)}
    if request.GET.get("download"):
        parameters["ResponseContentDisposition"] = _disposition(request)
    return backends.presigned_url(key, expire_s=max(60, seconds_left(token)), parameters=parameters)


def _from_disk(request: HttpRequest, key: str) -> HttpResponseBase:
    try:
        file = default_storage.open(key)
        size = file.size
    except FileNotFoundError:
        return error_response(404, "not_found", _("This file does not exist any more."))
    etag = f'"{key.rpartition("/")[2]}"'  # keys are never written twice
    if request.headers.get("If-None-Match") == etag:
        file.close()
        return HttpResponse(status=304, headers={"ETag": etag})
    span = _requested_span(request, etag, size)
    if span is None:
        response: HttpResponseBase = FileResponse(file)
        response["Content-Length"] = str(size)
    elif span[0] >= size or span[0] > span[1]:
        file.close()
        response = error_response(
            416, "range_not_satisfiable", _("The file is shorter than the range asked for.")
        )
        response["Content-Range"] = f"bytes */{size}"
        return response
    else:
        first, last = span
        response = StreamingHttpResponse(_slice(file, first, last), status=206)
        response["Content-Length"] = str(last - first + 1)
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    return response


def _requested_span(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | None:
    """First and last byte wanted; None for the whole file, also where RFC 9110 lets a range be ignored."""
    header = request.headers.get("Range", "")
    if not header or request.headers.get("If-Range", etag) != etag:
        return None
    match = _RANGE.fullmatch(header.strip())
    if not match or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:  # the last N bytes; N = 0 cannot be satisfied
        return (max(0, size - int(last)), size - 1) if int(last) else (size, size)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last), size - 1) if last else size - 1


def _slice(file: IO[bytes], first: int, last: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
