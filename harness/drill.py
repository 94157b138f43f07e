"""A drill: faults and workload on one clock between two steady states, and what the history says afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from harness import wait
from harness.checkers import LostWrites, Unavailability, Verdict, lost_writes, stats, unavailability
from harness.clock import Bracket
from harness.drill_record import record_of
from harness.errors import HarnessError
from harness.faults import Fault, Faults, Felled
from harness.history import History
from harness.history.records import MICRO
from harness.report.record import DrillRecord, LimitCheck
from harness.report.wording import DATA_SET
from harness.sut import Sut, Topology
from harness.sut.names import PROMISED_FAILOVER_S
from harness.timeline import Anatomy, anatomy
from harness.workload import CATCH_UP_S, DatasetVerdict, Recording, Workload

#: Patience, not a limit: a first attempt that fails is followed by another one after 2 x failover-timeout (60 s).
NEW_PRIMARY_S = 90.0
WRITES_S = 60.0

#: sentinel.c: an unanswered PING is noticed a period late, and an election may take min(10 s, failover-timeout).
PING_PERIOD_S = 1.0
ELECTION_TIMEOUT_S = 10.0

DATASET_KEYS = 2000

#: With appendfsync everysec, Redis holds an AOF write back for up to 2 s while an fsync is under way (aof.c,
#: flushAppendOnlyFile); what it acknowledged meanwhile is in its memory alone.
AOF_LAG_S = 2.0

#: Writes acknowledged before a fault may be injected: enough to know what is usual.
LEAD_WRITES = 500

#: How long clients write before the time that a crash may lose, so that there is something that it must not lose.
SOME_WRITES_S = 1.0

KINDS = {
    "planned": "planned failover",
    "unplanned": "unplanned failover",
    "reboot": "reboot, no failover due",
    "none": "no failover",
}


class Drill:
    """One drill of a test. `before` is the steady topology that it started from, `now` the last steady one seen."""

    def __init__(self, name: str, promise: str, sut: Sut, faults: Faults, workload: Workload, *, seed: int) -> None:
        self.name = name
        self._promise = promise
        self._sut = sut
        self._faults = faults
        self._workload = workload
        self._seed = seed
        self._history: History | None = None
        self._recording: Recording | None = None
        self._limits: list[LimitCheck] = []
        self._verdicts: list[Verdict] = []
        self.before = self.now = sut.steady()

    @property
    def primary(self) -> str:
        """The seat that was primary when the drill began."""
        return self.before.primaries[0]

    # Doing

    @contextmanager
    def writing(self) -> Iterator[Recording]:
        """The state of clients writing through Sentinel, from before the body until after it; it leaves a history."""
        with self._workload.running(self.name) as recording:
            self._recording = recording
            started = time.monotonic()
            wait.eventually(
                lambda: recording.acks_since(started),
                lambda acks: acks >= LEAD_WRITES,
                seconds=WRITES_S,
                what=f"{LEAD_WRITES} acknowledged writes before the fault",
            )
            try:
                yield recording
            finally:
                for felled in self._faults.injected:
                    _mark(recording, felled)
        self._history = recording.history
        self._judge(stats(self._history))

    @contextmanager
    def felled(self, fault: Fault) -> Iterator[Felled]:
        """The state of being disrupted by `fault`, healed when it is left."""
        with self._faults.felled(fault) as felled:
            yield felled

    @contextmanager
    def dataset(self) -> Iterator[Dataset]:
        """The state of a data set of every type being there, confirmed by both replicas; removed at the end."""
        self._workload.write_dataset(keys=DATASET_KEYS, seed=self._seed)
        dataset = Dataset(self._workload, self._seed, self._verdicts)
        yield dataset
        self._workload.remove_dataset(seed=self._seed)

    # Waiting

    def primary_other_than(self, old: str) -> str:
        """Return the seat that the Sentinels' majority names and that says primary itself, once it is not `old`."""
        return wait.eventually(
            self._sut.elected_primary,
            lambda seat: seat != old,
            seconds=NEW_PRIMARY_S,
            what=f"a primary other than {old}",
        )

    def await_writes(self) -> None:
        """Return when writes are being acknowledged."""
        if self._recording is None:
            raise HarnessError("writes are awaited outside of `writing`: the drill has no workload")
        wait.eventually(self._recording.is_writing, seconds=WRITES_S, what="acknowledged writes")

    def await_writes_that_the_aof_must_have(self) -> None:
        """Return when clients have written for longer than the AOF may lag behind what is acknowledged."""
        wait.pause_until(time.monotonic() + AOF_LAG_S + SOME_WRITES_S)

    def await_steady(self) -> Topology:
        """Return the topology once it is steady again. Raises SteadyStateError."""
        self.now = self._sut.steady()
        return self.now

    def keeps_its_primary_for_as_long_as_detection_could_take(self, primary: str) -> None:
        """Return when nobody else was elected for longer than detection and an election could have taken.

        The window runs from now on, which is after the fault was felt, so it is longer than it needs to be.
        """
        down_after = max(view.down_after_s for view in self.before.sentinels)
        wait.consistently(
            self._sut.elected_primary,
            lambda seat: seat == primary,
            seconds=down_after + PING_PERIOD_S + ELECTION_TIMEOUT_S,
            what=f"{primary} as the elected primary",
        )

    # Judging

    @property
    def history(self) -> History:
        """What the clients, the samplers and the Sentinels recorded. Raises HarnessError before `writing` has ended."""
        if self._history is None:
            raise HarnessError("there is no history yet: read it after `writing`")
        return self._history

    @cached_property
    def anatomy(self) -> Anatomy:
        """The failover taken apart on the witness's clock."""
        return anatomy(self.history)

    @property
    def kind(self) -> str:
        """What happened: planned, unplanned, reboot (a Sentinel saw a new process, nobody was promoted) or none."""
        found = self.anatomy
        return "reboot" if found.kind == "none" and found.rebooted else found.kind

    def write_gap_is_within_the_promise(self) -> bool:
        """Whether clients were without an acknowledged write for no longer than the 30 s of the report, at a time."""
        gap: Unavailability = unavailability(self.history, since=self.history.fault(), at_most=PROMISED_FAILOVER_S)
        measured = gap.duration if gap.window else None
        self._limits.append(LimitCheck("write gap", PROMISED_FAILOVER_S, measured))
        return self._judge(gap)

    def no_acknowledged_write_is_lost(self) -> bool:
        """Whether every acknowledged write is on the primary and on each replica at the end, by identity."""
        verdict: LostWrites = lost_writes(self.history)
        return self._judge(verdict)

    def only_writes_that_the_aof_may_lack_are_lost(self) -> bool:
        """Whether no more is lost than was acknowledged in the AOF_LAG_S before the fault: what everysec allows."""
        fault = self.history.fault()
        if fault is None:
            raise HarnessError("no fault was injected while clients wrote")
        begin, end = fault.sent - int(AOF_LAG_S * MICRO), fault.returned
        writes = self.history.writes
        unsynced = sum(begin <= writes.completed[index] <= end for index in writes.oks())
        return self._judge(lost_writes(self.history, at_most=unsynced))

    def _judge(self, verdict: Verdict) -> bool:
        self._verdicts.append(verdict)
        return verdict.valid is True

    def explain(self) -> str:
        """Return everything that is known, for the message of a failed assertion."""
        parts = [verdict.explain() for verdict in self._verdicts]
        if self._history is not None:
            parts.insert(0, self.anatomy.as_table())
        return "\n".join([f"{self.kind_in_words}; now: {self.now}", *parts])

    @property
    def kind_in_words(self) -> str:
        """The outcome as the report names it; where no client wrote, what was done."""
        if self._history is None:
            return ", ".join(str(felled) for felled in self._faults.injected)
        return KINDS.get(self.kind, self.kind)

    def record(self) -> DrillRecord:
        """Return what the report shows of this drill: what was asserted, and the losses even where none is promised."""
        for_information = []
        if self._history is not None and not any(each.checker == "lost_writes" for each in self._verdicts):
            for_information.append(lost_writes(self._history))
        return record_of(
            self._promise,
            outcome=self.kind_in_words,
            history=self._history,
            anatomy=self.anatomy if self._history is not None else None,
            faults=self._faults.injected,
            verdicts=self._verdicts,
            for_information=for_information,
            limits=self._limits,
            primaries=(self.primary, self.now.primaries[0] if self.now.primaries else None),
        )


