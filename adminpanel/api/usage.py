"""Usage figures."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminpanel.api import serializers as shapes
from adminpanel.api.permissions import IsAdministrator
from adminpanel.services.usage import usage
from zhiying.kernel.api.paging import validated_query


class UsageView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(parameters=[shapes.UsageQuery], responses=shapes.UsageOutput)
    def get(self, request: Request) -> Response:
        """Videos and credits by day, failures by reason, the busiest users."""
        return Response(usage(validated_query(request, shapes.UsageQuery)["days"]))
