"""What a worker's own threads do about what goes wrong."""

import pytest
from django.db import OperationalError

from videos.worker import lifecycle
from videos.worker.stopping import stopping

pytestmark = [pytest.mark.django_db]


@pytest.mark.parametrize(
    ("error", "traceback"),
    [
        pytest.param(OperationalError("the connection is gone\nand more"), False, id="outage"),
        pytest.param(ZeroDivisionError("odd"), True, id="fault"),
    ],
)
def test_an_outage_is_a_line_and_a_fault_is_told_whole(
    error: Exception, traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Every thread of every worker meets the same outage every second or so."""

    def fail() -> None:
        stopping.set()
        raise error

    try:
        lifecycle._repeat(fail, lambda: 0.0)
    finally:
        stopping.clear()
    (record,) = caplog.records
    assert bool(record.exc_info) == traceback
    assert "more" not in record.getMessage()