class Dataset:
    """A data set written before a drill, to be compared key by key on every instance after it."""

    def __init__(self, workload: Workload, seed: int, verdicts: list[Verdict]) -> None:
        self._workload = workload
        self._seed = seed
        self._verdicts = verdicts
        self._seen: DatasetVerdict | None = None

    def is_whole(self) -> bool:
        """Whether every key is on every instance with its value and time to live, and no other key of the set.

        Raises WaitTimeout when an instance cannot be read for CATCH_UP_S: what it holds is then not known.
        """
        self._seen = wait.eventually(
            lambda: self._workload.verify_dataset(keys=DATASET_KEYS, seed=self._seed),
            lambda seen: seen.is_readable,
            seconds=CATCH_UP_S,
            what="the data set of every instance",
        )
        summary = self._seen.explain()
        self._verdicts.append(Verdict(checker=DATA_SET, valid=self._seen.is_whole, summary=summary))
        return self._seen.is_whole

    def explain(self) -> str:
        """Return what is missing where."""
        return self._seen.explain() if self._seen else "the data set was not compared yet"


def _mark(recording: Recording, felled: Felled) -> None:
    """Put a fault's brackets on the history's clock."""
    name, sent = str(felled), felled.injected_at
    recording.mark(name, Bracket(sent, max(sent, felled.returned_at or sent)))
    if felled.effect_at is not None:
        recording.mark(name, Bracket(felled.effect_at, felled.effect_at), action="effect")
    if felled.healed_at is not None:
        recording.mark(name, Bracket(felled.healed_at, felled.healed_at), action="heal")
