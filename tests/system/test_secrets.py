"""A day of use on real servers leaves no secret in any table or log."""

import contextlib
import os
import re
import secrets as random_secrets
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.plugins.environment import ROOT
from tests.servers.process import LOOPBACK, free_port, running
from tests.servers.topology import release
from tests.support.live import (
    ADMIN_PASSWORD,
    START_TIMEOUT_S,
    Api,
    Platform,
    answers,
    clean_environment,
    serving,
)
from tests.support.media import image_bytes, wav_bytes
from tests.support.scripted_engine import NAME, VARIABLE
from tests.support.secrets_at_rest import Places
from zhiying.secrets import derived_key

pytestmark = [pytest.mark.slow]

METRICS_TOKEN = "metrics-" + random_secrets.token_hex(16)
ENGINE = {"EXTRA_ENGINES": VARIABLE, "GENERATION_ENGINE": NAME, "PYTHONPATH": str(ROOT)}
PASSWORDS = (
    "wrong by JSON", "wrong by form", "wrong on the site", "wrong old", "new", "too weak",
    "set by administrator",
)  # fmt: skip


class Day:
    """What a person and an administrator do in a day, and every secret that it takes."""

    def __init__(self, platform: Platform) -> None:
        self.origin = platform.origin
        self.secrets: dict[str, str] = {"password of the administrator": ADMIN_PASSWORD}
        for name in PASSWORDS:
            self.secrets[f"password, {name}"] = f"Pw-{random_secrets.token_hex(8)}"
        self.secrets["password, too weak"] = "weak-77"
        self.secrets["token for metrics"] = METRICS_TOKEN

    def password(self, name: str) -> str:
        return self.secrets[f"password, {name}"]

    def keep(self, name: str, value: str) -> str:
        self.secrets[name] = value
        return value

    def spend(self) -> None:
        admin = self._login("admin", ADMIN_PASSWORD, "administrator")
        made = admin.call("POST", "/api/admin/users", json={"username": "lin"}).json()
        generated = self.keep("password, generated", made["password"])
        user = self._login("lin", generated, "user")
        self._wrong_logins()
        self._passwords(user, generated)
        self._credentials(admin)
        batch = self._video(user)
        self._media(user, batch)
        self._refreshes()
        self._site(made["user"]["id"])
        assert requests.get(
            f"{self.origin}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}, timeout=30
        ).ok

    def _login(self, name: str, password: str, who: str) -> Api:
        api = Api(self.origin)
        answer = api.call("POST", "/api/auth/login", data={"username": name, "password": password}).json()
        self.keep(f"access token, {who}", answer["token"])
        self.keep(f"refresh token, {who}", answer["refresh"])
        api.session.headers["Authorization"] = f"Bearer {answer['token']}"
        return api

    def _wrong_logins(self) -> None:
        body = {"username": "lin", "password": self.password("wrong by JSON")}
        assert Api(self.origin).call("POST", "/api/auth/login", json=body).status_code == 401
        body["password"] = self.password("wrong by form")
        files = {name: (None, value) for name, value in body.items()}
        assert Api(self.origin).call("POST", "/api/auth/login", files=files).status_code == 401

    def _passwords(self, user: Api, old: str) -> None:
        def change(before: str, after: str) -> int:
            form = {"old_password": (None, before), "new_password": (None, after)}
            return user.call("POST", "/api/user/change-password", files=form).status_code

        assert change(self.password("wrong old"), self.password("new")) == 400
        assert change(old, self.password("too weak")) == 400
        assert change(old, self.password("new")) == 200

    def _credentials(self, admin: Api) -> None:
        """One that is set, one that replaces it, and one that is refused."""
        for name, answer in (("first", 200), ("in its place", 200), ("with a space", 400)):
            new = self.keep(f"credential of an engine, {name}", f"sk-{random_secrets.token_hex(16)}")
            body = {"new_token": f"{new} ." if answer == 400 else new, "engine": "dashscope"}
            assert admin.call("PATCH", "/api/admin/token", json=body).status_code == answer

    def _refreshes(self) -> None:
        api = Api(self.origin)
        answer = api.call("POST", "/api/auth/refresh", json={"refresh": self.secrets["refresh token, user"]})
        self.keep("access token, refreshed", answer.json()["token"])
        self.keep("refresh token, refreshed", answer.json()["refresh"])
        thief = {
            "headers": {"User-Agent": "another"},
            "json": {"refresh": self.secrets["refresh token, user"]},
        }
        again = api.call("POST", "/api/auth/refresh", **thief)
        assert again.status_code == 401

    def _video(self, user: Api) -> Any:
        batch_id = user.submit({"a.jpg": image_bytes(), "b.jpg": image_bytes()}, wav_bytes())
        return user.wait(batch_id)

    def _media(self, user: Api, batch: Any) -> None:
        for number, item in enumerate(batch["items"]):
            for name in ("videoUrl", "sourceImage"):
                assert self._fetch(item[name]) == 200
                self.keep(f"media signature, {name} {number}", item[name].split("/")[4])
        spoilt = batch["items"][0]["videoUrl"].rpartition("/")[0] + "/other.mp4"
        assert self._fetch(spoilt) == 403
        zip_url = user.get(f"/api/video/batches/{batch['id']}/export")["zip_url"]
        self.keep("archive signature", zip_url.split("/")[4])
        assert self._fetch(zip_url) == 200

    def _fetch(self, url: str) -> int:
        headers = {"Referer": url}
        return requests.get(f"{url}?download=a.mp4", headers=headers, timeout=60).status_code

    def _site(self, user_id: str) -> None:
        browser = requests.Session()
        login = f"{self.origin}/admin/login/"

        def post(url: str, **form: str) -> requests.Response:
            token = browser.cookies["csrftoken"]
            return browser.post(
                url, data={**form, "csrfmiddlewaretoken": token}, headers={"Referer": url}, timeout=30
            )

        browser.get(login, timeout=30)
        post(login, username="admin", password=self.password("wrong on the site"))
        assert post(login, username="admin", password=ADMIN_PASSWORD, next="/admin/").ok
        self.keep("cookie of the admin site", str(browser.cookies["sessionid"]))
        given = self.password("set by administrator")
        done = post(f"{self.origin}/admin/accounts/user/{user_id}/password/", new_password=given, again=given)
        assert done.ok
        assert self._login("lin", given, "user with the new password")
        key = self.keep("credential of an engine, on the site", f"sk-{random_secrets.token_hex(16)}")
        form = {"engine": "lightx2v-cloud", "new_credential": key}
        assert key not in post(f"{self.origin}/admin/videos/enginecredential/add/", **form).text
        page = post(f"{self.origin}/admin/accounts/user/add/", username="mei", first_credits="1").text
        shown = re.search(r"(?i)mei[^<]*?([\w-]{16})[^<]*</li>", page)
        assert shown, page
        self.keep("password, generated on the site", shown[1])


