"""What workers and the sweep do."""

from django.utils import timezone
from hypothesis import strategies as st

from tests.model.books import Ticket
from tests.model.machine import RECORDING_S, act
from tests.model.orders import Orders
from videos.models import VideoItem
from videos.scheduling.claims import claim_next
from videos.services import attempts, heartbeats
from videos.services.attempts import StoredResult, Verdict
from videos.store import keys


class Workers(Orders):
    """Present and late ones."""

    @act(6, times=st.integers(1, 3))
    def claim(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            allowed = {video.pk: video for video in self.books.next_ones()}
            claimed = claim_next("worker")
            if claimed is None:
                assert not allowed
                self.note("nothing to claim")
                return
            video = allowed[claimed.item_id]
            self.books.claimed(video, claimed)
            assert (claimed.attempt, claimed.tries, claimed.run) == (video.attempt, video.tries, video.run)
            self.note("claim")

    def _any_ticket(self, data: st.DataObject) -> Ticket:
        """More often one that is good than one of a worker that comes late."""
        good = [ticket for ticket in self.books.tickets if self.books.is_good(ticket)]
        return data.draw(st.sampled_from(good * 3 + self.books.tickets[-4:]))

    @act(
        9,
        when=lambda self: self.books.tickets,
        verdict=st.sampled_from(["complete", "fail", "trouble", "trouble", "release"]),
    )
    def decide(self, data: st.DataObject, verdict: str) -> None:
        """A worker's verdict; trouble is what another try may help against."""
        ticket = self._any_ticket(data)
        claim = ticket.claim
        if verdict == "complete":
            video, _poster = keys.result_keys(claim.batch_id, claim.item_id, claim.attempt)
            done = attempts.complete(claim, StoredResult(video, "", RECORDING_S))
            assert done == self.books.complete(ticket)
        elif verdict == "release":
            done = attempts.release(claim)
            assert done == self.books.release(ticket)
        else:
            may_help = verdict == "trouble"
            done = attempts.fail(
                claim, Verdict("engine_error" if may_help else "no_face", retryable=may_help)
            )
            assert done == self.books.fail(ticket, may_help=may_help)
            if done and ticket.video.status == "pending":
                verdict = "another try"
        self.note(f"{verdict} {done}")

    @act(2, when=lambda self: self.books.tickets, percent=st.integers(0, 120))
    def show_progress(self, data: st.DataObject, percent: int) -> None:
        """A worker says how far it is, and keeps its lease by it; a late one says it to nobody."""
        ticket = self._any_ticket(data)
        before = VideoItem.objects.filter(pk=ticket.video.pk).values_list("progress", "lease_until").first()
        heartbeats.renew([ticket.claim])
        heartbeats.show_progress(ticket.claim, percent)
        after = VideoItem.objects.filter(pk=ticket.video.pk).values_list("progress", "lease_until").first()
        if not self.books.is_good(ticket):
            assert before == after
            return
        assert after
        assert after[0] == min(99, percent)
        ticket.video.silent = False

    @act(4, when=lambda self: any(video.status == "processing" for video in self.books.videos))
    def fall_silent(self, data: st.DataObject) -> None:
        """A worker is heard of no more, and the lease runs out."""
        video = data.draw(st.sampled_from([one for one in self.books.videos if one.status == "processing"]))
        VideoItem.objects.filter(pk=video.pk).update(lease_until=timezone.now())
        video.silent = True

    @act(
        3,
        when=lambda self: any(video.status == "processing" for video in self.books.videos),
        restart=st.sampled_from([False, False, False, True]),
    )
    def sweep(self, data: st.DataObject, restart: bool) -> None:
        """Or the embedded server starts, beside which nobody else can be rendering."""
        before = self._failed()
        taken = attempts.reclaim_all() if restart else attempts.expire_leases()
        assert taken == self.books.sweep(all_of_them=restart)
        self.note("restart" if restart else f"taken back {taken}")
        if self._failed() > before:
            self.note("refunded by the sweep")

    def _failed(self) -> int:
        return sum(video.status == "failed" for video in self.books.videos)

    @act(2, when=lambda self: any(video.resting for video in self.books.videos))
    def time_passes(self, data: st.DataObject) -> None:
        """Until everything that waits for its next try may be tried."""
        for video in self.books.videos:
            if video.resting:
                # one after the other, so that who is next does not depend on ids, which are drawn at random
                VideoItem.objects.filter(pk=video.pk).update(not_before=timezone.now())
                video.resting = False
