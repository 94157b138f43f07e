"""Words mean the same seats each time, and nobody when there is nobody."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from harness.errors import HarnessError
from harness.faults.targets import Word, last_to_lead, seats_of
from harness.sut import Sut, Topology
from tests.unit.topologies import healthy

SENTINELS = ("redis-sentinel-0", "redis-sentinel-1", "redis-sentinel-2")


@pytest.mark.parametrize(
    ("word", "seats"),
    [
        ("primary", ("redis-0",)),
        ("all_replicas", ("redis-1", "redis-2")),
        ("everything", ("redis-0", "redis-1", "redis-2", *SENTINELS)),
    ],
)
def test_a_word_that_leaves_no_choice(word: Word, seats: tuple[str, ...]) -> None:
    """Whatever the seed, these words mean exactly one set of seats."""
    assert {seats_of(word, healthy(), seed=seed) for seed in range(5)} == {seats}


@pytest.mark.parametrize(("word", "count"), [("one_replica", 1), ("one_sentinel", 1), ("sentinel_majority", 2)])
def test_a_choice_is_drawn_and_can_be_repeated(word: Word, count: int) -> None:
    """The seed decides: the same one gives the same seats, and among many each candidate comes up."""
    drawn = {seed: seats_of(word, healthy(), seed=seed) for seed in range(30)}

    assert drawn == {seed: seats_of(word, healthy(), seed=seed) for seed in range(30)}
    assert {len(seats) for seats in drawn.values()} == {count}
    candidates = {"redis-1", "redis-2"} if word == "one_replica" else set(SENTINELS)
    assert {seat for seats in drawn.values() for seat in seats} == candidates


def test_silent_and_absent_sentinels_count_for_the_majority() -> None:
    """A Sentinel that does not answer is one of those that a majority is made of."""
    whole = healthy()
    cut = dataclasses.replace(whole, sentinels=whole.sentinels[:1], silent={SENTINELS[1]: "x"}, absent=(SENTINELS[2],))

    assert len(seats_of("sentinel_majority", cut, seed=1)) == 2
    assert seats_of("everything", cut, seed=1) == seats_of("everything", whole, seed=1)


def test_the_leader_is_who_tries_now_else_who_led_last() -> None:
    """Nobody knows who will lead: without a try under way and without a last one there is no leader."""
    whole = healthy()
    trying = dataclasses.replace(
        whole.sentinels[2], primary_flags=frozenset({"master", "o_down", "failover_in_progress"})
    )
    now = dataclasses.replace(whole, sentinels=(*whole.sentinels[:2], trying))

    assert seats_of("leader_sentinel", now, seed=1, last_leader=SENTINELS[0]) == (SENTINELS[2],)
    assert seats_of("leader_sentinel", whole, seed=1, last_leader=SENTINELS[0]) == (SENTINELS[0],)
    with pytest.raises(HarnessError, match="nobody to be leader sentinel"):
        seats_of("leader_sentinel", whole, seed=1)


@pytest.mark.parametrize("primaries", [0, 2])
def test_no_one_primary_is_an_error(primaries: int) -> None:
    """With two primaries the word would pick one of them in silence."""
    whole = healthy()
    redis = tuple(
        dataclasses.replace(view, role="primary" if number < primaries else "replica")
        for number, view in enumerate(whole.redis)
    )

    with pytest.raises(HarnessError, match="no one primary"):
        seats_of("primary", dataclasses.replace(whole, redis=redis), seed=1)


def test_nobody_is_an_error() -> None:
    """A word never means no seat at all."""
    nothing = Topology(at=0.0, pods=(), redis=(), sentinels=())

    for word in ("one_replica", "all_replicas", "one_sentinel", "sentinel_majority", "everything"):
        with pytest.raises(HarnessError, match="nobody to be"):
            seats_of(cast("Word", word), nothing, seed=1)


def test_who_led_last_is_read_from_the_logs() -> None:
    """The latest +elected-leader of any Sentinel counts, not the number of them."""
    logs = {
        SENTINELS[
            0
        ]: "1:X 24 Nov 2026 15:45:47.491 # +elected-leader x\n1:X 24 Nov 2026 15:46:47.491 # +elected-leader x",
        SENTINELS[1]: "1:X 24 Nov 2026 15:50:00.000 # +elected-leader x\n",
        SENTINELS[2]: "1:X 24 Nov 2026 15:59:00.000 # +try-failover x\n",
    }

    assert last_to_lead(logged(logs)) == SENTINELS[1]
    assert last_to_lead(logged(dict.fromkeys(SENTINELS, ""))) is None


def logged(logs: dict[str, str]) -> Sut:
    """Return a deployment of which only the logs are there."""

    class Cluster:
        def logs(self, pod: str, _container: str) -> str:
            return logs[pod]

        def gather(self, calls: list[Any]) -> list[Any]:
            return [call() for call in calls]

    class Deployment:
        cluster = Cluster()

        def pod_objects(self) -> dict[str, Any]:
            return {seat: {} for seat in ("redis-0", *logs)}

    return cast("Sut", Deployment())
