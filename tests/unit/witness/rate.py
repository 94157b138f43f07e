"""Prints how fast the witness writes unpaced, and how fine it measures paced with everything else running.

``python -m tests.unit.witness.rate [--seconds 5]``: on loopback, against one real primary, two replicas and three
Sentinels on the same cores; nothing is asserted. With ``--alone`` the primary has no replicas and one Sentinel.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from harness.checkers import stats
from harness.history import History
from harness.workload import Readers, Writers
from tests.unit.processes import Topology, running_topology
from tests.unit.witness.local import LocalWitness, running_witness


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How fast and how fine the witness measures.")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each recording")
    parser.add_argument("--alone", action="store_true", help="one Redis and one Sentinel only")
    options = parser.parse_args()
    shape = {"replicas": 0, "sentinels": 1, "quorum": 1} if options.alone else {}
    with (
        tempfile.TemporaryDirectory() as directory,
        running_topology(Path(directory) / "redis", **shape) as topology,
        running_witness(Path(directory) / "witness") as witness,
    ):
        for connections in (8, 16, 32):
            writers = [Writers(connections=connections, rate=0)]
            history = recorded(witness, topology, options.seconds, writers=writers, sweep=False)
            print(f"unpaced, {connections:2} connections: {figures(history)}", flush=True)
        history = recorded(witness, topology, options.seconds)
        print(f"paced, 1,000/s over 8 connections: {figures(history)}")
        history = recorded(witness, topology, options.seconds, **everything(topology))
        print(f"the same with readers, pinned writers and a Service: {figures(history)}; {len(history.reads)} reads")


def everything(topology: Topology) -> dict[str, object]:
    """All that a workload can have beside its writers."""
    readers = [Readers("primary", "sentinel", connections=2, rate=100)]
    readers += [Readers(f"of-{seat}", seat, connections=2, rate=100) for seat in topology.seats]
    writers = [Writers(), *(Writers(name=seat, target=seat, connections=1, rate=50) for seat in topology.seats)]
    return {"readers": readers, "writers": writers, "services": {"redis": topology.named_primary().address}}


def recorded(witness: LocalWitness, topology: Topology, seconds: float, **options: object) -> History:
    """One recording of so many seconds."""
    with witness.workload_on(topology).running("rate", **options) as recording:  # type: ignore[arg-type]
        time.sleep(seconds)
    return recording.history


def figures(history: History) -> str:
    """Rate, resolution, the witness's own share of a core, and how busy the machine was."""
    found = stats(history)
    cpu = sum(each.cpu for each in history.health) / history.health[-1].at
    return (
        f"{found.acks_per_second:,.0f} acknowledged/s, 99% of them at most {found.p99_distance * 1000:.2f} ms apart, "
        f"p99 latency {found.p99_latency * 1000:.2f} ms, witness {cpu:.0%} of a core, "
        f"worst lag {found.worst_lag * 1000:.1f} ms, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
