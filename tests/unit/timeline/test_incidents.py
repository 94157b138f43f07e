"""Attempts, promotions, TILT, Services, names and reads, each as a value of its own."""

from __future__ import annotations

import math

from harness.history import History
from harness.timeline import Promotion, Tilt, anatomy
from tests.unit.history.made import NUMBER, S, address, event, header, opening, switch, write

Rows = list[list[object]]

FAULT = ["fault", "killed(redis-0)", "inject", 1 * S, int(1.01 * S), 500]
OLD = f"master mymaster {address('redis-0').replace(':', ' ')}"
NEW = " ".join(
    ["slave", address("redis-1"), *address("redis-1").split(":"), "@ mymaster", *address("redis-0").split(":")]
)
SWITCHED = [switch(f"sentinel-{number}", 2.95 + number / 100, "redis-0", "redis-1") for number in range(3)]


def made(*rows: list[object], readers: int = 0) -> History:
    """A history with writes around the fault and these records."""
    writes = [write(n, n / 100) for n in range(1, 100)] + [write(500 + n, 3 + n / 100, by="redis-1") for n in range(99)]
    first = header()
    first["workload"]["readers"] = [{"group": "reader", "target": "sentinel", "rate": 100}] * readers
    return History.from_records(first, [*opening(), FAULT, *writes, *rows])


def test_leader_that_went_silent_is_lost_and_the_next_attempt_has_its_delay() -> None:
    """Nothing follows from it, and the witness could not listen to it any more: leader lost, at that moment."""
    found = anatomy(
        made(
            event("sentinel-1", 1.70, "+new-epoch", "4"),
            event("sentinel-1", 1.71, "+try-failover", OLD),
            ["listening", NUMBER["sentinel-1"], int(1.9 * S), "down", "refused"],
            event("sentinel-2", 9.8, "+new-epoch", "5"),
            event("sentinel-2", 9.81, "+try-failover", OLD),
            event("sentinel-2", 10.9, "+promoted-slave", NEW),
            switch("sentinel-0", 11, "redis-0", "redis-1"),
        )
    )

    assert [(each.leader, each.epoch, each.outcome, each.ended) for each in found.tries] == [
        ("sentinel-1", 4, "leader lost", 1.9),
        ("sentinel-2", 5, "promoted", 10.9),
    ]
    assert found.second_attempt_after is not None
    assert math.isclose(found.second_attempt_after, 8.1)
    assert "sentinel-2 tried again 8.100 s after the first attempt" in found.remarks


def test_leader_that_is_heard_again_counts_by_what_it_says() -> None:
    """The connection to it broke, the leader did not."""
    found = anatomy(
        made(
            event("sentinel-1", 1.71, "+try-failover", OLD),
            ["listening", NUMBER["sentinel-1"], int(1.9 * S), "down", "reset"],
            ["listening", NUMBER["sentinel-1"], int(1.95 * S), "up", None],
            event("sentinel-1", 2.9, "+promoted-slave", NEW),
            *SWITCHED,
        )
    )

    assert [each.outcome for each in found.tries] == ["promoted"]


def test_every_ending_of_an_attempt_has_its_words() -> None:
    endings = {
        "-failover-abort-not-elected": "aborted: not elected",
        "-failover-abort-slave-timeout": "aborted: slave timeout",
        "+switch-master": "overtaken by another Sentinel's promotion",
        "+vote-for-leader": "unfinished",
    }
    for said, outcome in endings.items():
        ending = switch("sentinel-1", 2, "redis-0", "redis-1") if said[0:2] == "+s" else event("sentinel-1", 2, said)
        found = anatomy(made(event("sentinel-1", 1.7, "+try-failover", OLD), ending))
        assert [each.outcome for each in found.tries] == [outcome], said


