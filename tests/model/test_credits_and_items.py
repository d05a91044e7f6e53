"""Any order of changes to credits and items: after each of them rows, ledger and model say the same.

`MODEL_EXAMPLES` in the environment sets how many sequences are tried, each time others:
`MODEL_EXAMPLES=1000 python -m pytest -p tests.plugins.postgres tests/model`.
"""

import os
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from tests.model.books import MOST_TRIES
from tests.model.machine import (
    LONG_S,
)
from tests.model.workers import Workers

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES") or 16)
STEPS = 50
REACHED = {
    "order 201", "order 402", "change 200", "top-up", "claim", "nothing to claim",
    "complete True", "complete False", "fail True", "another try True", "release True",
    "cancel 200", "cancel 409", "cancel all 200", "retry 409", "retry all 200",
    "replace True", "replace refused", "delete 409", "put first 200",
}  # fmt: skip
"""What the sequences have to come by: without it they would show little."""


class CreditsAndItems(Workers):
    """Calls what clients and workers call. Each sequence is a transaction that is taken back."""


def test_any_order_of_changes_leaves_true_books(settings: Any, db: None) -> None:
    settings.RENDER_MAX_TRIES = MOST_TRIES
    settings.RENDER_RETRY_DELAY_S = settings.LEASE_S = LONG_S
    settings.CREDITS_PER_STARTED_S = {}
    CreditsAndItems.reached.clear()
    searching = bool(os.environ.get("MODEL_EXAMPLES"))
    run_state_machine_as_test(
        CreditsAndItems,
        settings=hypothesis_settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=not searching
        ),
    )
    missed = REACHED - set(CreditsAndItems.reached)
    assert searching or not missed, dict(CreditsAndItems.reached)
