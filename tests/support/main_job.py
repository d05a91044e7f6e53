"""The main job through nginx, as a browser does it: log in, submit, wait, watch."""

from typing import Any
from urllib.parse import urlsplit

import requests

from tests.servers.nginx import Nginx
from tests.servers.process import LOOPBACK
from tests.support.films import Film, watch
from tests.support.live import Api
from tests.support.media import short_speech, small_portrait


class ProxiedApi(Api):
    """A client that finds the installation's name at this machine's own address."""

    def __init__(self, nginx: Nginx, host: str = "") -> None:
        """`host` is what clients name, where that is not the server's name with its port."""
        host = host or f"{nginx.server_name}:{nginx.https_port}"
        super().__init__(f"https://{host}")
        self._host = host
        self._local = f"https://{LOOPBACK}:{nginx.https_port}"
        self._certificate = str(nginx.folder / "fullchain.pem")

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer; where that is the address of a store, what lies there."""
        url = path if path.startswith("http") else self.origin + path
        assert url.startswith(self.origin), url
        headers = {"Host": self._host, **options.pop("headers", {})}
        options |= {"verify": self._certificate, "allow_redirects": False, "headers": headers}
        answer = super().call(method, url.replace(self.origin, self._local, 1), **options)
        if answer.status_code == requests.codes.found and not answer.headers["Location"].startswith("/"):
            store = answer.headers["Location"]
            assert urlsplit(store).hostname == LOOPBACK, store
            return requests.get(store, timeout=60)
        return answer

    def login(self, password: str, username: str = "admin") -> "ProxiedApi":
        answer = self.call("POST", "/api/auth/login", data={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        self.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return self

    def film(self, item: Any) -> Film:
        """The item's video, decoded whole."""
        answer = self.call("GET", item["videoUrl"])
        assert answer.headers["Content-Type"] == "video/mp4", answer.text[:500]
        return watch(answer.content)


def do_main_job(api: ProxiedApi, portraits: int = 2) -> tuple[Any, list[Film]]:
    """Submit portraits with one recording; gives the finished batch and its videos."""
    images = {f"portrait-{number}.jpg": small_portrait() for number in range(1, portraits + 1)}
    batch = api.wait(api.submit(images, short_speech()))
    assert batch["status"] == "completed", batch["items"]
    films = [api.film(item) for item in batch["items"]]
    assert len(films) == portraits
    assert all(len(film.frames) == 30 and film.audio_duration_s > 1 for film in films)
    return batch, films
