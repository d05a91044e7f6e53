"""Secrets are hidden in log lines, wherever they stand; other text stays."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings

from zhiying.kernel.log_lines import FORMATTERS, TextLines
from zhiying.kernel.redaction import HIDDEN, redact
from zhiying.settings.logs import own_secrets

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SIGNATURE = "68af3c10-AbCdEfGhIjKlMnOpQrStUvWx"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"GET /media/{SIGNATURE}/batches/a/b.mp4 HTTP/1.1", SIGNATURE),
        (f"GET /media/{SIGNATURE} HTTP/1.1", SIGNATURE),
        (f'"http://host/media/{SIGNATURE}/archive/x?download=a"', SIGNATURE),
        ("GET /s/Zk3-vQ_8yT1nB6wE4rP0aLxC HTTP/1.1", "Zk3-vQ_8yT1nB6wE4rP0aLxC"),
        (f"Authorization: Bearer {JWT}", JWT),
        (f"{{'refresh': '{JWT}'}}", JWT),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"),
        ("GET /b/k?X-Amz-Signature=0123abcd&X-Amz-Date=1", "0123abcd"),
        ("GET /b/k?AWSAccessKeyId=AKIA1234&Expires=1", "AKIA1234"),
        ("postgres://app:pass-word@db:5432/zhiying", "pass-word"),
        ("amqp://app:p%40ss@broker/", "p%40ss"),
        ("redis://:only-password@host", "only-password"),
        ("{'old_password': 'hunter22', 'x': 1}", "hunter22"),
        ('{"password": "hunter22"}', "hunter22"),
    ],
)
def test_a_secret_is_hidden(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/video/batches?limit=50&search=key HTTP/1.1",
        "GET /media-centre/x",
        "Batch 3 of user lin finished in 3.2 s",
        "https://video.example.com/api/docs",
        "Worker 12:30 told: wait@once",
        "The password is too short.",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("form", list(FORMATTERS))
def test_tracebacks_are_redacted_and_own_secrets_hidden_anywhere(form: str) -> None:
    formatter = FORMATTERS[form](own_secrets)
    try:
        raise ValueError(f"bad {JWT} and {settings.SECRET_KEY}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    text = formatter.format(record)
    assert "ValueError" in text
    assert JWT not in text
    assert settings.SECRET_KEY not in text


def test_every_handler_of_ours_redacts() -> None:
    logging_settings: Any = settings.LOGGING
    formatters = {handler["formatter"] for handler in logging_settings["handlers"].values()}
    made = [logging_settings["formatters"][name]["()"]() for name in formatters]
    assert made
    assert all(isinstance(formatter, TextLines) for formatter in made)
