"""An administrator's own second factor."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user, session_id_of
from accounts.api.permissions import MayAdminister
from accounts.api.serializers import (
    PasswordInput,
    RecoveryCodesOutput,
    TotpCodeInput,
    TotpEnrolmentOutput,
    TotpRemoveInput,
    TotpStatusOutput,
)
from accounts.services import second_factor
from accounts.services.login import confirm_password, confirm_second_factor
from zhiying.kernel.api.schema import SuccessSerializer, error
from zhiying.kernel.client_address import client_ip


class TotpView(APIView):
    permission_classes = (IsAuthenticated, MayAdminister)

    @extend_schema(responses=TotpStatusOutput)
    def get(self, request: Request) -> Response:
        """Whether this installation has a second factor, and whether it is set up."""
        status = second_factor.status(current_user(request))
        return Response(
            {
                "policy": status.policy,
                "enabled": status.enabled,
                "recovery_codes_left": status.recovery_codes_left,
            }
        )

    @extend_schema(
        request=PasswordInput,
        responses={200: TotpEnrolmentOutput, 409: error("There is a second factor already.")},
    )
    def post(self, request: Request) -> Response:
        """Draw a secret for the authenticator. It is asked for only once it was confirmed by a code."""
        data = PasswordInput(data=request.data)
        data.is_valid(raise_exception=True)
        user = current_user(request)
        confirm_password(user=user, address=client_ip(request._request), **data.validated_data)
        enrolment = second_factor.enrol_begin(user=user)
        return Response({"secret": enrolment.secret, "uri": enrolment.uri, "qr_svg": enrolment.qr_svg})


class TotpConfirmView(APIView):
    permission_classes = (IsAuthenticated, MayAdminister)

    @extend_schema(
        request=TotpCodeInput,
        responses={200: RecoveryCodesOutput, 400: error("The code is wrong: `otp_invalid`.")},
    )
    def post(self, request: Request) -> Response:
        """Switch the second factor on by its first code. Every other session ends."""
        data = TotpCodeInput(data=request.data)
        data.is_valid(raise_exception=True)
        codes = second_factor.enrol_confirm(
            user=current_user(request), keep_session=session_id_of(request), **data.validated_data
        )
        return Response({"recovery_codes": codes})


class TotpRemoveView(APIView):
    permission_classes = (IsAuthenticated, MayAdminister)

    @extend_schema(
        request=TotpRemoveInput,
        responses={200: SuccessSerializer, 400: error("The password or the code is wrong.")},
    )
    def post(self, request: Request) -> Response:
        """Remove the second factor: by the password and one of its codes."""
        data = TotpRemoveInput(data=request.data)
        data.is_valid(raise_exception=True)
        user = current_user(request)
        confirm_second_factor(user=user, address=client_ip(request._request), **data.validated_data)
        second_factor.remove(user=user, acting_user=user)
        return Response({"success": True})
