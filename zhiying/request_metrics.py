"""django-prometheus by route and known methods, so that what clients make up makes no series."""

from typing import Any

from django.http import HttpRequest
from django_prometheus.middleware import PrometheusAfterMiddleware

NO_ROUTE = "none"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RouteMetricsMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]  # it has no types
    """Latencies, answers and exceptions by the pattern of the address: two batches are one route."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: Any) -> Any:
        if "method" in labels:
            labels["method"] = known_method(request)  # the package passes some on as they came
        if "view" in labels:
            labels["view"] = route_of(request)
        return super().label_metric(metric, request, response, **labels)


def known_method(request: HttpRequest) -> str:
    """The method, or one word for all that are made up."""
    return request.method if request.method in METHODS else "OTHER"


def route_of(request: HttpRequest) -> str:
    """The pattern that an address matched, such as `api/video/batches/<uuid:batch_id>`."""
    match = getattr(request, "resolver_match", None)
    return str(match.route) or "/" if match else NO_ROUTE
