"""Faults of Sentinels and by command: what counts as felt, as healed, and as no fault at all."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import FaultHadNoEffect, InjectionFailed
from harness.faults import Bench, SentinelIdChanged, SentinelReset, SentinelsDown, SentinelsPaused, SlowScript
from harness.faults.commands import is_settled, told
from harness.faults.sentinels import know_each_other
from harness.sut import Sut, Topology
from harness.sut.replies import ErrorReply
from harness.sut.topology import SentinelView
from tests.unit.topologies import healthy, member, with_redis, with_sentinel

ONE, TWO, THREE = "redis-sentinel-0", "redis-sentinel-1", "redis-sentinel-2"


def bench_of(deployment: object) -> Bench:
    return Bench(cast("Sut", deployment), cast("Any", None))


def test_sentinels_fault_refuses_a_redis_seat() -> None:
    """A wrong seat is told before anything is done."""
    with pytest.raises(InjectionFailed, match="redis-0: no Sentinel sits there"):
        SentinelsDown(["redis-0", ONE])
    with pytest.raises(InjectionFailed, match=f"{ONE} is a Sentinel"):
        SlowScript(ONE, seconds=1)


def test_sentinels_are_down_when_those_left_say_so() -> None:
    """Gone is not enough: the one that is left must call both down and must have lost its quorum."""
    fault = SentinelsDown([TWO, THREE])
    whole = healthy()
    alone = dataclasses.replace(whole, sentinels=whole.sentinels[:1], absent=(TWO, THREE))
    down = [member(seat, flags=frozenset({"sentinel", "s_down"})) for seat in (TWO, THREE)]

    assert len(fault._is_noticed(alone).reasons) == 3
    assert fault._is_noticed(with_sentinel(alone, ONE, sentinels=tuple(down))).reasons == (
        f"{ONE} says that it has a quorum: {whole.sentinels[0].quorum_check}",
    )
    assert fault._is_noticed(with_sentinel(alone, ONE, sentinels=tuple(down), quorum_check="NOQUORUM 1 usable"))


def test_sentinels_know_each_other_without_ghosts() -> None:
    """Too few, too many and unusable ones are all told."""
    assert know_each_other(healthy())
    ghost = with_sentinel(healthy(), ONE, sentinels=(member(TWO), member(TWO), member(THREE)))
    assert know_each_other(ghost).reasons == (f"{ONE} knows 3 others, not 2: {TWO}, {TWO}, {THREE}",)
    unusable = member(THREE, flags=frozenset({"sentinel", "s_down"}))
    assert know_each_other(with_sentinel(healthy(), ONE, sentinels=(member(TWO), unusable))).reasons == (
        f"{ONE} does not know {THREE}",
    )


def test_new_id_is_felt_when_every_other_one_has_it() -> None:
    """One Sentinel that still goes by the old id is named."""
    fault = SentinelIdChanged(THREE)
    anew = (member(TWO), member(THREE, run_id=fault._new_id))

    assert fault._is_known_anew(with_sentinel(healthy(), ONE, sentinels=anew)).reasons == (
        f"{TWO} does not know {fault._new_id}",
    )


class Pause:
    """A pause that notes when it begins and ends."""

    by_hand = "kill -CONT"

    def __init__(self, seat: str, course: list[str]) -> None:
        self.target = seat
        self._course = course

    def prepare(self, bench: Bench) -> None:
        self._course.append(f"prepare {self.target}")

    def inject(self, bench: Bench) -> None:
        self._course.append(f"stop {self.target}")

    def await_effect(self, bench: Bench) -> None:
        raise AssertionError("the effect is TILT, not the pause")

    def heal(self, bench: Bench) -> None:
        self._course.append(f"continue {self.target}")

    def await_healed(self, bench: Bench) -> None:
        raise AssertionError("healed is the end of TILT")


def test_paused_sentinels_are_let_go_within_the_injection() -> None:
    """All stop, then all go on; healing lets them go on again, which is harmless."""

    class Cluster:
        def gather(self, calls: list[Any]) -> list[Any]:
            return [call() for call in calls]

    class Deployment:
        cluster = Cluster()

    course: list[str] = []
    fault = SentinelsPaused([ONE, TWO], pause=lambda seat: Pause(seat, course), seconds=0.05)
    bench = bench_of(Deployment())
    fault.prepare(bench)
    fault.inject(bench)

    begin = [f"prepare {ONE}", f"prepare {TWO}", f"stop {ONE}", f"stop {TWO}"]
    assert course == [*begin, f"continue {ONE}", f"continue {TWO}"]


@pytest.mark.parametrize("left", [("2", "0"), ("0", "2")])
def test_reset_that_forgot_only_half_had_no_effect(left: tuple[str, str]) -> None:
    """The count of what is still known, asked in the same breath, is the proof."""

    class Deployment:
        def ask(self, _seat: str, *_commands: str) -> list[Any]:
            return ["1", ["num-slaves", left[0], "num-other-sentinels", left[1]]]

    fault, bench = SentinelReset(ONE), bench_of(Deployment())
    fault.inject(bench)

    with pytest.raises(FaultHadNoEffect, match="still knew"):
        fault.await_effect(bench)


def test_command_that_is_refused_is_no_fault() -> None:
    """An error reply is told with the command and its words."""

    class Deployment:
        def ask(self, _seat: str, *_commands: str) -> list[Any]:
            return [ErrorReply("NOGOODSLAVE No suitable replica to promote")]

    with pytest.raises(InjectionFailed, match=f"{ONE} was told 'SENTINEL X' and answered 'NOGOODSLAVE"):
        told(bench_of(Deployment()), ONE, "SENTINEL X")


def test_change_of_primary_is_over_when_nobody_is_at_it() -> None:
    """Two primaries, a Sentinel at work, a follower of another one or with its link down: each keeps it open."""
    at_it = frozenset({"master", "failover_in_progress"})

    assert is_settled(healthy())
    assert is_settled(with_redis(healthy(), "redis-1", role="primary")).reasons == ("primaries: redis-0, redis-1",)
    assert is_settled(with_sentinel(healthy(), ONE, primary_flags=at_it)).reasons == (f"{ONE} is still at it",)
    assert is_settled(with_redis(healthy(), "redis-1", link_up=False)).reasons == ("redis-1 has its link down",)
    assert is_settled(with_redis(healthy(), "redis-1", follows="redis-2")).reasons == ("redis-1 follows redis-2",)


class Renamed:
    """A deployment whose first Sentinel goes by `own`, while the others count `counted` until they are reset."""

    def __init__(self, own: str, counted: str) -> None:
        self.own = own
        self.told: list[str] = []
        self._counted = counted
        self.marks: list[str | None] = []

    @property
    def cluster(self) -> Any:
        def patch(_kind: str, _name: str, body: dict[str, Any]) -> None:
            self.marks += body["metadata"]["annotations"].values()

        return SimpleNamespace(patch=patch, wait_for=lambda *_, **__: [])

    def pod_objects(self) -> dict[str, Any]:
        return {seat: {} for seat in (ONE, TWO, THREE)}

    def ask(self, seat: str, command: str) -> list[Any]:
        if command == "SENTINEL MYID":
            return [self.own]
        self.told.append(f"{seat}: {command}")
        return ["1"]

    def sentinel_view(self, seat: str) -> SentinelView:
        return next(view for view in self.topology().sentinels if view.seat == seat)

    def topology(self) -> Topology:
        seen = healthy()
        for seat in (TWO, THREE):
            other = THREE if seat == TWO else TWO
            known = self.own if f"{seat}: SENTINEL RESET mymaster" in self.told else self._counted
            seen = with_sentinel(seen, seat, sentinels=(member(ONE, run_id=known), member(other)))
        return seen


def test_sentinels_that_count_an_old_id_are_told_to_forget_one_after_the_other() -> None:
    """Each that does, and the mark for the next run goes."""
    fault = SentinelIdChanged(ONE, leaves_ghost=True)
    fault.id_before = "old"
    deployment = Renamed("new", counted="old")

    fault.heal(bench_of(deployment))

    assert deployment.told == [f"{seat}: SENTINEL RESET mymaster" for seat in (TWO, THREE)]
    assert deployment.marks == [None]


def test_sentinel_that_kept_its_id_is_not_forgotten() -> None:
    """Its id is not an old one: the injection failed, or was withheld, before it changed anything."""
    fault = SentinelIdChanged(ONE)
    fault.id_before = "old"
    deployment = Renamed("old", counted="old")

    fault.heal(bench_of(deployment))

    assert deployment.told == []


def test_former_self_must_be_counted_still() -> None:
    """Where one is to be left: by each other Sentinel, beside the new one."""
    fault = SentinelIdChanged(ONE, leaves_ghost=True)
    fault.id_before, fault._new_id = "old", "new"
    old, new = member(ONE, host="10.42.0.9", run_id="old"), member(ONE, run_id="new")

    anew = with_sentinel(with_sentinel(healthy(), TWO, sentinels=(new,)), THREE, sentinels=(old, new))

    assert fault._is_known_anew(anew).reasons == (f"{TWO} does not know old",)
    fault.leaves_ghost = False
    assert fault._is_known_anew(anew)
