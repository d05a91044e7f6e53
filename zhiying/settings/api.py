"""REST framework and its schema."""

from zhiying.settings.core import NUM_PROXIES, env
from zhiying.version import VERSION

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["zhiying.kernel.api.renderers.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "zhiying.kernel.api.parsers.SafeJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "zhiying.kernel.api.negotiation.JSONAlways",
    "DEFAULT_SCHEMA_CLASS": "zhiying.kernel.api.schema.Schema",
    "EXCEPTION_HANDLER": "zhiying.kernel.api.errors.exception_handler",
    "NUM_PROXIES": NUM_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
ANSWER_CACHE_BYTES = env.int("ANSWER_CACHE_MB", default=32) * 1_000_000
"""Memory of each web process for the JSON of batches that did not change."""
SPECTACULAR_SETTINGS = {
    "TITLE": "ZhiYing (智影 AI)",
    "DESCRIPTION": "Batch digital-human video: portraits + one voice recording → one talking video each.",
    "VERSION": VERSION,
    # The order in which they are shown: what users call comes before what administrators do.
    "TAGS": [
        {"name": "auth", "description": "Logging in and out."},
        {"name": "user", "description": "One's own account, credits and ledger."},
        {"name": "video", "description": "Uploads, batches, videos and the library."},
        {"name": "engine", "description": "The engine and its limits."},
        {"name": "token", "description": "Whether the engine can be used."},
        {"name": "admin", "description": "For administrators."},
    ],
    "SERVERS": [{"url": "/", "description": "This installation."}],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # `make check` makes the schema; a server that starts need not
    "SERVE_PUBLIC": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ItemStatusEnum": "videos.models.ItemStatus",
        "BatchStatusEnum": "videos.models.BatchStatus",
        "AuditActionEnum": "accounts.models.AuditAction",
        "ActingAsEnum": "accounts.models.ActingAs",
        "EntryKindEnum": "accounts.models.EntryKind",
        "UploadStatusEnum": "videos.models.UploadStatus",
    },
}
