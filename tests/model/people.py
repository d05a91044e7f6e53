"""People, and what administrators do to their credits."""

from typing import Any

from hypothesis import strategies as st

from accounts.models import User
from accounts.services import credits as ledger
from tests.model.machine import KEYS, Machine, act
from tests.support.rows import client_for
from zhiying.kernel.errors import ConflictError


def body_of(amount: int, how: str) -> dict[str, Any]:
    return {"new_credits": abs(amount)} if how == "set" else {"delta": amount, "reason": "test"}


class People(Machine):
    """They come with some credits, and are given and deprived of them."""

    @act(1, active=st.sampled_from([True, True, False]))
    def set_active(self, data: st.DataObject, active: bool) -> None:
        """Whoever is deactivated has no business there; what was ordered goes on."""
        person = data.draw(st.sampled_from(self.books.people))
        answer = self.as_admin.patch(f"/api/admin/users/{person.pk}", {"is_active": active}, format="json")
        assert answer.status_code == 200
        if active and not person.active:
            self.clients[person.pk] = client_for(User.objects.get(pk=person.pk))
        person.active = active

    @act(2, amount=st.integers(1, 3), key=KEYS)
    def top_up(self, data: st.DataObject, amount: int, key: str) -> None:
        """As the command does."""
        person = data.draw(st.sampled_from(self.books.people))
        earlier = self.topped_up.get(key)
        same = earlier and earlier[:2] == (person, amount)
        try:
            entry = ledger.top_up(
                user_id=person.pk, amount=amount, reason="paid", key=key, acting_user=self.admin
            )
        except ConflictError:
            assert earlier
            assert not same
            self.note("top-up refused")
            return
        if earlier:
            assert same
            assert entry.repeated
            assert entry.pk == earlier[2]
            self.note("top-up again")
            return
        self.books.move(person, amount)
        if key:
            self.topped_up[key] = (person, amount, entry.pk)
        self.note("top-up")

    @act(3, amount=st.integers(-6, 6), how=st.sampled_from(["set", "adjust"]), key=KEYS)
    def change_credits(self, data: st.DataObject, amount: int, how: str, key: str) -> None:
        """An administrator sets credits, or gives and takes."""
        person = data.draw(st.sampled_from(self.books.people))
        body = body_of(amount or 1, how)
        headers: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        answer = self.as_admin.patch(f"/api/admin/users/{person.pk}/credits", body, format="json", **headers)
        if key in self.changed:
            before, sent, said = self.changed[key]
            if (before, sent) == (person, body):
                assert (answer.status_code, answer.json()) == (200, said)
                self.note("change again")
            else:
                assert answer.status_code == 422
                self.note("change refused 422")
            return
        difference = body["new_credits"] - person.credits if how == "set" else body["delta"]
        self.note(f"change {answer.status_code}")
        if person.credits + difference < 0:
            assert answer.status_code == 402
            return
        assert answer.status_code == 200
        self.books.move(person, difference)
        assert answer.json()["credits"] == person.credits
        if key:
            self.changed[key] = (person, body, answer.json())
