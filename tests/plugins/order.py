"""With several processes what takes long begins first, so that at the end none waits for what began last.

`make test` names this plugin, and tells xdist to leave the order as it is.
"""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Otherwise the order stays; tests of one group follow the group's first."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