def test_promotions_are_kept_apart() -> None:
    """There, back and there again: three, although the first and the last are between the same seats."""
    back = [switch(f"sentinel-{n}", 4 + n / 10, "redis-1", "redis-0") for n in range(3)]
    again = [switch(f"sentinel-{n}", 5 + n / 10, "redis-0", "redis-1") for n in range(2)]
    found = anatomy(made(event("sentinel-1", 2.9, "+promoted-slave", NEW), *SWITCHED, *back, *again))

    assert found.promoted == (
        Promotion("redis-0", "redis-1", 2.9, 2.95, 2.97, 3),
        Promotion("redis-1", "redis-0", None, 4.0, 4.2, 3),
        Promotion("redis-0", "redis-1", None, 5.0, 5.1, 2),
    )
    assert "redis-1 -> redis-0 at +3.000 s, followed by 3 Sentinels" in found.as_table()


def test_tilt_has_a_duration_if_both_ends_were_heard() -> None:
    found = anatomy(
        made(
            event("sentinel-0", 1.5, "+tilt", "#tilt mode entered"),
            event("sentinel-1", 31.0, "-tilt", "#tilt mode exited"),
            event("sentinel-0", 31.5, "-tilt", "#tilt mode exited"),
        )
    )

    assert found.tilts == (Tilt("sentinel-1", None, 31.0, 1), Tilt("sentinel-0", 1.5, 31.5, 1))
    assert [each.duration for each in found.tilts] == [None, 30.0]
    assert "sentinel-0: TILT, took no action for 30.000 s, from +0.500 s to +30.500 s" in found.remarks


def service(at_s: float, instance: str | None, role: str | None, name: str = "redis") -> list[object]:
    """A sample of where a Service led."""
    number = -1 if instance is None else NUMBER[instance]
    return ["service", name, round(at_s * S), 1000, number, role, None]


def test_service_counts_from_when_it_leads_to_the_new_primary_for_good() -> None:
    """It went there once too early and fell back; another Service never led to a primary."""
    found = anatomy(
        made(
            service(0.5, "redis-0", "primary"),
            service(0.5, "redis-2", "replica", "redis-replicas"),
            service(3.0, "redis-1", "primary"),
            service(3.1, None, None),
            service(3.5, "redis-1", "primary"),
            service(3.6, "redis-1", "primary"),
            service(3.6, "redis-1", "primary", "redis-replicas"),
            *SWITCHED,
        )
    )
    phases = [each for each in found.phases if each.name == "Service leads to the new primary"]

    assert [(each.by, each.at) for each in phases] == [("redis", 3.501)]


def test_name_counts_when_it_leads_elsewhere() -> None:
    """The old primary's seat came back with another address; silence in between is no change."""
    host = address("redis-0").split(":")[0]
    found = anatomy(
        made(
            ["dns", host, int(0.1 * S), 900, ["10.0.0.1"], None],
            ["dns", host, int(1.5 * S), 900, None, "EAI_NONAME"],
            ["dns", host, int(4.5 * S), 900, ["10.0.0.7"], None],
            ["dns", address("redis-2").split(":")[0], int(4.0 * S), 900, ["10.0.0.9"], None],
            *SWITCHED,
        )
    )
    phase = found.phase("name leads to another address")

    assert phase is not None
    assert (phase.by, phase.at) == ("redis-0", 4.5)


def test_first_read_of_the_new_primary_ends_the_gap_of_reads() -> None:
    reads = [["r", 0, n * S // 100, 1000, "o", NUMBER["redis-0"], 0, 1, 1] for n in range(1, 99)]
    after = [["r", 0, 3 * S + n * S // 100, 1000, "o", NUMBER["redis-1"], 0, 1, 1] for n in range(1, 99)]

    found = anatomy(made(*reads, *after, *SWITCHED, readers=1))
    phase = found.phase("first ok read")

    assert phase is not None
    assert (phase.by, phase.at) == ("redis-1", 3.011)
    assert anatomy(made(*SWITCHED)).phase("first ok read") is None


def test_each_phase_knows_the_least_and_most_since_the_fault() -> None:
    """The fault took effect within its bracket, and the clocks differ by up to half a millisecond."""
    found = anatomy(made(event("sentinel-1", 1.6, "+sdown", OLD), *SWITCHED))
    down = found.phase("first +sdown")

    assert down is not None
    assert down.least is not None
    assert down.most is not None
    assert math.isclose(down.least, 0.5895)
    assert math.isclose(down.most, 0.6005)
    assert math.isclose(found.bracket, 0.01)
