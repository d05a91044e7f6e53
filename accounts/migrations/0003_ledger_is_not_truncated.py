"""PostgreSQL refuses to truncate the credit entries, too, which the triggers for rows do not see."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import migrations

FORWARD = (
    """
    CREATE TRIGGER credit_entries_no_truncate BEFORE TRUNCATE ON credit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION credit_entries_are_append_only()
    """,
)
BACKWARD = ("DROP TRIGGER credit_entries_no_truncate ON credit_entries",)


def _run(statements: Sequence[str]) -> Callable[[Any, Any], None]:
    def execute(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":  # SQLite has no TRUNCATE
            with schema_editor.connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    return execute


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_append_only_ledger")]
    operations = [migrations.RunPython(_run(FORWARD), _run(BACKWARD))]
