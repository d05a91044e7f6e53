"""Login and what users see of their own account."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user, session_id_of
from accounts.api.serializers import (
    ChangePasswordInput,
    EntryOutput,
    LedgerOutput,
    LedgerQuery,
    LoginInput,
    RefreshInput,
    TokensOutput,
    UserOutput,
    user_body,
)
from accounts.models import User
from accounts.services import sessions, users
from accounts.services.ledger_reads import entries_of
from accounts.services.login import login
from accounts.services.login_limits import count_call, note_network
from accounts.services.sessions import Tokens
from zhiying.kernel.api.paging import Order, page_facts, page_of, validated_query
from zhiying.kernel.api.schema import SuccessSerializer, error
from zhiying.kernel.body_limits import SMALL_BODY_BYTES
from zhiying.kernel.client_address import client_ip, network_of


class LoginView(APIView):
    """Exchange a user name and password for tokens."""

    max_body_bytes = SMALL_BODY_BYTES
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        request=LoginInput,
        examples=[OpenApiExample("Log in", {"username": "mei", "password": "a long one"}, request_only=True)],
        responses={
            200: TokensOutput,
            401: error("The user name, password or code is wrong; `otp_required`: send `otp` as well."),
            429: error("Too many attempts; see Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        data = LoginInput(data=request.data)
        data.is_valid(raise_exception=True)
        user = login(address=client_ip(request._request), **data.validated_data)
        return Response(_tokens_body(user, sessions.session_start(user)))


class RefreshView(APIView):
    """Exchange a refresh token, once, for new tokens."""

    max_body_bytes = SMALL_BODY_BYTES
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        request=RefreshInput,
        responses={
            200: TokensOutput,
            401: error("The refresh token is not valid, or was used before, which ends the session."),
            429: error("Too many calls from one network; see Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        data = RefreshInput(data=request.data)
        data.is_valid(raise_exception=True)
        address = client_ip(request._request)
        count_call("refresh", address)
        client = f"{network_of(address)} {request.headers.get('User-Agent', '')}"
        user, tokens = sessions.session_refresh(data.validated_data["refresh"], client=client)
        note_network(user, network_of(address))
        return Response(_tokens_body(user, tokens))


class LogoutView(APIView):
    """End this session."""

    @extend_schema(request=None, responses=SuccessSerializer)
    def post(self, request: Request) -> Response:
        sessions.session_end(session_id_of(request))
        return Response({"success": True})


class LogoutAllView(APIView):
    """End every session of the user, this one included."""

    @extend_schema(request=None, responses=SuccessSerializer)
    def post(self, request: Request) -> Response:
        user = current_user(request)
        users.sessions_end(user=user, acting_user=user)
        return Response({"success": True})


class ProfileView(APIView):
    """The current user, with the newest credits."""

    @extend_schema(responses=UserOutput)
    def get(self, request: Request) -> Response:
        return Response(user_body(current_user(request)))


class ChangePasswordView(APIView):
    """Change the password; every other session ends."""

    max_body_bytes = SMALL_BODY_BYTES

    @extend_schema(
        request=ChangePasswordInput,
        responses={
            200: SuccessSerializer,
            400: error("The old password is wrong, or the new one too weak."),
            429: error("Too many attempts; see Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        data = ChangePasswordInput(data=request.data)
        data.is_valid(raise_exception=True)
        users.password_change(
            user=current_user(request),
            address=client_ip(request._request),
            keep_session=session_id_of(request),
            **data.validated_data,
        )
        return Response({"success": True})


class CreditsView(APIView):
    """The user's own ledger, newest first."""

    @extend_schema(parameters=[LedgerQuery], responses=LedgerOutput)
    def get(self, request: Request) -> Response:
        return ledger_response(request, current_user(request).pk)


def ledger_response(request: Request, user_id: UUID) -> Response:
    """One page of a user's ledger."""
    query = validated_query(request, LedgerQuery)
    page = page_of(entries_of(user_id, query), query, Order(("number",), descending=True))
    return Response({"entries": EntryOutput.bodies(page.rows), **page_facts(request, page)})


def _tokens_body(user: User, tokens: Tokens) -> dict[str, Any]:
    return {
        "token": tokens.access,
        "refresh": tokens.refresh,
        "expires_in": tokens.expires_in,
        "user_info": user_body(user),
    }
