"""Letters: addresses are confirmed first, a batch that ends is told of, a server that is away loses none."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import LazySettings
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Mail, MailAddress, User
from accounts.services import mails
from tests.servers.process import free_port
from tests.support.parallel import all_at_once, times
from tests.support.rows import claim, client_for, make_batch, make_user
from videos.services import attempts
from videos.services.attempts import StoredResult, Verdict

pytestmark = pytest.mark.django_db

ADDRESS = "mei@example.com"
RESULT = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)


@pytest.fixture(autouse=True)
def _a_server(settings: LazySettings) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    settings.DEFAULT_FROM_EMAIL = "videos@example.com"
    settings.PUBLIC_URL = "https://video.example.com"


@pytest.fixture
def reader(user: User) -> User:
    """Whose address is confirmed."""
    MailAddress.objects.create(
        user=user,
        address=ADDRESS,
        language="en",
        when_done=True,
        asked_at=timezone.now() - timedelta(hours=1),
        confirmed_at=timezone.now(),
    )
    return user


def put(client: APIClient, address: str, when_done: bool = True) -> Any:
    return client.put("/api/user/mail", {"address": address, "when_done": when_done}, format="json")


def token_in(letter: Any) -> str:
    found = re.search(r"https://video\.example\.com/account#confirm=(\S+)", letter.body)
    assert found
    return found[1]


def end_batch(user: User, name: str = "Spring sale") -> None:
    """Of two videos, one of which fails."""
    make_batch(user, 2, name=name)
    attempts.complete(claim(), RESULT)
    attempts.fail(claim(), Verdict("no_face"))


def test_an_address_gets_nothing_but_a_question_until_it_is_confirmed(
    user: User, client_of_user: APIClient
) -> None:
    answer = put(client_of_user, ADDRESS)
    assert answer.json() == {"available": True, "address": ADDRESS, "confirmed": False, "when_done": True}
    end_batch(user)
    assert mails.work_off() == 1
    (letter,) = mail.outbox
    assert letter.to == [ADDRESS]
    confirmed = client_of_user.post("/api/user/mail/confirm", {"token": token_in(letter)})
    assert confirmed.json()["confirmed"] is True
    end_batch(user)
    assert mails.work_off() == 1
    assert "Spring sale" in mail.outbox[1].subject


def test_a_link_is_good_for_its_account_and_address_alone(user: User, client_of_user: APIClient) -> None:
    put(client_of_user, ADDRESS)
    mails.work_off()
    token = token_in(mail.outbox[0])
    stranger = client_for(make_user())
    assert (
        stranger.post("/api/user/mail/confirm", {"token": token}).json()["code"] == "confirmation_not_valid"
    )
    MailAddress.objects.update(address="other@example.com")
    assert client_of_user.post("/api/user/mail/confirm", {"token": token}).status_code == 400
    assert client_of_user.post("/api/user/mail/confirm", {"token": "x:y"}).status_code == 400


def test_no_table_holds_what_confirms(client_of_user: APIClient) -> None:
    put(client_of_user, ADDRESS)
    (row,) = Mail.objects.values("template", "params")
    assert row == {"template": "accounts/mail/confirm.txt", "params": {}}


@pytest.mark.parametrize(("letters", "status"), [(50, 200), (51, 400)])
def test_an_address_is_as_long_as_one_can_be(client_of_user: APIClient, letters: int, status: int) -> None:
    address = "a" * letters + "@" + ".".join(["b" * 63] * 3) + f".{'c' * 7}.com"
    assert len(address) == 204 + letters
    assert put(client_of_user, address).status_code == status


def test_addresses_are_not_asked_one_after_the_other(client_of_user: APIClient) -> None:
    put(client_of_user, ADDRESS)
    assert put(client_of_user, ADDRESS).status_code == 200
    answer = put(client_of_user, "victim@example.com")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert Mail.objects.count() == 1


def test_taking_an_address_back_does_not_let_the_next_be_asked_sooner(client_of_user: APIClient) -> None:
    put(client_of_user, ADDRESS)
    assert put(client_of_user, "").json()["address"] == ""
    assert put(client_of_user, "victim@example.com").status_code == 429
    MailAddress.objects.update(asked_at=timezone.now() - timedelta(minutes=3))
    assert put(client_of_user, "mine@example.com").status_code == 200


def test_a_letter_that_waits_does_not_go_to_an_address_given_since(reader: User) -> None:
    end_batch(reader)
    assert put(client_for(reader), "other@example.com").json()["confirmed"] is False
    assert mails.work_off() == 1
    (letter,) = mail.outbox
    assert "Spring sale" not in letter.subject
    assert not Mail.objects.exists()


def test_a_letter_that_cannot_be_made_holds_up_no_other(reader: User) -> None:
    mails.write(reader.pk, "accounts/mail/gone.txt")
    end_batch(reader)
    assert mails.work_off() == 1
    assert Mail.objects.get().tries == 1


@pytest.mark.django_db(transaction=True)
def test_an_address_is_given_twice_at_once(user: User) -> None:
    client = client_for(user)
    assert all_at_once(times(4, lambda: put(client, ADDRESS).status_code)) == [200] * 4
    assert Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_workers_who_reach_for_a_letter_one_sends_it(reader: User) -> None:
    end_batch(reader)
    assert sorted(all_at_once(times(4, lambda: mails._take() is not None))) == [False, False, False, True]


def test_the_letter_says_what_was_made_and_where(reader: User) -> None:
    end_batch(reader)
    mails.work_off()
    (letter,) = mail.outbox
    assert letter.subject == "“Spring sale”: 1 of 2 videos are done"
    assert "1 failed; their credits were given back." in letter.body
    assert "https://video.example.com/batches/" in letter.body
    assert not Mail.objects.exists()


def test_letters_are_in_the_language_of_whoever_asked_for_them(user: User) -> None:
    headers = {"accept-language": "zh"}
    client_for(user).put("/api/user/mail", {"address": ADDRESS}, format="json", headers=headers)
    mails.work_off()
    assert mail.outbox[0].subject == "请确认您的电子邮件地址"


def test_nothing_is_written_while_something_of_the_batch_is_open(reader: User) -> None:
    make_batch(reader, 2)
    attempts.complete(claim(), RESULT)
    assert not Mail.objects.exists()
    attempts.complete(claim(), RESULT)
    assert Mail.objects.count() == 1


@pytest.mark.parametrize("change", ["off", "removed", "unavailable"])
def test_whoever_wants_no_letters_gets_none(reader: User, settings: LazySettings, change: str) -> None:
    client = client_for(reader)
    if change == "off":
        assert put(client, ADDRESS, when_done=False).json()["when_done"] is False
    elif change == "removed":
        assert put(client, "").json()["address"] == ""
    else:
        settings.EMAIL_HOST = ""
        assert put(client, "new@example.com").json()["code"] == "no_mail"
    end_batch(reader)
    assert not Mail.objects.exists()


def test_a_name_makes_no_headers(reader: User) -> None:
    end_batch(reader, name="Sale\nBcc: everybody@example.com")
    mails.work_off()
    (letter,) = mail.outbox
    assert set(letter.message().keys()).isdisjoint({"Bcc", "bcc"})
    assert "\n" not in letter.subject


class _Mailbox:
    """What a real server took; `refusal` is what it says instead."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refusal = ""

    async def handle_RCPT(  # noqa: N802 - the package's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        letter = BytesParser(policy=policy.default).parsebytes(envelope.content)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


@pytest.fixture
def mailbox(settings: LazySettings) -> Iterator[_Mailbox]:
    box = _Mailbox()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    controller = Controller(box, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    yield box
    controller.stop()


def test_a_real_server_takes_the_letters(reader: User, mailbox: _Mailbox) -> None:
    end_batch(reader, name="春季促销")
    end_batch(reader)
    assert mails.work_off() == 2
    first = mailbox.letters[0]
    assert first["To"] == ADDRESS
    assert "春季促销" in first["Subject"]
    assert "春季促销" in first.get_content()


@pytest.mark.parametrize(("refusal", "kept"), [("451 try later", True), ("550 nobody here", False)])
def test_what_is_refused_for_good_is_not_tried_again(
    reader: User, mailbox: _Mailbox, refusal: str, kept: bool
) -> None:
    mailbox.refusal = refusal
    end_batch(reader)
    assert mails.work_off() == 0
    assert Mail.objects.exists() is kept


def test_a_server_that_is_away_loses_no_letter(
    reader: User, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    end_batch(reader)
    end_batch(reader)
    assert mails.work_off() == 0
    tries = list(Mail.objects.order_by("pk").values_list("tries", flat=True))
    assert tries == [1, 0]  # the round ended with the first
    assert ADDRESS not in caplog.text


def test_a_server_that_hangs_is_left(reader: User, settings: LazySettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", silent.getsockname()[1]
        settings.EMAIL_TIMEOUT = 0.2
        end_batch(reader)
        assert mails.work_off() == 0
    assert Mail.objects.get().tries == 1


def test_a_letter_that_never_goes_out_is_given_up(
    reader: User, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    end_batch(reader)
    Mail.objects.update(tries=mails.MAX_TRIES - 1)
    mails.work_off()
    assert not Mail.objects.exists()
    assert "given up after 10 tries" in caplog.text


def test_a_worker_that_died_with_a_letter_leaves_it_to_another(reader: User) -> None:
    end_batch(reader)
    assert mails._take() is not None  # and its process is gone
    assert mails.work_off() == 0
    Mail.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert mails.work_off() == 1
