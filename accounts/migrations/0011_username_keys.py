"""Every user gets the key of their name; the first of several with the same key keeps the name."""

import logging
import unicodedata

from django.db import migrations

MAX_KEY_LENGTH = 150
BATCH = 500
logger = logging.getLogger("accounts.migrations")
INVISIBLE = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))


def username_key(username):
    """As accounts.models.user_names had it when this was written."""
    text = unicodedata.normalize("NFD", username.strip()).translate(INVISIBLE)
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text)


def fill(apps, schema_editor):
    """Row by row without a long lock, and safe to begin again after an interruption."""
    User = apps.get_model("accounts", "User")
    users = User.objects.using(schema_editor.connection.alias)
    taken = set(users.exclude(username_key=None).values_list("username_key", flat=True))
    wanted = {username_key(name) for name in users.values_list("username", flat=True)}
    changed = []
    # Oldest first: whoever had the name first keeps it.
    missing = users.filter(username_key=None).order_by("created_at", "id")
    for user in list(missing.only("pk", "username")):
        key = username_key(user.username)
        if not key or key in taken or len(key) > MAX_KEY_LENGTH:
            before = user.username
            user.username, key = _other_name(before, wanted | taken)
            logger.warning(
                "The user %r (%s) is now called %r: an older user has the same name in another spelling. "
                "Tell them.", before, user.pk, user.username,
            )
        taken.add(key)
        user.username_key = key
        changed.append(user)
        if len(changed) == BATCH:
            users.bulk_update(changed, ["username", "username_key"])
            changed = []
    if changed:
        users.bulk_update(changed, ["username", "username_key"])


def _other_name(name, taken):
    """A free name like this one, and its key."""
    while len(username_key(name)) > MAX_KEY_LENGTH - 10 or len(name) > MAX_KEY_LENGTH - 10:
        name = name[: len(name) // 2]
    number = 2
    while True:
        other = f"{name}-{number}"
        key = username_key(other)
        if key not in taken:
            return other, key
        number += 1


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0010_login_limits'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
