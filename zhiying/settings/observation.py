"""Where traces and error reports go: nowhere, unless a setting says so."""

from zhiying.settings.core import PRODUCTION, env

OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="").rstrip("/")
"""A collector that speaks OTLP over HTTP, such as http://collector:4318; empty: no traces."""
OTEL_EXPORTER_OTLP_HEADERS = env.str("OTEL_EXPORTER_OTLP_HEADERS", default="")
"""What it wants to be told, as name=value, separated by commas."""
OTEL_SERVICE_NAME = env.str("OTEL_SERVICE_NAME", default="zhiying")
OTEL_TRACES_SAMPLER_ARG = env.float("OTEL_TRACES_SAMPLER_ARG", default=1.0)
"""Which share of requests is traced, with all that comes of them."""

SENTRY_DSN = env.str("SENTRY_DSN", default="")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production" if PRODUCTION else "development")
