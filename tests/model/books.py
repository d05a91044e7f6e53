"""What ought to be true of credits and items, in plain Python: no database, none of the application's code.

Each method says what a call has to answer and changes the model accordingly, so the two can be compared after
every call.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

MOST_TRIES = 2
STATUSES = ("pending", "processing", "completed", "failed", "cancelled")
OPEN = ("pending", "processing")
SETTLED = ("failed", "cancelled")


@dataclass(eq=False)
class Person:
    """Somebody with credits."""

    name: str
    pk: UUID
    credits: int = 0
    active: bool = True

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False)
class Video:
    """One item of a batch."""

    name: str
    pk: UUID
    order: "Order"
    price: int
    status: str = "pending"
    run: int = 1
    tries: int = 0
    attempt: int = 0
    urgent: bool = False
    resting: bool = False
    """Waits until its next try may begin."""
    silent: bool = False
    """Its lease has run out."""

    def __repr__(self) -> str:
        return self.name

    def facts(self) -> tuple[object, ...]:
        """What a row says of it."""
        return (self.status, self.run, self.tries, self.attempt, self.price, self.urgent)


@dataclass(eq=False)
class Order:
    """A batch."""

    name: str
    pk: UUID
    owner: Person
    cost: int = 0
    """Net of refunds; what was deleted with its video was paid all the same."""
    videos: list[Video] = field(default_factory=list)

    def __repr__(self) -> str:
        return self.name

    def facts(self) -> tuple[object, ...]:
        """What a row says of it."""
        counts = Counter(video.status for video in self.videos)
        return (self.cost, len(self.videos), *(counts[status] for status in STATUSES))


@dataclass(frozen=True)
class Ticket:
    """What a worker was given by a claim, however long ago."""

    video: Video
    attempt: int
    tries: int
    claim: Any
    """The application's own."""

    def __repr__(self) -> str:
        return f"attempt {self.attempt} at {self.video}"


class Books:
    """All there is: people, orders, tickets, and a ledger of what has moved."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.orders: list[Order] = []
        self.tickets: list[Ticket] = []
        self.ledger: dict[str, tuple[Person, int]] = {}
        """By what the movement is about; those that are about no run are numbered."""
        self.price = 1

    # --- Credits -----------------------------------------------------------------------------------

    def move(self, person: Person, amount: int, about: str = "") -> None:
        about = about or f"{len(self.ledger)}"
        assert about not in self.ledger, f"{about} would happen twice"
        person.credits += amount
        assert person.credits >= 0, f"{person} would owe credits"
        self.ledger[about] = (person, amount)

    def charge(self, videos: Iterable[Video]) -> None:
        for video in videos:
            self.move(video.order.owner, -video.price, f"charge:{video.pk}:{video.run}")
            video.order.cost += video.price

    def _refund(self, video: Video) -> None:
        self.move(video.order.owner, video.price, f"refund:{video.pk}:{video.run}")
        video.order.cost -= video.price

    # --- What owners do ----------------------------------------------------------------------------

    @property
    def videos(self) -> list[Video]:
        return [video for order in self.orders for video in order.videos]

    def ordered(self, owner: Person, pk: UUID, videos: Iterable[UUID]) -> Order:
        number = 1 + sum(about.startswith("charge:") for about in self.ledger)
        order = Order(f"batch {number}", pk, owner)
        for place, video in enumerate(videos):
            order.videos.append(Video(f"video {number}.{place}", video, order, self.price))
        self.charge(order.videos)
        self.orders.append(order)
        return order

    def cancel(self, videos: Iterable[Video]) -> int:
        """How many of them waited or ran."""
        chosen = [video for video in videos if video.status in OPEN]
        for video in chosen:
            self._end(video, "cancelled")
            self._refund(video)
        return len(chosen)

    def retryable(self, videos: Iterable[Video]) -> list[Video]:
        return [video for video in videos if video.status in SETTLED]

    def retry(self, videos: Iterable[Video]) -> None:
        chosen = self.retryable(videos)
        for video in chosen:
            video.status, video.run, video.tries = "pending", video.run + 1, 0
            video.price, video.urgent = self.price, False
        self.charge(chosen)

    def delete(self, video: Video) -> bool:
        """Whether it may go."""
        if video.status in OPEN or len(video.order.videos) == 1:
            return False
        video.order.videos.remove(video)
        return True

    def delete_order(self, order: Order) -> None:
        self.cancel(order.videos)
        self.orders.remove(order)

    def put_first(self, order: Order) -> int:
        moved = [video for video in order.videos if video.status == "pending" and not video.urgent]
        for video in moved:
            video.urgent = True
        return len(moved)

    # --- What workers do ---------------------------------------------------------------------------

    def next_ones(self) -> list[Video]:
        """Those that may be claimed next: what was put first, then of whoever has the fewest running."""
        ready = [video for video in self.videos if video.status == "pending" and not video.resting]
        running = self.in_lanes("processing")

        def turn(video: Video) -> tuple[bool, int]:
            return (not video.urgent, running[video.order.owner.pk, video.urgent])

        first = min(map(turn, ready), default=None)
        return [video for video in ready if turn(video) == first]

    def in_lanes(self, status: str) -> Counter[tuple[UUID, bool]]:
        """How many are in a status, by owner and urgency."""
        return Counter(
            (video.order.owner.pk, video.urgent) for video in self.videos if video.status == status
        )

    def claimed(self, video: Video, claim: Any) -> None:
        video.status, video.silent = "processing", False
        video.attempt += 1
        video.tries += 1
        self.tickets.append(Ticket(video, video.attempt, video.tries, claim))

    def is_good(self, ticket: Ticket) -> bool:
        """Whether the ticket is the last one of an item that runs."""
        video = ticket.video
        return self._exists(video) and video.status == "processing" and video.attempt == ticket.attempt

    def complete(self, ticket: Ticket) -> bool:
        if not self.is_good(ticket):
            return False
        self._end(ticket.video, "completed")
        return True

    def fail(self, ticket: Ticket, *, may_help: bool, pauses: bool = True) -> bool:
        if not self.is_good(ticket):
            return False
        video = ticket.video
        if may_help and video.tries < MOST_TRIES:
            video.status, video.resting = "pending", pauses
        else:
            self._end(video, "failed")
            self._refund(video)
        return True

    def release(self, ticket: Ticket) -> bool:
        if not self.is_good(ticket):
            return False
        ticket.video.status = "pending"
        ticket.video.tries -= 1
        return True

    def sweep(self, *, all_of_them: bool = False) -> int:
        """How many items were taken back."""
        lost = [
            ticket for ticket in self.tickets if self.is_good(ticket) and (ticket.video.silent or all_of_them)
        ]
        for ticket in lost:
            # once it may be the worker's fault, so nobody waits
            self.fail(ticket, may_help=True, pauses=ticket.tries > 1)
        return len(lost)

    def _exists(self, video: Video) -> bool:
        return video.order in self.orders and video in video.order.videos

    def _end(self, video: Video, status: str) -> None:
        video.status, video.resting = status, False
