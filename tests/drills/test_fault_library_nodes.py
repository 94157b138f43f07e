"""Each fault of pods, nodes, Sentinels and commands once, alone: it bites, it heals, and the deployment is steady."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness import faults as library
from harness.faults import Bench, Fault, Faults, needs, seats_of
from harness.providers import DisconnectsNodes, PausesNodes, StopsNodes
from harness.report.evidence import Evidence
from harness.report.plugin import ReportPlugin
from harness.sut import Topology
from harness.sut.names import REDIS_SET, SENTINEL_SET

pytestmark = pytest.mark.drill


def one(word: library.targets.Word, topology: Topology) -> str:
    """Return one seat that the word means."""
    return seats_of(word, topology, seed=1)[0]


PODS: dict[str, Callable[[Topology], Fault]] = {
    "pod deleted": lambda now: library.PodsDeleted([one("one_replica", now)]),
    "pod deleted by force": lambda now: library.PodsDeleted([one("one_replica", now)], grace_s=0),
    "seat empty": lambda now: library.SeatEmpty(one("one_replica", now)),
    "seats empty": lambda now: library.SeatsEmpty(seats_of("all_replicas", now, seed=1)),
    "everything empty abruptly": lambda now: library.SeatsEmpty(seats_of("everything", now, seed=1), abruptly=True),
    "evicted within the budget": lambda now: library.Evicted(one("one_replica", now)),
    "evicted beyond the budget": lambda now: library.Evicted(*seats_of("all_replicas", now, seed=1)),
    "rolled out": lambda _: library.RolledOut(REDIS_SET),
    "Sentinels rolled out": lambda _: library.RolledOut(SENTINEL_SET),
    "claim and pod lost": lambda now: library.ClaimAndPodLost(one("one_replica", now)),
    "Sentinel's claim and pod lost": lambda now: library.ClaimAndPodLost(one("one_sentinel", now)),
}

NODES: dict[str, tuple[type[object], Callable[[Topology], Fault]]] = {
    "primary's node paused": (PausesNodes, lambda now: library.NodePaused(one("primary", now))),
    "Sentinel's node paused": (PausesNodes, lambda now: library.NodePaused(one("one_sentinel", now))),
    "primary's node stopped": (StopsNodes, lambda now: library.NodeStopped(one("primary", now))),
    "primary's node off the network": (DisconnectsNodes, lambda now: library.NodeDisconnected(one("primary", now))),
    "replica's node drained": (object, lambda now: library.Drained(one("one_replica", now))),
}

# A Sentinel each for those that end a container: from a second end on the kubelet backs off, longer each time.
SENTINELS: dict[str, Callable[[Topology], Fault]] = {
    "one down": lambda now: library.SentinelsDown(seats_of("one_sentinel", now, seed=1)),
    "majority down": lambda now: library.SentinelsDown(seats_of("sentinel_majority", now, seed=1)),
    "crash after election": lambda now: library.CrashAfterElection(now.sentinels[0].seat),
    "crash after promotion": lambda now: library.CrashAfterPromotion(now.sentinels[1].seat),
    "leader killed": lambda now: library.LeaderKilled(now.sentinels[2].seat),
    "state lost": lambda now: library.SentinelStateLost(one("one_sentinel", now)),
    "id changed": lambda now: library.SentinelIdChanged(one("one_sentinel", now)),
    "reset": lambda now: library.SentinelReset(one("one_sentinel", now)),
}

COMMANDS: dict[str, Callable[[Topology], Fault]] = {
    "planned change": lambda _: library.PlannedFailover(),
    "planned change behind a pause": lambda _: library.PlannedBehindPause(),
    "slow script shorter than down-after": lambda now: library.SlowScript(one("primary", now), seconds=3),
    "slow script longer than down-after": lambda now: library.SlowScript(one("one_replica", now), seconds=20),
    "clients paused": lambda now: library.ClientsPaused(one("one_replica", now), seconds=3),
    "hand-over behind the Sentinels' back": lambda _: library.RedisFailover(),
}


@pytest.mark.parametrize("case", PODS)
def test_fault_of_pods_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """Pods are taken from their seats, and the seats are as before when that is healed."""
    run(PODS[case], bench, report, evidence)


@pytest.mark.parametrize("case", NODES)
def test_fault_of_a_node_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """A node is taken and given back: its silence is heard from another node, and all is steady again afterwards."""
    capability, fault = NODES[case]
    refusal = needs(bench.provider, capability)
    if refusal:
        pytest.skip(refusal)
    run(fault, bench, report, evidence)


@pytest.mark.parametrize("case", SENTINELS)
def test_fault_of_sentinels_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """Sentinels are taken, crash or forget, and all of them know each other again when that is healed."""
    run(SENTINELS[case], bench, report, evidence)


@pytest.mark.parametrize("case", COMMANDS)
def test_fault_by_command_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """A command disturbs a healthy deployment, and it is steady again afterwards."""
    run(COMMANDS[case], bench, report, evidence)


def run(make: Callable[[Topology], Fault], bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """Inject and heal one fault between two steady states, and say in the report what it took."""
    faults = Faults(bench, report.run.faults)
    fault = make(bench.sut.steady())
    with faults.felled(fault) as felled:
        pass
    bench.sut.steady()

    assert felled.effect_at is not None, "it was not seen to bite"
    assert felled.healed_at is not None, "it was not seen healed"
    felt, healed = felled.effect_at - felled.injected_at, felled.healed_at - felled.effect_at
    evidence(f"{felled}: felt after {felt:.1f} s, healed {healed:.1f} s later{facts_of(fault)}")


def facts_of(fault: Fault) -> str:
    """Return what a fault noted of its course."""
    names = ("refused", "refusals", "steps", "lasted_s", "hit", "was_elected", "id_before", "id_after")
    noted = {name: value for name in names if (value := getattr(fault, name, None)) not in (None, "", (), {})}
    return "".join(f"; {name}: {value}" for name, value in noted.items())
