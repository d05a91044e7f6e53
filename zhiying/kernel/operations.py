"""Migration operations of our own."""

import time
from typing import Any

from django.db import OperationalError, transaction
from django.db.migrations.operations import AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation

from zhiying.kernel.statement_limits import lost_to_others, patient_for_locks

PAUSE_S = 0.3
"""Between two tries to lock, for those who waited meanwhile."""
GIVES_UP_AFTER_S = 900.0


class LockTables(Operation):
    """The first operation of a migration that changes tables in use: all of them, before any is changed.

    In the order in which the application locks, so that nobody and a migration wait for each other; by short
    tries, so that whoever uses a table for long (a backup) keeps the migration waiting and nobody else.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, *tables: str) -> None:
        self.tables = tables

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql" or schema_editor.collect_sql:
            return
        ends_at = time.monotonic() + GIVES_UP_AFTER_S
        while not self._locked(schema_editor):
            if time.monotonic() > ends_at:
                raise OperationalError(f"These tables are never free: {', '.join(self.tables)}")
            time.sleep(PAUSE_S)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        pass  # backwards it would come last

    def _locked(self, schema_editor: Any) -> bool:
        names = ", ".join(map(schema_editor.quote_name, self.tables))
        try:
            with transaction.atomic(schema_editor.connection.alias):
                schema_editor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        except OperationalError as error:
            if lost_to_others(error):
                return False
            raise
        return True

    def describe(self) -> str:
        return f"Lock {', '.join(self.tables)}"


class AddIndexOnline(AddIndex):
    """Builds an index while others read and write. For migrations with `atomic = False`."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            # an attempt that was interrupted leaves an invalid index of this name
            left_over = f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}"
            with patient_for_locks():
                schema_editor.execute(left_over)
                schema_editor.add_index(model, self.index, concurrently=True)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            with patient_for_locks():
                schema_editor.remove_index(model, self.index, concurrently=True)


class RemoveIndexOnline(RemoveIndex):
    """Takes an index away without waiting for those who use the table. For `atomic = False`."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            with patient_for_locks():
                schema_editor.remove_index(model, index, concurrently=True)
