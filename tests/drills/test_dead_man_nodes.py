"""A runner that is killed in the middle of a node fault leaves no node broken: the dead man's timer gives it back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import chain

import pytest

from harness import wait
from harness.errors import HarnessError
from harness.faults import Bench, needs
from harness.faults.hearing import Listener
from harness.faults.nodes_guests import require_expendable
from harness.providers import DisconnectsNodes, K3dProvider, PausesNodes, StopsNodes
from harness.report.evidence import Evidence
from harness.settings import PROJECT, Settings

pytestmark = pytest.mark.drill

AT_MOST_S = 8
#: A node that was stopped has its pods back some seconds after its start.
BACK_S = 60.0

#: Takes nodes and is then busy for ever, as a drill in its body is.
RUNNER = """
import sys, threading
from pathlib import Path
from harness.providers.k3d_nodes import K3dNodes
cluster, timers, seconds, *faults = sys.argv[1:]
nodes = K3dNodes(cluster, Path(timers))
for order, node in zip(faults[::2], faults[1::2]):
    getattr(nodes, order)(node, at_most_s=float(seconds))
print("injected", flush=True)
threading.Event().wait()
"""

ORDERS = {"pause_node": PausesNodes, "stop_node": StopsNodes, "disconnect_node": DisconnectsNodes}


@pytest.mark.parametrize("orders", [["stop_node"], ["pause_node", "disconnect_node"]], ids=" and ".join)
def test_nodes_return_although_their_runner_is_killed(
    orders: list[str], bench: Bench, settings: Settings, evidence: Evidence
) -> None:
    """SIGKILL to the runner of node faults: within the timers' seconds every node is heard again, by nobody's doing."""
    refusals = [refusal for order in orders if (refusal := needs(bench.provider, ORDERS[order]))]
    if refusals or not isinstance(bench.provider, K3dProvider):
        pytest.skip("; ".join(refusals) or "the runner of this drill is one for k3d")
    steady = bench.sut.steady()
    pods = [pod for pod in steady.pods if pod.seat in steady.replicas[: len(orders)]]
    nodes = [pod.node for pod in pods]
    for node in nodes:
        require_expendable(bench.sut.cluster, node)
    faults = list(zip(orders, nodes, strict=True))
    listeners = [Listener(bench.sut, steady.primaries[0], pod.seat, pod.ip) for pod in pods]
    for listener in listeners:
        wait.eventually(listener.hears, seconds=AT_MOST_S, what=f"{listener.target} heard before anything is done")
    timers = settings.state_dir / settings.cluster_name / "timers"
    words = [settings.cluster_name, str(timers), str(AT_MOST_S), *chain.from_iterable(faults)]

    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, *words], stdout=subprocess.PIPE, cwd=PROJECT, start_new_session=True
    )
    try:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"injected\n"
        injected = time.monotonic()
        os.killpg(runner.pid, signal.SIGKILL)
        for listener, node in zip(listeners, nodes, strict=True):
            wait.eventually(listener.hears, lambda hears: not hears, seconds=AT_MOST_S, what=f"silence of {node}")
        for listener in listeners:
            wait.eventually(
                partial(_hears_again, listener),
                seconds=AT_MOST_S + BACK_S,
                what=f"{listener.target} heard again",
            )
        back = time.monotonic() - injected
    finally:
        bench.provider.mend_nodes()  # for a timer that failed: the next test is not to find its nodes broken
        runner.communicate()
    done = ", ".join(f"{order} of {node}" for order, node in faults)
    evidence(f"{done} for {AT_MOST_S} s, runner killed: heard again {back:.1f} s after the injection")

    assert bench.sut.steady().primaries


def _hears_again(listener: Listener) -> bool:
    """Whether the seat answers at the address that it has now: one whose node was stopped has another."""
    pod = listener.sut.pod(listener.target)
    try:
        return pod is not None and replace(listener, address=pod.ip).hears()
    except HarnessError:
        return False
