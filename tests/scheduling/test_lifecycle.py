"""What a worker's own threads do about what goes wrong."""

import dramatiq
import pytest
from django.conf import LazySettings
from django.db import OperationalError

from videos.worker import exposition, lifecycle
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


def test_a_process_that_counts_alone_tells_no_figures_of_others(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `manage.py serve`, whatever the port of its machine's other workers is."""
    settings.WORKER_METRICS_PORT = 9101
    monkeypatch.delenv(exposition.FOLDER, raising=False)
    begun: list[str] = []
    monkeypatch.setattr(lifecycle, "_start", lambda name, _work: begun.append(name))
    boot = lifecycle.WorkerLifecycle().after_process_boot
    boot(dramatiq.get_broker())
    assert begun == []
    monkeypatch.setenv(exposition.FOLDER, "a folder")
    boot(dramatiq.get_broker())
    assert begun == ["figures"]
