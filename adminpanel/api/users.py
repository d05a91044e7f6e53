"""Administrators' calls on users and their credits."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from accounts.api.serializers import LedgerOutput, LedgerQuery, UserOutput, user_body
from accounts.api.views import ledger_response
from accounts.models import User, UserGroup
from accounts.services import credits as ledger
from accounts.services import users
from accounts.services.user_lists import users_listed
from adminpanel.api import serializers as shapes
from adminpanel.api.permissions import IsAdministrator
from zhiying.kernel.api.paging import MAX_LIMIT, Order, page_facts, page_of, validated_query
from zhiying.kernel.api.schema import IDEMPOTENCY_KEY, error
from zhiying.kernel.errors import InvalidError, NotFoundError
from zhiying.kernel.idempotency import Answer, KeyedRequest, Save, fingerprint, perform_once


class UserListView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(
        operation_id="admin_users_list",
        parameters=[shapes.UserListQuery],
        responses=shapes.UserListOutput,
    )
    def get(self, request: Request) -> Response:
        """All users and their credits; up to 1,000 without `limit`."""
        query = validated_query(request, shapes.UserListQuery)
        rows = users_listed(query)
        page = page_of(rows, query, Order.parse(query["ordering"]), default_limit=MAX_LIMIT)
        return Response({"users": UserOutput.bodies(page.rows), **page_facts(request, page)})

    @extend_schema(request=shapes.UserCreateInput, responses={201: shapes.UserCreatedOutput})
    def post(self, request: Request) -> Response:
        """Create a user, with a generated password unless one is sent."""
        data = shapes.UserCreateInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data.get("password")
        password = given or users.generate_password()
        user = users.user_create(
            username=data.validated_data["username"],
            password=password,
            credits=data.validated_data.get("credits"),
            is_admin=data.validated_data["is_admin"],
            acting_user=current_user(request),
        )
        body: dict[str, Any] = {"success": True, "user": user_body(user)}
        if not given:
            body["password"] = password
        return Response(body, status=201, headers={"Location": f"/api/admin/users/{user.pk}"})


class UserView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(responses=UserOutput)
    def get(self, request: Request, user_id: UUID) -> Response:
        """One user."""
        return Response(user_body(_user(user_id)))

    @extend_schema(request=shapes.UserChangeInput, responses=UserOutput)
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Activate or deactivate a user, whose sessions end at once; put them into a group (null: none)."""
        data = shapes.UserChangeInput(data=request.data, partial=True)  # a form leaves out what stays
        data.is_valid(raise_exception=True)
        user, change, actor = _user(user_id), data.validated_data, current_user(request)
        with transaction.atomic():
            if "group" in change:
                user = users.user_set_group(user=user, group=_group(change["group"]), acting_user=actor)
            if "is_active" in change:
                user = users.user_set_active(user=user, is_active=change["is_active"], acting_user=actor)
        return Response(user_body(user))


class UserPasswordView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(request=shapes.PasswordResetInput, responses=shapes.PasswordResetOutput)
    def post(self, request: Request, user_id: UUID) -> Response:
        """Give a user a new password, generated unless one is sent; sessions and lock-outs end."""
        data = shapes.PasswordResetInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data.get("password")
        password = users.password_reset(
            user=_user(user_id), new_password=given, acting_user=current_user(request)
        )
        return Response({"success": True} if given else {"success": True, "password": password})


class UserLogoutView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(request=None, responses=shapes.LoggedOutOutput)
    def post(self, request: Request, user_id: UUID) -> Response:
        """End every session of a user, those of the admin site too."""
        count = users.sessions_end(user=_user(user_id), acting_user=current_user(request))
        return Response({"success": True, "count": count})


class GroupListView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(responses=shapes.GroupListOutput)
    def get(self, request: Request) -> Response:
        """The groups users can be put into, by name."""
        return Response({"groups": shapes.GroupOutput.bodies(UserGroup.objects.order_by("name"))})


class UserCreditsView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(parameters=[LedgerQuery], responses=LedgerOutput)
    def get(self, request: Request, user_id: UUID) -> Response:
        """Any user's ledger."""
        return ledger_response(request, _user(user_id).pk)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=shapes.CreditsChangeInput,
        responses={
            200: shapes.CreditsChangedOutput,
            402: error("The balance would become negative."),
            422: error("The Idempotency-Key was used for a different request."),
        },
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Set a user's credits (`new_credits`), or change them by `delta` for a `reason`."""
        data = shapes.CreditsChangeInput(data=request.data)
        data.is_valid(raise_exception=True)
        change, actor = data.validated_data, current_user(request)
        if ("new_credits" in change) == ("delta" in change):
            raise InvalidError(_("Send either new_credits, or delta with a reason."))
        user = _user(user_id)
        key = request.headers.get("Idempotency-Key")
        keyed = None
        if key is not None:
            keyed = KeyedRequest(actor.pk, key, fingerprint(f"credits:{user.pk}", change, {}))
        status, body = perform_once(keyed, lambda save: _changed(user, change, actor, save))
        return Response(body, status=status)


@transaction.atomic
def _changed(user: User, change: dict[str, Any], actor: User, save: Save) -> Answer:
    if "new_credits" in change:
        balance = ledger.set_credits(
            user_id=user.pk, new_credits=change["new_credits"], reason=change["reason"], acting_user=actor
        )
    else:
        balance = ledger.adjust_credits(
            user_id=user.pk, delta=change["delta"], reason=change["reason"], acting_user=actor
        )
    body = {"success": True, "user_id": str(user.pk), "credits": balance}
    save(200, body)
    return 200, body


def _user(user_id: UUID) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFoundError(_("There is no such user."))
    return user


def _group(group_id: UUID | None) -> UserGroup | None:
    if group_id is None:
        return None
    group = UserGroup.objects.filter(pk=group_id).first()
    if group is None:
        raise NotFoundError(_("There is no such group."))
    return group
