"""Static files, stored media, uploads and their limits."""

from datetime import timedelta
from typing import Any

from zhiying.settings.core import BASE_DIR, DATA_DIR, env
from zhiying.settings.security import S3_BUCKET, S3_ENDPOINT_URL, S3_PUBLIC_ENDPOINT_URL, S3_REGION

# --- Files ------------------------------------------------------------------------------------------

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
    "location": env.str("S3_PREFIX", default="").strip("/"),
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "videos.store.backends.S3MediaStorage", "OPTIONS": _s3_options}
        if S3_BUCKET
        else {
            "BACKEND": "videos.store.backends.DiskMediaStorage",
            "OPTIONS": {"location": str(MEDIA_ROOT)},
        }
    ),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if S3_BUCKET:
    # Browsers may reach the bucket under another host, and a signature covers the host.
    STORAGES["public"] = {
        "BACKEND": "videos.store.backends.S3MediaStorage",
        "OPTIONS": {**_s3_options, "endpoint_url": S3_PUBLIC_ENDPOINT_URL or None},
    }
MEDIA_URL_LIFETIME_S = env.int("MEDIA_URL_LIFETIME_S", default=6 * 3600)
MEDIA_ACCEL_PREFIX = env.str("MEDIA_ACCEL_PREFIX", default="")
"""The internal nginx location that serves MEDIA_ROOT; empty: Django sends the bytes itself."""

FILE_UPLOAD_HANDLERS = ["videos.store.uploads.BoundedTemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 200

# --- Limits -----------------------------------------------------------------------------------------

BATCH_MAX_IMAGES = env.int("BATCH_MAX_IMAGES", default=50)
IMAGE_MAX_BYTES = env.int("IMAGE_MAX_MB", default=20) * 1_000_000
IMAGE_MAX_PIXELS = env.int("IMAGE_MAX_MEGAPIXELS", default=50) * 1_000_000
IMAGE_MIN_SIDE_PX = env.int("IMAGE_MIN_SIDE_PX", default=128)
AUDIO_MAX_BYTES = env.int("AUDIO_MAX_MB", default=50) * 1_000_000
AUDIO_MIN_S = env.float("AUDIO_MIN_S", default=0.5)
AUDIO_MAX_S = env.float("AUDIO_MAX_S", default=300.0)
PROMPT_MAX_CHARS = env.int("PROMPT_MAX_CHARS", default=2000)
FACE_CHECK = env.bool("FACE_CHECK", default=True)
"""Whether intake asks the check of the engine's portraits, before a credit moves."""
FACE_CHECK_TIME_LIMIT_S = env.float("FACE_CHECK_TIME_LIMIT_S", default=10)
"""For one portrait; one that takes longer goes on unchecked. The first one waits for the networks, too.
As long as stored portraits may take to come from the store, all of a batch together."""
FREE_CHECKS_PER_HOUR = env.int("FREE_CHECKS_PER_HOUR", default=1000)
"""Images of one user that dry runs and failed submissions may have decoded in an hour."""
REQUEST_MAX_BYTES = BATCH_MAX_IMAGES * IMAGE_MAX_BYTES + AUDIO_MAX_BYTES + 1_000_000
UPLOAD_PART_BYTES = 8 * 1024 * 1024
"""How much a direct upload sends at a time; at least 5 MiB, or S3 refuses the parts."""
UPLOAD_MAX_OPEN_FILES = env.int("UPLOAD_MAX_OPEN_FILES", default=250)
UPLOAD_MAX_OPEN_MB = env.int("UPLOAD_MAX_OPEN_MB", default=2500)
"""What one user may have uploaded without a batch that takes it."""
INTAKE_AT_ONCE = env.int("INTAKE_AT_ONCE", default=2)
INTAKE_WAIT_S = env.float("INTAKE_WAIT_S", default=120)
"""How many batches one web process decodes at once, and how long (s) a further one waits for its turn."""
RETENTION_DAYS = env.int("RETENTION_DAYS", default=0)
"""Days after which the files of a batch are removed; 0 keeps them. Groups of users may have their own."""
QUOTA_MB = env.int("QUOTA_MB", default=0)
"""What one user may have stored; 0 is no limit. Groups of users may have their own."""
IDEMPOTENCY_TTL = timedelta(hours=24)
