"""Users who order, cancel, retry, replace, delete and watch, and remember what they were promised."""

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from tests.servers.nginx import Nginx
from tests.servers.process import ServerError
from tests.soak.journal import NO_ANSWER, OUTAGES, Journal
from tests.support.main_job import ProxiedApi
from tests.support.media import image_bytes, wav_bytes
from tests.support.scripted_engine import prompt

CREDITS = 1_000_000
PASSWORD = "Correct-Horse-7"
MOST_IMAGES = 5
MOST_BATCHES = 40
"""A user who has more deletes some."""
AGAIN_AFTER_S = 0.5
INSISTS_FOR_S = 300.0
"""How long an order is repeated for want of an answer."""
UPLOAD_TIMEOUT_S = 30
OK, CREATED, NOT_FOUND, CONFLICT = 200, 201, 404, 409

SCRIPTS = {
    ("film",): 12,
    ("crash", "film"): 2,
    ("hang", "film"): 1,
    ("blunder", "film"): 1,
    ("refuse", "film"): 2,
    ("stay away", "film"): 1,
    ("crash", "crash", "crash", "crash", "crash", "crash", "film"): 1,
}
"""What the engine does at each render of an item in turn, and how often clients ask for it."""


VERDICTS = {
    "crash": "render_crashed",
    "hang": "render_timeout",
    "blunder": "engine_error",
    "refuse": "no_face",
    "stay away": "engine_unavailable",
}
"""What an item may fail with because of an act."""
OF_TOO_MANY_BLOWS = {"worker_lost", "render_crashed"}


@dataclass
class Order:
    """A batch that was accepted."""

    batch_id: str
    images: int
    script: tuple[str, ...]
    deletion: str = ""
    """`asked`: the answer is not known; `done`: it was confirmed."""
    videos_deleted: int = 0
    """Deletions of its videos that were asked for."""

    @property
    def may_fail_with(self) -> set[str]:
        return OF_TOO_MANY_BLOWS | {VERDICTS[act] for act in self.script if act in VERDICTS}


