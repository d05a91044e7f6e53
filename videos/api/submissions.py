"""Files as a client submits them: in the form itself, or by the keys of uploads that came before."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rest_framework.request import Request

from accounts.api.authentication import current_user
from accounts.models import User
from videos.services import library, uploads
from videos.services.intake import SubmittedFile, form_audio, form_image
from videos.services.library import is_reference
from zhiying.kernel.idempotency import fingerprint
from zhiying.kernel.types import Upload

Files = tuple[list[SubmittedFile], SubmittedFile | None]


class Submission(Protocol):
    """The images and the recording of one request."""

    @property
    def images(self) -> Sequence[Any]:
        """One for each image."""

    def files(self) -> Any:
        """A context in which all of them are files on this machine: `(images, audio)`."""

    def fingerprint(self, operation: str, fields: dict[str, Any]) -> str:
        """What an Idempotency-Key stands for."""

    def take(self) -> None:
        """Called within the transaction that makes use of the files."""


@dataclass(frozen=True)
class FormSubmission:
    """Files of a multipart form."""

    images: Sequence[Upload]
    audio: Sequence[Upload]

    @contextmanager
    def files(self) -> Iterator[Files]:
        """They are on this machine already."""
        yield [form_image(image) for image in self.images], form_audio(self.audio[0]) if self.audio else None

    def fingerprint(self, operation: str, fields: dict[str, Any]) -> str:
        """By the files' content: boundaries and names may differ."""
        return fingerprint(operation, fields, {"images": list(self.images), "audio": list(self.audio)})

    def take(self) -> None:
        """Nothing keeps them from being sent again."""


@dataclass(frozen=True)
class KeySubmission:
    """Keys of uploads, and references to what the user has stored already (`videos.services.library`)."""

    user: User
    images: Sequence[str]
    audio: str
    max_images: int

    @contextmanager
    def files(self) -> Iterator[Files]:
        """Uploads are fetched; of too many images, which are refused anyway, only the allowed number."""
        images = self.images[: self.max_images]
        keys = [key for key in (*images, self.audio) if key and not is_reference(key)]
        with ExitStack() as stack:
            fetched = iter(stack.enter_context(uploads.fetched(user=self.user, keys=keys)))
            kept = iter(library.portraits(self.user, [key for key in images if is_reference(key)]))
            found = [next(kept if is_reference(key) else fetched) for key in images]
            audio = self._audio(fetched) if self.audio else None
            beyond = [SubmittedFile(key, found[0].content) for key in self.images[self.max_images :]]
            yield [*found, *beyond], audio

    def _audio(self, fetched: Iterator[SubmittedFile]) -> SubmittedFile:
        return library.recordings(self.user, [self.audio])[0] if is_reference(self.audio) else next(fetched)

    def fingerprint(self, operation: str, fields: dict[str, Any]) -> str:
        """By the keys: one that was used stands for the same bytes for ever."""
        named = {**fields, "images": json.dumps(list(self.images)), "audio": self.audio}
        return fingerprint(f"{operation} by keys", named, {})

    def take(self) -> None:
        """From now on the keys are used."""
        images = ["" if is_reference(key) else key for key in self.images]
        uploads.uploads_take(images=images, audio="" if is_reference(self.audio) else self.audio)


def form_submission(request: Request, *image_fields: str) -> FormSubmission:
    """All files under any of these field names and under `audio`, in the order sent."""
    images = [upload for name in image_fields for upload in request.FILES.getlist(name)]
    return FormSubmission(images, request.FILES.getlist("audio"))


def key_submission(request: Request, images: Sequence[str], audio: str, max_images: int) -> KeySubmission:
    """Keys of the caller's own uploads."""
    return KeySubmission(current_user(request), images, audio, max_images)


def names_keys(request: Request) -> bool:
    """Whether the body is JSON, which cannot carry files and so names uploads."""
    return request.content_type.partition(";")[0].strip().lower() == "application/json"
