"""What empties the database after a test does not wait for ever for one that hangs."""

import pytest
from django.db import OperationalError, connection

from accounts.models import User
from tests.plugins import database
from tests.support.rows import make_user

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.row_locks,
]


def test_a_table_that_somebody_holds_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCKED_WITHIN_S", 0.2)
    make_user("mei")
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM users")
        with pytest.raises(OperationalError, match="lock timeout"):
            database._empty_postgresql(connection)
        assert User.objects.filter(username="mei").exists(), "nothing was removed"
        other.rollback()
        database._empty_postgresql(connection)
        assert not User.objects.exists()
    finally:
        other.close()
