"""Schemathesis: every operation of the schema, with fitting and with hostile data, in process.

No answer may be a 5xx, of a status or type that the schema does not name, or of another shape.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User
from tests.support.rows import client_for, make_batch, make_user
from videos.models import Batch
from zhiying.wsgi import application

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.xdist_group("contract"),
    # The WSGI transport leaves the temporary files of uploads to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

EXAMPLES = 20
"""Of each operation, fitting and hostile each."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_wsgi("/api/schema", application)
results: list[Any] = list(schema.get_all_operations())
OPERATIONS = [result.ok() for result in results]
ENDS_THE_SESSION = {"/api/auth/logout", "/api/auth/logout_all", "/api/user/change-password"}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the handler from closing the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def admin_with_batches(db: None) -> User:
    admin = make_user(is_admin=True, credits=1000)
    make_batch(admin, 2)
    return admin


def known_ids(user: User) -> dict[str, str]:
    """Ids that lead somewhere, so that more than the 404 is seen."""
    batch = Batch.objects.filter(user=user).first() or make_batch(user, 2)
    item = batch.items.first()
    assert item
    return {"batch_id": str(batch.pk), "item_id": str(item.pk), "user_id": str(user.pk)}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_a_documented_one(
    operation: Any, mode: GenerationMode, admin_with_batches: User
) -> None:
    session = client_for(admin_with_batches)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        nonlocal session
        if operation.path in ENDS_THE_SESSION:
            session = client_for(admin_with_batches)
        if mode is GenerationMode.POSITIVE:
            case.path_parameters.update(
                {
                    name: value
                    for name, value in known_ids(admin_with_batches).items()
                    if name in case.path_parameters
                }
            )
        case.headers["Authorization"] = f"Bearer {session.tokens.access}"
        case.call_and_validate(checks=CHECKS)

    run()
