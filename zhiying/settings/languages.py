"""Languages and time."""

from django.utils.translation import gettext_lazy as _

from zhiying.settings.core import BASE_DIR, env

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="zh-hans")
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "zhiying" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")
"""The zone of batch names, usage days and the admin site; the API speaks UTC."""
USE_TZ = True
