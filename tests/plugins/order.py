"""How `make test` gives tests to several processes: what takes long first, and each group to one of them.

Groups are those of xdist's own mark, `xdist_group`. xdist 3.8 tells them to its controller within the names
of tests, which it cannot change with pytest 9.2: groups were taken apart, silently. Here a file tells them.
"""

import json
import os
from functools import cached_property
from pathlib import Path

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.plugins.environment import SHARED

GROUPS = "groups.json"
"""In the folder of what all processes of a run share: a test's id → its group."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With what takes long at the beginning none waits at the end for what began last.

    Otherwise the order stays; tests of one group follow the group's first.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """In each process, before it tells the controller what it found; all find the same."""
    name = os.environ.get("PYTEST_XDIST_WORKER")
    if name is None:
        return
    groups = {
        item.nodeid: mark.args[0]
        for item in session.items
        if (mark := item.get_closest_marker("xdist_group"))
    }
    folder = Path(os.environ[SHARED])
    whole = folder / f"{name}-{GROUPS}"
    whole.write_text(json.dumps(groups))
    whole.replace(folder / GROUPS)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # no types of its own
    """Gives whole groups, and tests without one as they come."""

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)

    @cached_property
    def _groups(self) -> dict[str, str]:
        groups: dict[str, str] = json.loads((Path(os.environ[SHARED]) / GROUPS).read_text())
        return groups


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> GroupScheduling:
    return GroupScheduling(config, log)
