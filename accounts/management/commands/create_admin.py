"""`manage.py create_admin`: make an administrator."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.models import User
from accounts.services.users import generate_password, user_create
from zhiying.kernel.errors import DomainError
from zhiying.kernel.origin import NamedCommand


class Command(NamedCommand):
    """Safe to run twice: an administrator of that name is left as it is."""

    help = (
        "Create an administrator; without a name the first one, of ADMIN_USERNAME, where there is none. "
        "The password is taken from ADMIN_PASSWORD, or generated and shown once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"] or settings.ADMIN_USERNAME
        if not options["username"] and User.objects.filter(is_admin=True).exists():
            self.stdout.write("There is an administrator already; nothing was changed.")
            return
        existing = User.objects.named(name)
        if existing and existing.is_admin:
            self.stdout.write(f"{existing.username} is an administrator already; nothing was changed.")
            return
        if existing:
            raise CommandError(
                f"{existing.username} exists and is not an administrator. Choose another name."
            )
        given = settings.ADMIN_PASSWORD
        password = given or generate_password()
        try:
            user = user_create(username=name, password=password, is_admin=True, acting_user=None)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Administrator {user.username} created.")
        if not given:
            self.stdout.write(f"Password (shown only this once): {password}")
