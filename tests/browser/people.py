"""The people of the browser tests: accounts and batches made through the API, beside the screens."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import FilePayload

from tests.support.live import ADMIN_PASSWORD, Api, Platform
from tests.support.media import short_speech

PASSWORD = "Quiet-river-stone-7"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody who can log in."""

    username: str
    password: str = PASSWORD


class People:
    """Makes users and speaks for them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.origin = platform.origin
        self.admin = Person("admin", ADMIN_PASSWORD)
        self._administrator = platform.login()

    def new(self, *, balance: int = 20) -> Person:
        """A new user with so many credits."""
        person = Person(f"creator-{next(_numbers)}")
        body = {"username": person.username, "password": person.password, "credits": balance}
        answer = self._administrator.call("POST", "/api/admin/users", json=body)
        assert answer.status_code == 201, answer.text
        return person

    def api(self, person: Person) -> Api:
        """A client of the API in a person's name."""
        return self._platform.login(person.username, person.password)

    def tokens(self, person: Person) -> Any:
        """A new session, as the login call gives it."""
        body = {"username": person.username, "password": person.password}
        return Api(self._platform.origin).call("POST", "/api/auth/login", json=body).json()

    def submit(self, person: Person, images: Sequence[FilePayload]) -> str:
        """A batch with a little real speech, sent through the API; its id."""
        files = {image["name"]: image["buffer"] for image in images}
        return self.api(person).submit(files, short_speech())
