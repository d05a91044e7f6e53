"""django-prometheus by route and known methods, so that what clients make up makes no series."""

from typing import Any

from django.http import HttpRequest
from django_prometheus.middleware import PrometheusAfterMiddleware

NO_ROUTE = "none"


class RouteMetricsMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]  # it has no types
    """Latencies, answers and exceptions by the pattern of the address: two batches are one route."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: Any) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)  # the package passes some on as they came
        if "view" in labels:
            labels["view"] = route_of(request)
        return super().label_metric(metric, request, response, **labels)


def route_of(request: HttpRequest) -> str:
    """The pattern that an address matched, such as `api/video/batches/<uuid:batch_id>`."""
    match = getattr(request, "resolver_match", None)
    return str(match.route) or "/" if match else NO_ROUTE
