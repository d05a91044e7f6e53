"""Settings, all of them from the environment.

Without any variable set this is the embedded default: one process, SQLite, files on disk and an
in-process broker below `DATA_DIR`. `.env.example` names every variable with a comment.
"""

import socket
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from zhiying.secrets import derived_key, stored_secret
from zhiying.version import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Where things are ------------------------------------------------------------------------------

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).expanduser().resolve()
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
"""The origin clients use, such as https://video.example.com; empty: taken from each request."""

DATABASE_URL = env.str("DATABASE_URL", default="")
BROKER_URL = env.str("BROKER_URL", default="memory://")
PRODUCTION = env.bool("PRODUCTION", default=bool(DATABASE_URL) or BROKER_URL != "memory://")
"""False only for the embedded default; True makes unsafe settings an error at start."""
DEBUG = env.bool("DEBUG", default=False)

# --- Secrets and hosts -----------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="") or (
    # In production a missing key is random and too short on purpose: the check zhiying.E002 names it and
    # nothing starts, where an empty one would end in Django's own traceback.
    token_hex(8) if PRODUCTION else stored_secret(DATA_DIR / "secret_key")
)
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", default="") or derived_key(SECRET_KEY, "jwt")
MEDIA_SIGNING_KEY = env.str("MEDIA_SIGNING_KEY", default="") or derived_key(SECRET_KEY, "media")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]", socket.gethostname(), HOST]
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=[] if PRODUCTION else (["*"] if HOST in {"0.0.0.0", "::"} else _LOCAL_HOSTS),  # noqa: S104
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if PUBLIC_URL else [])
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "idempotency-key", "if-none-match")
CORS_EXPOSE_HEADERS = ("ETag", "Retry-After")
CORS_URLS_REGEX = r"^/(api|media)/"
NUM_PROXIES = env.int("NUM_PROXIES", default=0)
"""How many reverse proxies of ours stand in front and append to X-Forwarded-For."""

HTTPS = env.bool("HTTPS", default=PRODUCTION)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = False  # the reverse proxy redirects; health checks arrive in plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if NUM_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # see SECURE_SSL_REDIRECT

S3_BUCKET = env.str("S3_BUCKET", default="")
S3_REGION = env.str("S3_REGION", default="")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="")
S3_PUBLIC_ENDPOINT_URL = env.str("S3_PUBLIC_ENDPOINT_URL", default="") or S3_ENDPOINT_URL
_AWS_ORIGINS = ["https://s3.amazonaws.com", f"https://s3.{S3_REGION or 'us-east-1'}.amazonaws.com"]
_MEDIA_ORIGINS = ([S3_PUBLIC_ENDPOINT_URL] if S3_PUBLIC_ENDPOINT_URL else _AWS_ORIGINS) if S3_BUCKET else []
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:", *_MEDIA_ORIGINS],
        "media-src": [SELF, "blob:", *_MEDIA_ORIGINS],
        "connect-src": [SELF, *_MEDIA_ORIGINS],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Applications ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "zhiying.kernel",
    "zhiying",
    "accounts",
    "videos",
    "adminpanel",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_dramatiq",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
    "axes",
    "import_export",
    "django_prometheus",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "zhiying.middleware.RequestLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "zhiying.urls"
WSGI_APPLICATION = "zhiying.wsgi.application"
APPEND_SLASH = True  # for the admin site; the API has no trailing slashes
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database --------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url_config(DATABASE_URL or f"sqlite:///{DATA_DIR / 'zhiying.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # Writers queue up instead of failing: the write lock is taken when a transaction begins.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    # Tests use threads and child processes, which an in-memory database cannot serve.
    _database["TEST"] = {"NAME": env.str("TEST_SQLITE_PATH", default=str(DATA_DIR / "test.sqlite3"))}
else:
    _database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    _database["CONN_HEALTH_CHECKS"] = True

# --- Accounts --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
SIGNUP_CREDITS = env.int("SIGNUP_CREDITS", default=100)
ACCESS_TOKEN_LIFETIME_S = env.int("ACCESS_TOKEN_LIFETIME_S", default=12 * 3600)
REFRESH_TOKEN_LIFETIME_S = env.int("REFRESH_TOKEN_LIFETIME_S", default=30 * 86_400)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_LIFETIME_S),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=REFRESH_TOKEN_LIFETIME_S),
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "UPDATE_LAST_LOGIN": False,
}
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=10)
AXES_COOLOFF_TIME = timedelta(seconds=env.int("LOGIN_COOLOFF_S", default=900))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # an address alone would lock out a whole office
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_CLIENT_IP_CALLABLE = "zhiying.kernel.client_address.client_ip"
AXES_LOCKOUT_CALLABLE = "adminpanel.lockout.lockout_response"
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True

# --- API -------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
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
SPECTACULAR_SETTINGS = {
    "TITLE": "ZhiYing (智影 AI)",
    "DESCRIPTION": "Batch digital-human video: portraits + one voice recording → one talking video each.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ItemStatusEnum": "videos.models.ItemStatus",
        "BatchStatusEnum": "videos.models.BatchStatus",
        "EntryKindEnum": "accounts.models.EntryKind",
    },
}

# --- Languages and time ----------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="zh-hans")
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "zhiying" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")
"""The zone of batch names, usage days and the admin site; the API speaks UTC."""
USE_TZ = True

