"""The database itself refuses to change or delete credit entries."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import migrations

FORWARD: Mapping[str, Sequence[str]] = {
    "postgresql": (
        """
        CREATE FUNCTION credit_entries_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'credit entries are append-only' USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER credit_entries_append_only BEFORE UPDATE OR DELETE ON credit_entries
        FOR EACH ROW EXECUTE FUNCTION credit_entries_are_append_only()
        """,
    ),
    "sqlite": (
        """
        CREATE TRIGGER credit_entries_no_update BEFORE UPDATE ON credit_entries
        BEGIN SELECT RAISE(ABORT, 'credit entries are append-only'); END
        """,
        """
        CREATE TRIGGER credit_entries_no_delete BEFORE DELETE ON credit_entries
        BEGIN SELECT RAISE(ABORT, 'credit entries are append-only'); END
        """,
    ),
}
BACKWARD: Mapping[str, Sequence[str]] = {
    "postgresql": (
        "DROP TRIGGER credit_entries_append_only ON credit_entries",
        "DROP FUNCTION credit_entries_are_append_only()",
    ),
    "sqlite": ("DROP TRIGGER credit_entries_no_update", "DROP TRIGGER credit_entries_no_delete"),
}


def _run(statements: Mapping[str, Sequence[str]]) -> Callable[[Any, Any], None]:
    def execute(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            for statement in statements[schema_editor.connection.vendor]:
                cursor.execute(statement)

    return execute


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(_run(FORWARD), _run(BACKWARD))]
