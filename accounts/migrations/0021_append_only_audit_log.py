"""The database itself refuses to change, delete or truncate audit entries."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import migrations

FORWARD: Mapping[str, Sequence[str]] = {
    "postgresql": (
        """
        CREATE FUNCTION audit_entries_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'audit entries are append-only' USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
        FOR EACH ROW EXECUTE FUNCTION audit_entries_are_append_only()
        """,
        """
        CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_are_append_only()
        """,
    ),
    "sqlite": (
        """
        CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
        BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END
        """,
        """
        CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
        BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END
        """,
    ),
}
BACKWARD: Mapping[str, Sequence[str]] = {
    "postgresql": (
        "DROP TRIGGER audit_entries_no_truncate ON audit_entries",
        "DROP TRIGGER audit_entries_append_only ON audit_entries",
        "DROP FUNCTION audit_entries_are_append_only()",
    ),
    "sqlite": ("DROP TRIGGER audit_entries_no_update", "DROP TRIGGER audit_entries_no_delete"),
}


def _run(statements: Mapping[str, Sequence[str]]) -> Callable[[Any, Any], None]:
    def execute(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            for statement in statements[schema_editor.connection.vendor]:
                cursor.execute(statement)

    return execute


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_audit_log")]
    operations = [migrations.RunPython(_run(FORWARD), _run(BACKWARD))]
