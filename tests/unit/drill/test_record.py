from __future__ import annotations

from dataclasses import replace

from harness.checkers import Question, ask
from harness.drill_record import Left, course, record_of
from harness.faults import Felled
from harness.history import History
from harness.report.record import LimitCheck
from harness.timeline import anatomy
from tests.unit.history.made import NUMBER, S, digests, history, in_order, named, read, samples, sweep, switch, write

#: A primary that stood still for two seconds while another one took over; a writer pinned to it loses two writes.
OLD, NEW = "redis-0", "redis-1"
FELLED = Felled("paused", OLD, injected_at=100.0, returned_at=100.1, effect_at=100.2, healed_at=103.0)


def stale_primary() -> History:
    """The history of it: 20 writes of the aware writer, two seconds of nothing, 20 more; five of the pinned one."""
    before = [write(n, 1 + n / 10) for n in range(10)]
    after = [write(10 + n, 4 + n / 10, by=NEW) for n in range(20)]
    pinned = [write(n, 1.05 + n / 10, writer=1) for n in range(3)]
    pinned += [write(3 + n, 5.05 + n / 10, writer=1) for n in range(2)]
    kept = {0: [[0, 29]], 1: [[0, 2]]}
    rows = [
        *in_order(samples(OLD, "primary", 0.5, 6), samples(NEW, "replica", 0.5, 3.5), samples(NEW, "primary", 3.6, 6)),
        *sorted([*before, *after, *pinned], key=lambda row: row[3] + row[4]),
        *[read(9, 1.95, reader=0)],
        switch("sentinel-1", 3.9, OLD, NEW),
        *named(NEW, 3.95),
        ["service", "redis", int(1.0 * S), 1000, NUMBER[OLD], "primary", None],
        ["service", "redis", int(3.0 * S), 1000, -1, None, "timeout"],
        ["service", "redis", int(5.0 * S), 1000, NUMBER[NEW], "primary", None],
        ["dns", "redis-0.example", int(0.1 * S), 900, ["10.0.0.1"], None],
        ["dns", "redis-0.example", int(4.5 * S), 900, ["10.0.0.9"], None],
        ["health", 2 * S, 7000, 10, 100, 250_000],
        ["fault", "paused(redis-0)", "inject", 2 * S, 2 * S + 1000, 100],
        ["fault", "paused(redis-0)", "heal", 5 * S, 5 * S, 100],
        *sweep(OLD, kept, says="replica"),
        *sweep(NEW, kept),
        *sweep("redis-2", kept, says="replica"),
        *digests(redis_0="aa", redis_1="aa", redis_2="aa"),
    ]
    return history(rows, readers=["sentinel"], pinned=1)


def left(found: History, *asserted: Question) -> Left:
    """What a drill of that history left behind, with nothing else than these questions asserted."""
    return Left(
        "the promise",
        outcome="unplanned failover",
        primaries=(OLD, NEW),
        faults=[FELLED],
        asserted=[ask(found, question) for question in asserted],
        limits=[LimitCheck("write gap", 30.0, 2.1)],
        history=found,
        anatomy=anatomy(found),
        for_information=[ask(found, Question(name)) for name in ("lost_writes", "split_brain")],
    )


def test_lanes_show_who_was_what_and_where_the_service_led() -> None:
    record = record_of(left(stale_primary()))

    assert [(span.role, round(span.start, 1)) for span in record.roles[NEW]] == [("replica", 0.5), ("primary", 3.6)]
    assert [span.seat for span in record.services["redis"]] == [OLD, None, NEW]
    assert [span.primary for span in record.views["sentinel-1"]] == [OLD, NEW]
    assert [(change.host, change.addresses) for change in record.dns] == [("redis-0.example", ["10.0.0.9"])]
    assert [(fault.name, fault.target, fault.healed_at) for fault in record.faults] == [("paused", OLD, 5.0)]


def test_writes_that_a_replaced_primary_took_are_not_called_none() -> None:
    """Where some are allowed, the sentence says how many there were; where none were taken, that."""
    taken = replace(ask(stale_primary(), Question("split_brain", {"at_most": 2.0})), valid=True)
    none = replace(taken, overlaps=())
    drill = left(stale_primary())

    said = [record_of(replace(drill, asserted=[verdict], done="leg-1")).proves for verdict in (taken, none)]

    assert said == [
        ["leg-1: replaced primaries took 2 writes beside the rightful one, for no longer than is allowed"],
        ["leg-1: no instance took writes beside the rightful primary"],
    ]


def test_second_fault_of_the_same_name_has_its_own_times() -> None:
    """A soak may pause the same seat twice: the first one's effect and healing are not the second one's."""
    marks = [("inject", 2), ("effect", 3), ("heal", 5), ("inject", 12), ("effect", 13), ("heal", 15)]
    found = history([["fault", "paused(redis-0)", action, at * S, at * S, 100] for action, at in marks])

    assert [(each.injected_at, each.effect_at, each.healed_at) for each in course.brackets(found)] == [
        (2.0, 3.0, 5.0),
        (12.0, 13.0, 15.0),
    ]


def test_ops_are_told_apart_by_who_asks_the_sentinels() -> None:
    record = record_of(left(stale_primary()))

    assert sum(bucket.ok for bucket in record.ops) == 30
    assert {name: sum(bucket.ok for bucket in lane) for name, lane in record.ops_by_group.items()} == {
        "pinned writers": 5,
        "reads from the primary": 1,
    }


def test_losses_and_overlaps_name_whom_and_when() -> None:
    record = record_of(left(stale_primary()))

    assert {(loss.group, loss.count) for loss in record.losses} == {("pinned", 2)}
    assert {loss.seat for loss in record.losses} == {"redis-0", "redis-1", "redis-2"}
    assert [(loss.start, loss.end) for loss in record.losses[:1]] == [(5.05, 5.15)]
    assert record.lost == 0
    assert [(each.stale, each.acknowledged_by_stale) for each in record.overlaps] == [(OLD, 2)]


def test_windows_and_the_witness_health_are_in_seconds() -> None:
    record = record_of(left(stale_primary()))
    gap = record.longest_write_window

    assert gap is not None
    assert (round(gap.start, 1), round(gap.duration_s, 1)) == (1.9, 2.1)
    assert record.witness is not None
    assert (record.witness.largest_lag_s, record.witness.throttled_s) == (0.007, 0.25)


def test_only_what_was_asserted_and_held_is_proved() -> None:
    record = record_of(left(stale_primary(), Question("convergence"), Question("split_brain")))

    assert record.proves == ["paused(redis-0): all instances hold the same in the end, key by key"]
    assert any("fixed address" in sentence for sentence in record.does_not_prove)


def test_a_drill_without_clients_says_that_nothing_is_known_of_them() -> None:
    record = record_of(Left("p", outcome="o", primaries=(OLD, None), faults=[FELLED], asserted=[], limits=[]))

    assert [(phase.name, round(phase.at_s, 1)) for phase in record.phases] == [
        ("fault sent", 0.0),
        ("effect seen", 0.2),
        ("healed", 3.0),
    ]
    assert record.proves == []
    assert record.does_not_prove == [
        "paused(redis-0): nobody wrote meanwhile, so nothing is known of clients' errors and gaps."
    ]
