"""A runner that is killed in the middle of a node fault leaves no node broken: the dead man's timer gives it back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from harness import wait
from harness.errors import HarnessError
from harness.faults import Bench, needs, seats_of
from harness.faults.hearing import listener_for
from harness.faults.nodes_guests import require_expendable
from harness.providers import DisconnectsNodes, K3dProvider, PausesNodes, StopsNodes
from harness.report.evidence import Evidence
from harness.settings import PROJECT, Settings

pytestmark = pytest.mark.drill

AT_MOST_S = 8
#: A node that was stopped has its pods back some seconds after its start.
BACK_S = 60.0

#: Takes a node and is then busy for ever, as a drill in its body is.
RUNNER = """
import sys, threading
from pathlib import Path
from harness.providers.k3d_nodes import K3dNodes
cluster, timers, order, node, seconds = sys.argv[1:]
getattr(K3dNodes(cluster, Path(timers)), order)(node, at_most_s=float(seconds))
print("injected", flush=True)
threading.Event().wait()
"""

ORDERS = {"pause_node": PausesNodes, "stop_node": StopsNodes, "disconnect_node": DisconnectsNodes}


@pytest.mark.parametrize("order", ORDERS)
def test_node_returns_although_its_runner_is_killed(
    order: str, bench: Bench, settings: Settings, evidence: Evidence
) -> None:
    """SIGKILL to the runner of a node fault: within the timer's seconds the node is heard again, by nobody's doing."""
    refusal = needs(bench.provider, ORDERS[order])
    if refusal or not isinstance(bench.provider, K3dProvider):
        pytest.skip(refusal or "the runner of this drill is one for k3d")
    seat = seats_of("one_replica", bench.sut.steady(), seed=1)[0]
    pod = bench.sut.pod(seat)
    assert pod is not None
    require_expendable(bench.sut.cluster, pod.node)
    listener = listener_for(bench.sut, seat)
    timers = settings.state_dir / settings.cluster_name / "timers"
    words = [settings.cluster_name, str(timers), order, pod.node, str(AT_MOST_S)]

    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, *words], stdout=subprocess.PIPE, cwd=PROJECT, start_new_session=True
    )
    try:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"injected\n"
        injected = time.monotonic()
        os.killpg(runner.pid, signal.SIGKILL)
        wait.eventually(lambda: not listener.hears(), seconds=AT_MOST_S, what=f"silence of {pod.node}")
        wait.eventually(lambda: _is_heard(bench, seat), seconds=AT_MOST_S + BACK_S, what=f"{seat} heard again")
        back = time.monotonic() - injected
    finally:
        bench.provider.mend_nodes()  # for a timer that failed: the next test is not to find its node broken
        runner.communicate()
    evidence(f"{order} of {pod.node} for {AT_MOST_S} s, runner killed: heard again {back:.1f} s after the injection")

    assert bench.sut.steady().primaries


def _is_heard(bench: Bench, seat: str) -> bool:
    """Whether the seat answers at the address that it has now."""
    try:
        return listener_for(bench.sut, seat).hears()
    except HarnessError:
        return False