@dataclass
class Client:
    """One user, in a thread. Everything it does follows from its random numbers and the answers."""

    name: str
    nginx: Nginx
    journal: Journal
    random: random.Random
    scripts: Path
    ending: threading.Event
    orders: list[Order] = field(default_factory=list)
    unresolved: int = 0
    """Orders that were never answered, whatever was done: nobody can say what became of them."""

    def __post_init__(self) -> None:
        self._api = ProxiedApi(self.nginx)
        self._actions: list[tuple[Callable[[], None], int]] = [
            (self._order_by_form, 5),
            (self._order_by_keys, 3),
            (self._order_again, 2),
            (self._poll, 8),
            (self._list, 3),
            (self._watch, 4),
            (self._export, 1),
            (self._cancel_batch, 1),
            (self._cancel_item, 3),
            (self._retry_failed, 2),
            (self._retry_item, 3),
            (self._replace, 3),
            (self._delete_item, 2),
            (self._delete_batch, 2),
            (self._rename, 1),
            (self._log_in_again, 1),
        ]

    # --- The thread ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Act until told to end; an answer that breaks the program is a fault, too."""
        actions, weights = zip(*self._actions, strict=True)
        while not self.ending.is_set():
            action = self.random.choices(actions, weights)[0]
            if len(self.open) > MOST_BATCHES:
                action = self._delete_batch
            try:
                action()
            except Exception as error:  # noqa: BLE001  (a broken answer, which the verdict tells)
                self.journal.fault(f"{self.name}: {type(error).__name__}: {error}")
            self.ending.wait(self.random.uniform(0.0, 0.3))

    @property
    def open(self) -> list[Order]:
        return [order for order in self.orders if not order.deletion]

    # --- Calls --------------------------------------------------------------------------------------

    def call(
        self, call: str, method: str, path: str, *expected: int, **options: Any
    ) -> requests.Response | None:
        """An expected answer, or nothing: an outage, which was told as it has to be, or a fault."""
        answer = self._ask(call, method, path, **options)
        return answer if answer is not None and self.journal.judge(call, answer, expected) else None

    def _ask(self, call: str, method: str, path: str, **options: Any) -> requests.Response | None:
        began = time.monotonic()
        try:
            answer = self._api.call(method, path, **options)
        except requests.RequestException as error:
            self.journal.note(call, NO_ANSWER, time.monotonic() - began)
            asked = error.request.url if error.request is not None else ""
            cut_off = isinstance(error, requests.exceptions.ChunkedEncodingError)  # who answered was killed
            if not cut_off and (not asked or f":{self.nginx.https_port}/" in asked):
                self.journal.fault(f"{call}: no answer from nginx: {error}")
            return None
        self.journal.note(call, answer.status_code, time.monotonic() - began)
        return answer

    def log_in(self) -> bool:
        told = {"username": self.name, "password": PASSWORD}
        answer = self.call("log in", "POST", "/api/auth/login", OK, json=told)
        if answer is None:
            return False
        self._api.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return True

    def _log_in_again(self) -> None:
        self.log_in()

    def batch(self, order: Order) -> Any:
        """The batch as it is, or nothing when it cannot be had now."""
        expected = (OK, NOT_FOUND) if order.deletion else (OK,)
        answer = self.call("poll", "GET", f"/api/video/batches/{order.batch_id}", *expected)
        return answer.json() if answer is not None and answer.status_code == OK else None

    # --- Orders -------------------------------------------------------------------------------------

    def _script(self) -> tuple[str, ...]:
        return self.random.choices(list(SCRIPTS), list(SCRIPTS.values()))[0]

    def _order_by_form(self) -> None:
        script, images = self._script(), self.random.randint(1, MOST_IMAGES)
        files = [("images", (f"{number}.jpg", image_bytes())) for number in range(images)]
        files.append(("audio", ("speech.wav", wav_bytes())))
        data = {"prompt": prompt(*script, folder=self.scripts)}
        self._insist("order by form", images, script, files=files, data=data)

    def _order_by_keys(self) -> None:
        script, images = self._script(), self.random.randint(1, MOST_IMAGES)
        pictures = self._upload("image/jpeg", [image_bytes()] * images)
        sound = self._upload("audio/wav", [wav_bytes()])
        if pictures and sound:
            self._order_of("order by keys", pictures, sound[0], script)

    def _order_again(self) -> None:
        """Of what an earlier batch keeps."""
        answers = [
            self.call("library", "GET", f"/api/video/library?kind={kind}", OK) for kind in ("image", "audio")
        ]
        found = [[file["ref"] for file in answer.json()["files"]] for answer in answers if answer is not None]
        if len(found) == len(answers) and all(found):
            pictures = [self.random.choice(found[0]) for _ in range(self.random.randint(1, MOST_IMAGES))]
            self._order_of("order again", pictures, self.random.choice(found[1]), self._script())

    def _order_of(self, call: str, pictures: list[str], sound: str, script: tuple[str, ...]) -> None:
        body = {"images": pictures, "audio": sound, "prompt": prompt(*script, folder=self.scripts)}
        self._insist(call, len(pictures), script, json=body)

    def _insist(self, call: str, images: int, script: tuple[str, ...], **options: Any) -> None:
        """Order, and repeat it under its key for as long as nobody says what became of it."""
        key, ends_at = str(uuid4()), time.monotonic() + INSISTS_FOR_S
        pause = threading.Event()
        while time.monotonic() < ends_at:
            answer = self._ask(call, "POST", "/api/video/batch", headers={"Idempotency-Key": key}, **options)
            if answer is not None and answer.status_code == CREATED:
                self.orders.append(Order(answer.json()["batch_id"], images, script))
                return
            if answer is not None and not _comes_later(answer):
                # What the library showed may be gone by a deletion whose answer was lost.
                if "stored_gone" not in answer.text:
                    self.journal.judge(call, answer, ())
                return
            if answer is not None and answer.status_code in OUTAGES:
                self.journal.judge(call, answer, ())
            pause.wait(AGAIN_AFTER_S)
        self.unresolved += 1
        self.journal.fault(f"{call}: no answer within {INSISTS_FOR_S:.0f} s")

    def _upload(self, kind: str, contents: list[bytes]) -> list[str]:
        """Keys of files that were sent ahead; none where that cannot be done now."""
        files = [
            {"name": f"{number}.jpg", "content_type": kind, "size": len(content)}
            for number, content in enumerate(contents)
        ]
        answer = self.call("announce", "POST", "/api/video/uploads", CREATED, json={"files": files})
        uploads = answer.json()["uploads"] if answer is not None else []
        for upload, content in zip(uploads, contents, strict=False):
            for part in upload["parts"]:
                piece = content[part["offset"] : part["offset"] + part["size"]]
                if not self._send(part["url"], piece, upload["headers"]):
                    return []
        return [upload["key"] for upload in uploads]

    def _send(self, url: str, piece: bytes, headers: dict[str, str]) -> bool:
        """To the store itself, which may be away."""
        began, status = time.monotonic(), NO_ANSWER
        try:
            answer = requests.put(url, data=piece, headers=headers, timeout=UPLOAD_TIMEOUT_S)
            status = answer.status_code
        except requests.RequestException:
            pass
        self.journal.note("send to the store", status, time.monotonic() - began)
        return status == OK

    # --- Looking ------------------------------------------------------------------------------------

    @contextmanager
    def _some_order(self) -> Iterator[Order | None]:
        yield self.random.choice(self.open) if self.open else None

    def _poll(self) -> None:
        with self._some_order() as order:
            if order:
                self.batch(order)

    def _list(self) -> None:
        self.call("list", "GET", "/api/video/batches?limit=10", OK)

    def _watch(self) -> None:
        item = self._some_item({"completed"})[1]
        if item is None:
            return
        began = time.monotonic()
        answer = self._ask("watch", "GET", item["videoUrl"])
        if answer is None or f":{self.nginx.https_port}/" not in answer.url:
            return  # what the store itself says is its own affair, while it is being broken
        self.journal.judge("watch", answer, (OK, NOT_FOUND))
        self.journal.note("watch", answer.status_code, time.monotonic() - began)

    def _export(self) -> None:
        with self._some_order() as order:
            if order:
                path = f"/api/video/batches/{order.batch_id}/export"
                self.call("export", "GET", path, OK, CONFLICT, NOT_FOUND)

    # --- Changing -----------------------------------------------------------------------------------

    def _some_item(self, statuses: Collection[str]) -> tuple[Order | None, Any]:
        with self._some_order() as order:
            batch = self.batch(order) if order else None
            items = [item for item in batch["items"] if item["status"] in statuses] if batch else []
            return order, self.random.choice(items) if items else None

    def _change(self, call: str, statuses: Collection[str], *expected: int, **options: Any) -> None:
        """A call on an item that was in one of the states a moment ago."""
        order, item = self._some_item(statuses)
        if order and item:
            path = f"/api/video/batches/{order.batch_id}/items/{item['id']}/{call}"
            self.call(call, "POST", path, OK, CONFLICT, *expected, **options)

    def _cancel_item(self) -> None:
        self._change("cancel", {"pending", "processing"})

    def _retry_item(self) -> None:
        self._change("resume", {"failed", "cancelled"})

    def _replace(self) -> None:
        if self.random.random() < 0.5:
            self._change("replace", {"failed", "cancelled"}, files={"image": ("new.jpg", image_bytes(200))})
        elif keys := self._upload("image/jpeg", [image_bytes(200)]):
            self._change("replace", {"failed", "cancelled"}, json={"image": keys[0]})

    def _cancel_batch(self) -> None:
        self._change_batch("cancel batch", "POST", "/cancel")

    def _retry_failed(self) -> None:
        self._change_batch("retry failed", "POST", "/retry_failed")

    def _rename(self) -> None:
        self._change_batch("rename", "PATCH", "", json={"name": f"批次 {self.random.random()}"})

    def _change_batch(self, call: str, method: str, path: str, **options: Any) -> None:
        with self._some_order() as order:
            if order:
                self.call(call, method, f"/api/video/batches/{order.batch_id}{path}", OK, **options)

    def _delete_batch(self) -> None:
        with self._some_order() as order:
            if order is None:
                return
            order.deletion = "asked"
            path = f"/api/video/batches/{order.batch_id}"
            # Not there: nginx asked another server after one had deleted it and died before it answered.
            if self.call("delete batch", "DELETE", path, OK, NOT_FOUND) is not None:
                order.deletion = "done"

    def _delete_item(self) -> None:
        order, item = self._some_item({"completed", "failed", "cancelled"})
        if order and item:
            order.videos_deleted += 1
            path = f"/api/video/batches/{order.batch_id}/items/{item['id']}"
            self.call("delete video", "DELETE", path, OK, NOT_FOUND, CONFLICT)


def _comes_later(answer: requests.Response) -> bool:
    """Whether the same order, sent again, may be answered otherwise."""
    return answer.status_code in OUTAGES or (
        answer.status_code == CONFLICT and answer.json()["code"] == "idempotency_in_flight"
    )


def make_users(api: ProxiedApi, names: Collection[str]) -> None:
    """Accounts of the clients, with credits enough for an hour."""
    for name in names:
        body = {"username": name, "password": PASSWORD, "credits": CREDITS}
        answer = api.call("POST", "/api/admin/users", json=body)
        if answer.status_code != CREATED:
            raise ServerError(f"no user {name}: {answer.text}")