@contextlib.contextmanager
def _deployed(data: Path, secret_key: str) -> Iterator[Platform]:
    """The web process as it is deployed, on what `serve` made; its broker is away."""
    release()
    port = free_port()
    origin = f"http://{LOOPBACK}:{port}"
    log = data.parent / "web.log"
    environment = clean_environment(
        DATA_DIR=str(data),
        HOST=LOOPBACK,
        PORT=str(port),
        WEB_PROCESSES="1",
        METRICS_TOKEN=METRICS_TOKEN,
        SECRET_KEY=secret_key,
        BROKER_URL=f"redis://{LOOPBACK}:{free_port()}/0",
        PRODUCTION="false",  # plain HTTP, and a file for a database
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **ENGINE,
    )
    with running(
        ["sh", str(ROOT / "deploy" / "web")],
        ready=lambda: answers(origin),
        log=log,
        environment=environment,
        timeout_s=START_TIMEOUT_S,
    ) as process:
        yield Platform(origin, process, log)


def test_a_day_of_use_leaves_no_secret_in_tables_and_logs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    places = Places()
    credential = "environment-" + random_secrets.token_hex(16)
    given = {"METRICS_TOKEN": METRICS_TOKEN, "ENGINE_CREDENTIAL": credential}
    with serving(data, WORKER_THREADS="1", **given, **ENGINE) as platform:
        day = Day(platform)
        day.spend()
    places.add_log("of serve", platform.output)
    key = (data / "secret_key").read_text().strip()
    day.secrets |= {
        "ENGINE_CREDENTIAL": credential,
        "SECRET_KEY": key,
        "key of tokens": derived_key(key, "jwt"),
        "key of media signatures": derived_key(key, "media"),
    }
    with _deployed(data, key) as web:
        _use_deployed(web, day)
    places.add_log("of the web process", web.output)
    assert "GET /media/" in web.output, "the access log is on, or nothing is proven"
    _settle(data / "zhiying.sqlite3")
    places.add_sqlite(data / "zhiying.sqlite3")
    print(places.table(day.secrets))  # noqa: T201  (the documents show it)
    assert places.found(day.secrets) == {}
    assert places.holding("lightx2v-cloud"), "its credential was set"
    assert places.holding("lin"), "names are found, so the search works"


def _use_deployed(web: Platform, day: Day) -> None:
    """The calls whose addresses or headers carry secrets, answered by gunicorn this time."""
    api = Api(web.origin)
    answer = api.call(
        "POST",
        "/api/auth/login",
        data={"username": "lin", "password": day.password("set by administrator")},
    ).json()
    day.keep("access token, deployed", answer["token"])
    api.session.headers["Authorization"] = f"Bearer {answer['token']}"
    (batch,) = api.get("/api/video/batches")["batches"]
    for item in batch["items"]:
        day.keep(f"media signature, deployed {item['id']}", item["videoUrl"].split("/")[4])
        assert requests.get(item["videoUrl"], headers={"Referer": item["videoUrl"]}, timeout=30).ok


def _settle(path: Path) -> None:
    """The database is looked at as it lies on disk: what SQLite has in its journal is written to it."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
