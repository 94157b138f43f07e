"""What a reader may conclude from one drill, and what not: sentences that follow from what was asserted and seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.checkers import Convergence, CrashLosses, LostWrites, SplitBrain, TakenAlone, Unavailability, Verdict
from harness.faults import Felled
from harness.report.wording import DATA_SET
from harness.timeline import UNPLANNED

if TYPE_CHECKING:
    from harness.drill_record import Left

#: The faults that a sentence names; the control that withholds every one has sixty.
NAMED = 3


def proves(left: Left) -> list[str]:
    """Return what was asserted and held, one sentence each, beginning with what was done."""
    done = left.done or _done(left.faults)
    return [f"{done}: {said}" for verdict in left.asserted if verdict.valid is True for said in _proved(verdict)]


def does_not_prove(left: Left) -> list[str]:
    """Return what the drill leaves open though it may look proven."""
    return list(_open(left))


def _done(faults: Sequence[Felled]) -> str:
    done = list(dict.fromkeys(map(str, faults)))
    if len(done) > NAMED:
        done = [*done[:NAMED], f"{len(done) - NAMED} more"]
    return " and ".join(done) or "undisturbed"


def _proved(verdict: Verdict) -> Iterator[str]:
    if isinstance(verdict, Unavailability) and verdict.window:
        again = f"could {_kind(verdict)} again after {verdict.duration:.2f} s at the longest"
        yield f"clients that ask the Sentinels {again}"
    elif isinstance(verdict, LostWrites):
        worst = max(verdict.lost.values(), default=0)
        lost = "none is lost" if not worst else f"{worst} are lost, no more than is allowed"
        yield f"of {verdict.acknowledged:,} acknowledged writes {lost}, by identity, on every instance"
    elif isinstance(verdict, CrashLosses):
        limit = max((crash.limit for crash in verdict.crashes), default=0.0)
        if verdict.lost:
            yield f"every lost write ({verdict.lost}) was acknowledged no longer than {limit:.2f} s before"
        else:
            yield f"no acknowledged write is lost; those of the last {limit:.2f} s before might have been"
    elif isinstance(verdict, TakenAlone):
        yield f"{verdict.seat} acknowledged {verdict.taken:,} writes alone, and exactly what it took is lost"
    elif isinstance(verdict, SplitBrain):
        stale = verdict.acknowledged_by_stale
        if stale:
            yield f"replaced primaries took {stale:,} writes beside the rightful one, for no longer than is allowed"
        else:
            yield "no instance took writes beside the rightful primary"
    elif isinstance(verdict, Convergence):
        yield "all instances hold the same in the end, key by key"
    elif verdict.checker == DATA_SET:
        yield "every key written before is there with its value and time to live, on every instance"


def _kind(verdict: Unavailability) -> str:
    return "read" if " read" in verdict.summary else "write"


def _open(left: Left) -> Iterator[str]:
    if left.history is None or left.anatomy is None:
        done = left.done or _done(left.faults)
        yield f"{done}: nobody wrote meanwhile, so nothing is known of clients' errors and gaps."
        return
    if left.anatomy.kind == UNPLANNED:
        yield (
            "That a crash of the primary never loses an acknowledged write: replication is asynchronous, and what one"
            " run lost or did not lose is no promise."
        )
    if any(each.target != "sentinel" for each in left.history.writers):
        yield (
            "That clients with a fixed address or an open connection to a former primary fare as well as those that ask"
            " the Sentinels: what they met is shown, not asserted."
        )
    yield "How much the times vary: each drill was run once; make e2e again, or look at several nights."
