"""Users and batches in the database, made the way the application makes them."""

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.sessions import Tokens, session_start
from accounts.services.users import user_create
from tests.support.media import image_bytes, wav_bytes
from videos.engine_names import own_engine
from videos.models import Batch, VideoItem, Worker
from videos.scheduling.claims import claim_next
from videos.services.attempts import Claim
from videos.services.batches import batch_create
from videos.services.engine_limits import EngineLimits
from videos.services.intake import PreparedFiles, PreparedPortrait
from videos.services.routing import Route

PASSWORD = "Correct-Horse-7"
_numbers = count(1)


def make_user(name: str = "", *, credits: int = 100, is_admin: bool = False) -> User:  # noqa: A002
    """A user with `PASSWORD`, and credits that the ledger knows of."""
    username = name or f"user{next(_numbers)}"
    return user_create(
        username=username, password=PASSWORD, credits=credits, is_admin=is_admin, acting_user=None
    )


class UserClient(APIClient):
    """An API client with a session of its own."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access}")


def client_for(user: User) -> UserClient:
    """A client of a new session of the user, as they are now."""
    return UserClient(session_start(User.objects.get(pk=user.pk)))


def make_batch(
    user: User, images: int = 1, *, name: str = "", prompt: str = "", engines: Sequence[str] = ()
) -> Batch:
    """A charged batch whose files were proven before; only the costly decoding is left out.

    `engines`: its route, where that is not the installation's own engine.
    """
    with tempfile.TemporaryDirectory() as folder:
        image, audio = Path(folder, "image.jpg"), Path(folder, "audio.wav")
        image.write_bytes(image_bytes())
        audio.write_bytes(wav_bytes())
        portraits = [PreparedPortrait(f"face {index}.jpg", image, image, 160, 160) for index in range(images)]
        route = Route(list(engines) or [own_engine()], EngineLimits())
        files = PreparedFiles(portraits, audio, "speech.wav", 0.6, route)
        return batch_create(user=user, acting_user=user, name=name, prompt=prompt, files=files).batch


def make_item(user: User, *, prompt: str = "") -> VideoItem:
    """The only item of a new batch."""
    return make_batch(user, prompt=prompt).items.get()


def make_worker(name: str = "host:1", **facts: Any) -> Worker:
    """A worker process as it registers itself."""
    now = timezone.now()
    engines = {"portrait": {"ready": True, "code": "", "params": {}, "detail": ""}}
    seen = {"version": "1.0.0", "slots": 2, "engines": engines, "started_at": now, "seen_at": now}
    return Worker.objects.create(id=uuid4(), name=name, **{**seen, **facts})


def claim(worker: str = "worker") -> Claim:
    """Claim the item whose turn it is; there has to be one."""
    claimed = claim_next(worker)
    assert claimed is not None
    return claimed
