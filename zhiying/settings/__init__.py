"""Settings, all of them from the environment.

Without any variable set this is the embedded default: one process, SQLite, files on disk and an
in-process broker below `DATA_DIR`. `.env.example` names every variable with a comment.
"""

from zhiying.settings.accounts import *  # noqa: F403
from zhiying.settings.api import *  # noqa: F403
from zhiying.settings.applications import *  # noqa: F403
from zhiying.settings.core import *  # noqa: F403
from zhiying.settings.database import *  # noqa: F403
from zhiying.settings.generation import *  # noqa: F403
from zhiying.settings.languages import *  # noqa: F403
from zhiying.settings.logs import *  # noqa: F403
from zhiying.settings.mail import *  # noqa: F403
from zhiying.settings.media import *  # noqa: F403
from zhiying.settings.observation import *  # noqa: F403
from zhiying.settings.security import *  # noqa: F403
