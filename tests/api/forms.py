"""Submitting batches through the API."""

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.support.media import image_bytes, wav_bytes

CREATE = "/api/video/batch"


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def form(images: int | Sequence[SimpleUploadedFile] = 1, **fields: Any) -> dict[str, Any]:
    """The form of a batch; `audio=None` leaves the recording out."""
    if isinstance(images, int):
        images = [file(f"face {number}.jpg", image_bytes()) for number in range(images)]
    body = {"images": list(images), "audio": file("speech.wav", wav_bytes()), **fields}
    return {name: value for name, value in body.items() if value is not None}


def submit(client: APIClient, body: dict[str, Any] | None = None, path: str = CREATE, **headers: Any) -> Any:
    return client.post(path, form() if body is None else body, format="multipart", **headers)


def submit_raw(client: Any, image_name: str) -> Any:
    """One image under a file name exactly as a hostile client would write it."""
    parts = [("images", image_name, image_bytes()), ("audio", "a.wav", wav_bytes())]
    body = b"".join(
        f'--limit\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for field, name, content in parts
    )
    return client.generic(
        "POST", CREATE, body + b"--limit--\r\n", content_type="multipart/form-data; boundary=limit"
    )
