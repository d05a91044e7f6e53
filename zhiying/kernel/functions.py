"""Functions of the database that Django has no name for."""

from typing import Any

from django.db.models import Func, IntegerField


class SecondsBetween(Func):
    """Whole seconds from one time to another, which is now where it is null; null without the first.

    Computed by the database: reading two times costs a process more than everything else in a row.
    """

    arity = 2
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "(round(extract(epoch FROM coalesce(%(end)s, statement_timestamp()) - %(start)s))::integer)"
        )
        return self._filled(template, compiler)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "CAST(round((julianday(coalesce(%(end)s, 'now')) - julianday(%(start)s)) * 86400) AS integer)"
        )
        return self._filled(template, compiler)

    def _filled(self, template: str, compiler: Any) -> Any:
        start, end = self.get_source_expressions()
        (start_sql, start_params), (end_sql, end_params) = compiler.compile(start), compiler.compile(end)
        return template % {"start": start_sql, "end": end_sql}, [*end_params, *start_params]
