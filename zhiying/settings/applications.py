"""Applications, middleware and templates."""

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
    "django_prometheus",
]
MIDDLEWARE = [
    "zhiying.probes.ProbeMiddleware",
    "zhiying.middleware.OriginMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "zhiying.admission.AdmissionMiddleware",  # nothing before it asks the database, everything after it may
    "zhiying.middleware.BodyLimitMiddleware",
    "zhiying.page_middleware.PageSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "zhiying.page_middleware.PageCsrfMiddleware",
    "zhiying.page_middleware.PageAuthenticationMiddleware",
    "zhiying.page_middleware.PageMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "zhiying.middleware.PolicyMiddleware",
    "zhiying.request_metrics.RouteMetricsMiddleware",
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
