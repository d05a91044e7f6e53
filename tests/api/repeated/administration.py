"""Calls of administrators, their site and their commands."""

from typing import Any

from accounts.models import CreditEntry, LoginCounter, Session, User, UserGroup
from accounts.services import bulk_topup, handover
from accounts.services import credits as ledger
from accounts.services.bulk_topup import TopUpLine
from accounts.services.groups import group_delete, group_save
from adminpanel.services.bulk_credits import credits_adjust, credits_set
from tests.api.repeated.calls import (
    NEW_PASSWORD,
    Call,
    call,
    client_of,
    has_credits,
    have_credits,
    log_in,
    service,
)
from tests.support.rows import client_for, make_batch, make_user


@call
def giving_credits() -> Call:
    return changed_credits({"delta": 5, "reason": "test"}, 105)


@call
def taking_credits() -> Call:
    return changed_credits({"delta": -5, "reason": "test"}, 95)


@call
def setting_credits() -> Call:
    return changed_credits({"new_credits": 7}, 7)


def changed_credits(body: dict[str, Any], left: int) -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    path = f"/api/admin/users/{user.pk}/credits"

    def effect() -> None:
        has_credits(user, left)
        assert CreditEntry.objects.filter(user=user).count() == 2

    return Call(lambda: client.patch(path, body, format="json", HTTP_IDEMPOTENCY_KEY="k"), effect)


@call
def giving_credits_on_the_site() -> Call:
    users, admin = [make_user(), make_user()], make_user(is_admin=True)

    def act() -> None:
        credits_adjust(
            users=users, delta=5, reason="test", acting_user=admin, key="k", on_changed=lambda *_: None
        )

    return Call(service(act), have_credits(users, 105))


@call
def setting_credits_on_the_site() -> Call:
    users, admin = [make_user(), make_user()], make_user(is_admin=True)

    def act() -> None:
        credits_set(
            users=users, new_credits=7, reason="test", acting_user=admin, key="k", on_changed=lambda *_: None
        )

    def effect() -> None:
        for user in users:
            has_credits(user, 7)
            assert CreditEntry.objects.filter(user=user).count() == 2

    return Call(service(act), effect)


@call
def topping_up() -> Call:
    user = make_user()

    def act() -> None:
        ledger.top_up(user_id=user.pk, amount=5, reason="paid", key=f"{user.pk}", acting_user=None)

    return Call(service(act), lambda: has_credits(user, 105))


@call
def topping_up_from_a_file() -> Call:
    users = [make_user(), make_user()]
    lines = [TopUpLine(number, user, 5, "paid") for number, user in enumerate(users, 2)]
    key = f"{users[0].pk}"
    act = service(lambda: bulk_topup.top_up_all(lines, key=key, acting_user=None))
    return Call(act, have_credits(users, 105))


@call
def making_a_user() -> Call:
    client, name = client_of(make_user(is_admin=True)), f"new{User.objects.count()}"
    body = {"username": name, "password": NEW_PASSWORD, "credits": 3}

    def effect() -> None:
        has_credits(User.objects.get(username=name), 3)
        assert CreditEntry.objects.filter(user__username=name).count() == 1

    return Call(lambda: client.post("/api/admin/users", body, format="json"), effect, 201, done=[409])


@call
def deactivating_a_user() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    theirs = client_for(user)

    def effect() -> None:
        assert theirs.get("/api/user/profile").status_code == 401
        assert not User.objects.get(pk=user.pk).is_active

    path = f"/api/admin/users/{user.pk}"
    return Call(lambda: client.patch(path, {"is_active": False}, format="json"), effect)


@call
def putting_a_user_into_a_group() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    group = UserGroup.objects.create(name=f"group of {user.pk}")

    def effect() -> None:
        assert User.objects.get(pk=user.pk).group_id == group.pk

    path = f"/api/admin/users/{user.pk}"
    return Call(lambda: client.patch(path, {"group": str(group.pk)}, format="json"), effect)


@call
def making_and_deleting_a_group() -> Call:
    admin = make_user(is_admin=True)
    group = UserGroup(name=f"group of {admin.pk}")

    def act() -> None:
        group_save(group=group, acting_user=admin)
        group_delete(group=group, acting_user=admin)

    def effect() -> None:
        assert not UserGroup.objects.filter(name=group.name).exists()

    return Call(service(act), effect, done=[404])


@call
def resetting_a_password() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    path = f"/api/admin/users/{user.pk}/password"

    def effect() -> None:
        LoginCounter.objects.all().delete()
        assert log_in(user, NEW_PASSWORD).status_code == 200

    return Call(lambda: client.post(path, {"password": NEW_PASSWORD}, format="json"), effect)


@call
def logging_a_user_out() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    client_for(user)

    def effect() -> None:
        assert not Session.objects.filter(user=user, revoked_at=None).exists()

    return Call(lambda: client.post(f"/api/admin/users/{user.pk}/logout"), effect)


@call
def putting_a_batch_first() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    batch = make_batch(user, 2)

    def effect() -> None:
        assert set(batch.items.values_list("lane__urgent", flat=True)) == {True}

    return Call(lambda: client.post(f"/api/admin/batches/{batch.pk}/first"), effect)


@call
def entering_the_site() -> Call:
    """Each code is good once; whoever lost the answer asks for another."""
    admin = make_user(is_admin=True)
    client = client_of(admin)

    def make() -> Any:
        answer = client.post("/api/admin/handover")
        if answer.status_code != 201:
            return answer
        return service(lambda: handover.handover_use(code=answer.json()["code"]))()

    return Call(make, lambda: None)
