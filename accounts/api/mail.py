"""Where a user wants to be written to when batches are done."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from accounts.models import MailAddress
from accounts.services import mails
from accounts.services.mail_addresses import mail_address_confirm, mail_address_of, mail_address_set
from zhiying.kernel.api.schema import error
from zhiying.kernel.body_limits import SMALL_BODY_BYTES


class MailInput(serializers.Serializer[Any]):
    # What the column takes; the check of an address allows 320 characters.
    address = serializers.EmailField(
        max_length=254, allow_blank=True, help_text="Empty: no letters any more."
    )
    when_done = serializers.BooleanField(default=True, help_text="Write when a batch has ended.")


class ConfirmInput(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=1024, help_text="From the link in the letter.")


class MailOutput(serializers.Serializer[Any]):
    available = serializers.BooleanField(help_text="Whether this installation sends e-mail.")
    address = serializers.CharField(help_text='"" where there is none.')
    confirmed = serializers.BooleanField(help_text="Nothing is sent there before.")
    when_done = serializers.BooleanField()


class MailView(APIView):
    max_body_bytes = SMALL_BODY_BYTES

    @extend_schema(responses=MailOutput)
    def get(self, request: Request) -> Response:
        """Where letters go."""
        return Response(_body(mail_address_of(current_user(request))))

    @extend_schema(
        request=MailInput,
        responses={
            200: MailOutput,
            409: error("This installation sends no e-mail."),
            429: error("Another address was asked for a confirmation a moment ago; see Retry-After."),
        },
    )
    def put(self, request: Request) -> Response:
        """Say where letters go. A new address gets a link first, by which it is confirmed."""
        data = MailInput(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(_body(mail_address_set(user=current_user(request), **data.validated_data)))


class MailConfirmView(APIView):
    max_body_bytes = SMALL_BODY_BYTES

    @extend_schema(request=ConfirmInput, responses={200: MailOutput})
    def post(self, request: Request) -> Response:
        """Confirm the address by the link that was sent there."""
        data = ConfirmInput(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(_body(mail_address_confirm(user=current_user(request), **data.validated_data)))


def _body(known: MailAddress | None) -> dict[str, Any]:
    return {
        "available": mails.are_sent(),
        "address": known.address if known else "",
        "confirmed": known is not None and known.confirmed_at is not None,
        "when_done": known is not None and known.when_done,
    }
