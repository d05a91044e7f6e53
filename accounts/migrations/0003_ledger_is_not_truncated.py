"""PostgreSQL refuses to truncate the credit entries, too, which the triggers for rows do not see."""

from typing import Any

from django.db import migrations

PROTECT = """
    CREATE TRIGGER credit_entries_no_truncate BEFORE TRUNCATE ON credit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION credit_entries_are_append_only()
"""
UNPROTECT = "DROP TRIGGER credit_entries_no_truncate ON credit_entries"


def _protect(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":  # SQLite has no TRUNCATE
        schema_editor.execute(PROTECT)


def _unprotect(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UNPROTECT)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_append_only_ledger")]
    operations = [migrations.RunPython(_protect, _unprotect)]
