"""A portrait that is stored and cannot be read: this item's trouble, neither its user's nor the engine's."""

import sys

import pytest

from accounts.models import User
from tests.scheduling.rendering import refunds
from tests.support.books import assert_all_is_settled
from tests.support.rows import make_item
from videos.models import ItemStatus
from videos.store.backends import disk_path
from videos.worker.runner import work_once
from videos.worker.slots import slots
from videos.worker.trouble import breaker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("scripted"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_it_is_refunded_after_its_tries_and_the_engine_goes_on(
    user: User, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given back as if the engine were away, it would be tried for ever, and everybody would wait with it."""
    settings.GENERATION_ENGINE = "command"  # type: ignore[attr-defined]
    monkeypatch.setenv("COMMAND_TEMPLATE", f"{sys.executable} -c pass {{portrait}} {{audio}} {{output}}")
    slots.close()
    item = make_item(user)
    path = disk_path(item.source_image)
    path.unlink()
    path.symlink_to("/proc/self/mem")  # is there, and reading it is an I/O error
    tries = 0
    while work_once():
        tries += 1
        assert breaker("command").code == ""
        assert tries <= settings.RENDER_MAX_TRIES  # type: ignore[attr-defined]
    item.refresh_from_db()
    assert (item.status, item.error_final, refunds()) == (ItemStatus.FAILED, False, 1)
    assert_all_is_settled()
