"""The schema as it is served: JSON, or YAML where `Accept` or `?format=yaml` asks for it."""

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny


class _PlainJSON(OpenApiJsonRenderer):
    media_type = "application/json"


class SchemaView(SpectacularAPIView):
    """For everybody, in the form that is asked for."""

    renderer_classes = [_PlainJSON, OpenApiJsonRenderer, OpenApiYamlRenderer]
    content_negotiation_class = DefaultContentNegotiation
    permission_classes = [AllowAny]
    authentication_classes = []
