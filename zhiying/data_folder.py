"""The data folder that a command line means, before the settings would make one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

COMMANDS = {
    "audit_credits",
    "create_admin",
    "engine_credential",
    "media_orphans",
    "prepare_store",
    "rebuild_usage",
    "reencrypt_secrets",
    "reset_totp",
    "topup_credits",
}
"""Commands that need an installation, and set up none."""
DEFAULT = Path(__file__).resolve().parents[1] / "data"


def require_data_folder(arguments: Sequence[str]) -> None:
    """End with a sentence where a command would begin an installation rather than find one.

    Looks at the environment itself: the settings, once imported, have made the folder and a key in it.
    """
    if len(arguments) < 2 or arguments[1] not in COMMANDS:
        return
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        return
    folder = Path(os.environ.get("DATA_DIR") or DEFAULT).expanduser().resolve()
    if not (folder / "zhiying.sqlite3").is_file():
        sys.exit(
            f"There is no installation in {folder}.\n"
            f"Name the running one's: DATA_DIR=/its/data manage.py {arguments[1]} … "
            "(or DATABASE_URL, if it has a server for its database)."
        )
