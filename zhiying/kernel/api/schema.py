"""The OpenAPI schema: what every operation answers on errors is documented once, here."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Same key and content within 24 h: the first answer again, nothing done twice.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of the answer at hand."
)


class ErrorSerializer(serializers.Serializer[Any]):
    """Every answer that is not a success."""

    detail = serializers.CharField(help_text="For people, in the language of Accept-Language.")
    code = serializers.CharField(help_text="For programs; stable.")
    errors = serializers.JSONField(  # type: ignore[assignment]  # hides Serializer.errors, unused here
        required=False, help_text="Problems by field or file."
    )


class SuccessSerializer(serializers.Serializer[Any]):
    """An action was carried out."""

    success = serializers.BooleanField()


def error(description: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorSerializer, description=description)


_COMMON = {
    "400": "The input is not acceptable.",
    "401": "No valid token.",
    "403": "For administrators only.",
    "404": "There is no such thing, or it is not yours.",
    "406": "The answer cannot be given in the wanted form.",
    "409": "The state forbids the action.",
    "413": "Too large.",
    "415": "The content type is not understood.",
    "429": "Too many attempts.",
}


class Schema(AutoSchema):
    """Adds the error answers that any operation may give, and a summary of each."""

    def get_summary(self) -> str:
        """The first line of what a call's docstring says."""
        return super().get_description().partition("\n")[0].rstrip(".:")

    def get_description(self) -> str:  # type: ignore[override]
        """The whole of it, where there is more than the summary."""
        text = super().get_description()
        return text if "\n" in text.strip() else ""

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> Any:
        responses = super()._get_response_bodies(*args, **kwargs)
        for status, description in self._error_statuses().items():
            responses.setdefault(status, self._get_response_for_code(error(description), status))  # type: ignore[no-untyped-call]
        return responses

    def _error_statuses(self) -> dict[str, str]:
        statuses = {"400"}
        if self.view.permission_classes and self.get_auth():
            statuses |= {"401"}
        if "/admin/" in self.path:
            statuses |= {"403"}
        if "{" in self.path:
            statuses |= {"404"}
        if self.method in {"POST", "PATCH", "PUT"}:
            statuses |= {"413", "415"}
        if self.method != "GET":
            statuses |= {"409"}
        return {status: _COMMON[status] for status in sorted(statuses)}
