"""The media endpoint: signed links, ranges, and what a browser may do with the answer."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connections
from django.test import Client

from videos.store.urls import STEP_S, media_path

KEY = "batches/0/result/film-1.mp4"
CONTENT = bytes(range(256)) * 4
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _stored() -> Any:
    # At the end of an answer Django looks at open connections, here at one that a test before left open.
    connections.close_all()
    default_storage.save(KEY, ContentFile(CONTENT))
    yield
    default_storage.delete(KEY)


def get(path: str = "", query: Any = None, **headers: Any) -> Any:
    """The answer, read to its end into `body`."""
    answer: Any = Client().get(path or media_path(KEY), query, **headers)
    answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answer.close()
    return answer


def test_a_signed_link_plays_without_any_header() -> None:
    answer = get()
    assert answer.status_code == 200
    assert answer.body == CONTENT
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == "1024"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline"
    assert "private" in answer.headers["Cache-Control"]
    assert "max-age" in answer.headers["Cache-Control"]


def test_a_head_request_says_how_long_the_file_is() -> None:
    answer = Client().head(media_path(KEY))
    answer.close()
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "1024")


def forgeries() -> list[str]:
    path = media_path(KEY)
    token = path.split("/")[2]
    stamp, _, signature = token.partition("-")
    return [
        path.replace(token, f"{int(stamp, 16) + STEP_S:x}-{signature}"),  # a later expiry
        path.replace(signature, signature[:-1] + ("A" if signature[-1] != "A" else "B")),
        path.replace(signature, ""),
        path.replace(token, stamp),
        path.replace(token, f"zz-{signature}"),
        path.replace(token, f"-{signature}"),
        path.replace(token, "é-é"),
        path.replace(KEY, "batches/0/result/film-2.mp4"),
        path.replace(KEY, "batches/0/result/../result/film-1.mp4"),
        path.replace(KEY, "../zhiying.sqlite3"),
        media_path(KEY, now=0.0),
    ]


@pytest.mark.parametrize("number", range(11))
def test_a_forged_or_expired_link_is_refused(number: int) -> None:
    answer = get(forgeries()[number])
    assert answer.status_code in {403, 404}
    assert answer.json()["code"] in {"media_link_expired", "not_found"}
    if number in {0, 1, 7, 10}:
        assert answer.status_code == 403


def test_a_link_is_the_same_within_the_hour_and_good_until_its_time(settings: LazySettings) -> None:
    settings.MEDIA_URL_LIFETIME_S = 3600
    start = NOW - NOW % STEP_S
    assert media_path(KEY, now=start) == media_path(KEY, now=start + STEP_S - 1)
    assert media_path(KEY, now=start) != media_path(KEY, now=start + STEP_S)


def test_a_signed_link_to_a_file_that_is_gone_is_404() -> None:
    answer = get(media_path("batches/0/result/other.mp4"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("key", ["../../secret_key", "batches/../../secret_key", "/etc/passwd"])
def test_even_a_signed_link_does_not_leave_the_media_folder(key: str) -> None:
    assert get(media_path(key)).status_code in {400, 403, 404}


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 1023),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-5000", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=1023-", 1023, 1023),
    ],
)
def test_a_range_is_answered_206(header: str, first: int, last: int) -> None:
    answer = get(HTTP_RANGE=header)
    assert answer.status_code == 206
    assert answer.body == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(header: str) -> None:
    answer = get(HTTP_RANGE=header)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */1024"
    assert answer.json()["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    "header",
    ["bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "lines=0-1", "bytes=0-1,5-6", "0-1", "bytes=1e3-"],
)
def test_a_range_that_makes_no_sense_is_ignored(header: str) -> None:
    answer = get(HTTP_RANGE=header)
    assert (answer.status_code, answer.body) == (200, CONTENT)


def test_if_range_gives_the_part_only_of_the_same_file() -> None:
    etag = get().headers["ETag"]
    assert get(HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE=etag).status_code == 206
    assert get(HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE='"other"').status_code == 200


def test_a_cached_file_is_not_sent_again() -> None:
    etag = get().headers["ETag"]
    answer = get(HTTP_IF_NONE_MATCH=etag)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".jpg", "image/jpeg"), (".wav", "audio/wav"), (".html", "application/octet-stream")]
)
def test_files_are_served_under_types_of_ours_only(suffix: str, kind: str) -> None:
    key = f"batches/0/typed{suffix}"
    default_storage.save(key, ContentFile(b"<script>"))
    try:
        assert get(media_path(key)).headers["Content-Type"] == kind
    finally:
        default_storage.delete(key)


@pytest.mark.parametrize("name", ["film.mp4", "视频 1.mp4", 'a"b.mp4', "a\r\nSet-Cookie: x.mp4", "x" * 500])
def test_a_download_name_cannot_add_headers(name: str) -> None:
    answer = get(query={"download": name})
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    assert "\n" not in answer.headers["Content-Disposition"]
    assert "Set-Cookie" not in answer.headers


def test_behind_nginx_the_bytes_are_left_to_it(settings: LazySettings) -> None:
    settings.MEDIA_ACCEL_PREFIX = "/protected"
    answer = get()
    assert answer.headers["X-Accel-Redirect"] == f"/protected/{KEY}"
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.content == b""
    assert get(forgeries()[0]).status_code == 403


def test_media_cannot_be_changed() -> None:
    for method in ("post", "put", "delete"):
        assert getattr(Client(), method)(media_path(KEY)).status_code == 405
