"""How much a call may send: declared by its view, enforced before a byte of the body is read.

A view (a class, or a function) may say

- `max_body_bytes`: the largest body; `DEFAULT_BODY_BYTES` unless said;
- `accepts_files`: whether it takes files in a form. Then forms may be as large as a full batch, unless
  `max_body_bytes` says otherwise, and whoever is not logged in may not send one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from zhiying.kernel.errors import DomainError

_View = TypeVar("_View", bound=Callable[..., Any])

DEFAULT_BODY_BYTES = 1_000_000
"""Enough for every call in JSON and for every form of the admin site."""
SMALL_BODY_BYTES = 64_000
"""Calls that anybody may make, such as logging in."""


@dataclass(frozen=True)
class BodyLimit:
    """What one call may send."""

    plain_bytes: int
    form_bytes: int
    accepts_files: bool

    def for_type(self, content_type: str) -> int:
        """The largest body of this content type."""
        is_form = content_type.lower().startswith("multipart/form-data")
        return self.form_bytes if is_form else self.plain_bytes


_DEFAULT = BodyLimit(DEFAULT_BODY_BYTES, DEFAULT_BODY_BYTES, False)


def takes_body(max_bytes: int) -> Callable[[_View], _View]:
    """Declares `max_body_bytes` of a view that is a function."""

    def declare(view: _View) -> _View:
        view.max_body_bytes = max_bytes  # type: ignore[attr-defined]  # what `limit_of` looks for
        return view

    return declare


def limit_of(view: Callable[..., Any]) -> BodyLimit:
    """What the view declares, as class or function."""
    declared = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    files = bool(getattr(declared, "accepts_files", False))
    stated: int | None = getattr(declared, "max_body_bytes", None)
    plain = stated if stated and not files else DEFAULT_BODY_BYTES
    form = (stated or settings.REQUEST_MAX_BYTES) if files else plain
    return BodyLimit(plain, form, files)


def limit_for_path(path: str) -> BodyLimit:
    """What the call at this path may send; nothing large where there is no call."""
    try:
        return limit_of(resolve(path).func)
    except (Resolver404, UnicodeError, ValueError):
        return _DEFAULT


def too_large_error(limit_bytes: int) -> DomainError:
    """The refusal, with the limit in a unit people read."""
    limit = f"{limit_bytes // 1_000_000} MB" if limit_bytes >= 1_000_000 else f"{limit_bytes // 1000} KB"
    text = _("The request is larger than %(limit)s. Send fewer or smaller files.")
    return DomainError(text % {"limit": limit}, code="request_too_large", status=413)


def length_required_error() -> DomainError:
    """A body of unknown length is not read."""
    return DomainError(_("Say by Content-Length how long the body is."), code="length_required", status=411)


class RefuseFiles(FileUploadHandler):
    """For calls that take no files: the first one ends the reading of the form (415)."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise DomainError(_("This call takes no files."), code="files_not_accepted", status=415)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class SkipFiles(RefuseFiles):
    """For pages, which have nowhere to answer from while a form is read: files are read over."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile


def apply_limit(request: HttpRequest, view: Callable[..., Any]) -> None:
    """Refuse a request whose body its view does not take; call it before the body is read.

    Raises:
        DomainError: 413 too large, 411 of unknown length.
    """
    limit = limit_of(view)
    allowed = limit.for_type(str(request.META.get("CONTENT_TYPE", "")))
    length = _content_length(request)
    if length is None and request.META.get("HTTP_TRANSFER_ENCODING"):
        raise length_required_error()
    if (length or 0) > allowed:
        raise too_large_error(allowed)
    if not limit.accepts_files:
        refuses = hasattr(view, "cls")  # REST framework turns the refusal into an answer
        request.upload_handlers = [(RefuseFiles if refuses else SkipFiles)(request)]


def _content_length(request: HttpRequest) -> int | None:
    try:
        return int(request.META.get("CONTENT_LENGTH") or "")
    except ValueError:
        return None
