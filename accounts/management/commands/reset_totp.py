"""`manage.py reset_totp`: let an administrator in who lost the authenticator and the recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User
from accounts.services import second_factor
from zhiying.kernel.origin import NamedCommand


class Command(NamedCommand):
    """Safe to run twice. The password is asked for as before."""

    help = "Remove the second factor of a user, who can then log in with the password alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.named(options["username"])
        if user is None:
            raise CommandError(f"There is no user named {options['username']}.")
        removed = second_factor.remove(user=user, acting_user=None)
        self.stdout.write(
            f"The second factor of {user.username} was removed."
            if removed
            else f"{user.username} has no second factor; nothing was changed."
        )