# --- Files -----------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"
WORK_DIR = DATA_DIR / "work"
"""Scratch space of uploads and workers on this machine; may be deleted while nothing runs."""
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "build" / "static"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[\w-]{8}\.\w+$"
"""The front end's build puts a hash into the name of everything below assets/."""

_s3_options = {
    "bucket_name": S3_BUCKET,
    "access_key": env.str("S3_ACCESS_KEY_ID", default="") or None,
    "secret_key": env.str("S3_SECRET_ACCESS_KEY", default="") or None,
    "endpoint_url": S3_ENDPOINT_URL or None,
    "region_name": S3_REGION or None,
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "videos.store.storage.S3MediaStorage", "OPTIONS": _s3_options}
        if S3_BUCKET
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(MEDIA_ROOT)},
        }
    ),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if S3_BUCKET:
    # Browsers may reach the bucket under another host, and a signature covers the host.
    STORAGES["public"] = {
        "BACKEND": "videos.store.storage.S3MediaStorage",
        "OPTIONS": {**_s3_options, "endpoint_url": S3_PUBLIC_ENDPOINT_URL or None},
    }
MEDIA_URL_LIFETIME_S = env.int("MEDIA_URL_LIFETIME_S", default=6 * 3600)
MEDIA_ACCEL_PREFIX = env.str("MEDIA_ACCEL_PREFIX", default="")
"""The internal nginx location that serves MEDIA_ROOT; empty: Django sends the bytes itself."""

FILE_UPLOAD_HANDLERS = ["videos.store.uploads.BoundedTemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = str(WORK_DIR)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 200

# --- Limits ----------------------------------------------------------------------------------------

BATCH_MAX_IMAGES = env.int("BATCH_MAX_IMAGES", default=50)
IMAGE_MAX_BYTES = env.int("IMAGE_MAX_MB", default=20) * 1_000_000
IMAGE_MAX_PIXELS = env.int("IMAGE_MAX_MEGAPIXELS", default=50) * 1_000_000
IMAGE_MIN_SIDE_PX = env.int("IMAGE_MIN_SIDE_PX", default=128)
AUDIO_MAX_BYTES = env.int("AUDIO_MAX_MB", default=50) * 1_000_000
AUDIO_MIN_S = env.float("AUDIO_MIN_S", default=0.5)
AUDIO_MAX_S = env.float("AUDIO_MAX_S", default=300.0)
PROMPT_MAX_CHARS = env.int("PROMPT_MAX_CHARS", default=2000)
REQUEST_MAX_BYTES = BATCH_MAX_IMAGES * IMAGE_MAX_BYTES + AUDIO_MAX_BYTES + 1_000_000
IDEMPOTENCY_TTL = timedelta(hours=24)

# --- Generation ------------------------------------------------------------------------------------

GENERATION_ENGINE = env.str("GENERATION_ENGINE", default="portrait")
WORKER_THREADS = env.int("WORKER_THREADS", default=2)
"""Renders at once in one worker process."""
RENDER_THREADS = env.int("RENDER_THREADS", default=0)
"""CPU threads of one render; 0 divides the cores among the renders of a process."""
RENDER_TIME_LIMIT_S = env.float("RENDER_TIME_LIMIT_S", default=1800)
RENDER_MEMORY_LIMIT_MB = env.int("RENDER_MEMORY_LIMIT_MB", default=1500)
RENDER_MAX_TRIES = env.int("RENDER_MAX_TRIES", default=3)
RENDER_RETRY_DELAY_S = env.float("RENDER_RETRY_DELAY_S", default=10)
LEASE_S = env.float("LEASE_S", default=30)
HEARTBEAT_S = env.float("HEARTBEAT_S", default=0.5)
SWEEP_INTERVAL_S = env.float("SWEEP_INTERVAL_S", default=15)
LABEL_ENABLED = env.bool("LABEL_ENABLED", default=True)
LABEL_TEXT = env.str("LABEL_TEXT", default="")
LABEL_CORNER = env.str("LABEL_CORNER", default="bottom-right")
LABEL_OPACITY = env.str("LABEL_OPACITY", default="0.75")
AIGC_PRODUCER = env.str("AIGC_PRODUCER", default="ZhiYing")
"""Who made the video, in the AIGC element of its metadata."""
ENGINE_OPTIONS = {
    "label_enabled": "1" if LABEL_ENABLED else "0",
    "label_text": LABEL_TEXT,
    "label_corner": LABEL_CORNER,
    "label_opacity": LABEL_OPACITY,
    "aigc_producer": AIGC_PRODUCER,
}

# --- Queue -----------------------------------------------------------------------------------------

# django-dramatiq insists on a setting; the broker itself is chosen by URL in zhiying.broker.
DRAMATIQ_BROKER = {
    "BROKER": "zhiying.broker.make_broker",
    "OPTIONS": {"url": BROKER_URL},
    "MIDDLEWARE": [
        "dramatiq.middleware.AgeLimit",
        "dramatiq.middleware.Retries",
        "django_dramatiq.middleware.DbConnectionsMiddleware",
        "videos.worker.lifecycle.WorkerLifecycle",
    ],
}
DRAMATIQ_AUTODISCOVER_MODULES = ["tasks"]

# --- Logs ------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "dramatiq": {"level": "WARNING"},
        "pika": {"level": "CRITICAL"},
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
    },
}
