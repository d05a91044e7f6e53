"""The tables of django-axes go: they held what was typed into log-in forms, passwords among it."""

from django.db import migrations

TABLES = ("axes_accessattemptexpiration", "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog")


def drop(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":  # else what was dropped stays readable in free pages of the file
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
    present = set(connection.introspection.table_names())
    for table in TABLES:
        if table in present:
            schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(table)}")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'axes'")


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_username_keys_unique'),
    ]

    operations = [
        migrations.RunPython(drop, migrations.RunPython.noop),
    ]
