"""Batches, their items, media, the queue and the engines."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VideosConfig(AppConfig):
    name = "videos"
    verbose_name = _("Videos")

    def ready(self) -> None:
        from videos import checks, tasks  # noqa: F401  (registers system checks and actors)
        from videos.scheduling import hints  # noqa: F401  (listens for work)
