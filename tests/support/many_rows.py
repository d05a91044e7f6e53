"""A batch in the database that the environment names, and many copies of it, as if it was used for long.

Run as a program with an installation's own environment; prints the id of the batch.
"""

import os
import sys

import psycopg
from psycopg import sql

TABLES = ("batches", "video_items")
IMAGES = 10


def columns(connection: psycopg.Connection, table: str) -> list[str]:
    """As the table has them now, its key first."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
        [table],
    )
    return ["id", *(name for (name,) in found if name != "id")]


def copy_batch(connection: psycopg.Connection, names: dict[str, list[str]], template: str, times: int) -> int:
    """Insert so many batches with their items, naming those columns that somebody knows; how many items."""
    batch, item = ([sql.Identifier(name) for name in names[table]] for table in TABLES)
    others = sql.SQL(", ").join(
        sql.SQL("t.") + name for name in item[1:] if name != sql.Identifier("batch_id")
    )
    named = sql.SQL(", ").join(name for name in item[1:] if name != sql.Identifier("batch_id"))
    statement = sql.SQL(
        "WITH made AS (INSERT INTO batches ({batch}) SELECT gen_random_uuid(), {rest} "
        "FROM batches, generate_series(1, %(times)s) WHERE id = %(template)s RETURNING id) "
        "INSERT INTO video_items (id, batch_id, {named}) SELECT gen_random_uuid(), made.id, {others} "
        "FROM made, video_items t WHERE t.batch_id = %(template)s"
    ).format(batch=sql.SQL(", ").join(batch), rest=sql.SQL(", ").join(batch[1:]), named=named, others=others)
    return connection.execute(statement, {"times": times, "template": template}).rowcount


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")
    import django

    django.setup()
    from tests.support.rows import make_batch, make_user

    sys.stdout.write(str(make_batch(make_user(), IMAGES).pk))


if __name__ == "__main__":
    main()
