"""The composition: settings, URLs, checks and the server, on top of every other part."""

from django.apps import AppConfig
from django.conf import settings

from engines.sandbox import hide_from_children


class ZhiyingConfig(AppConfig):
    name = "zhiying"
    label = "composition"  # "zhiying" is the kernel's, which has the migrations

    def ready(self) -> None:
        from zhiying import checks, error_reports  # noqa: F401  (registers the system checks)

        error_reports.begin()
        hide_from_children()  # what decodes and renders runs as the same user
        settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
        if not settings.PRODUCTION:  # elsewhere collectstatic fills it
            settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
