#!/usr/bin/env python
"""Django's command line for the ZhiYing project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")
    from zhiying.data_folder import require_data_folder

    require_data_folder(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
