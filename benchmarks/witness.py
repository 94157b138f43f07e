"""How fast the witness writes, and how exactly it sees a gap, with redis-benchmark beside it on the same node.

``python -m benchmarks.witness [--seconds 10]`` on the cluster of ``make up`` (made if there is none, and kept). All
figures are of one run on one machine, so that their ratios mean something:

- unpaced: acknowledged writes a second at 8 and 32 connections, with the CPU limit of Redis lifted for that time,
  beside redis-benchmark with the same command and as many connections;
- paced: all clients of a drill under the default limits, and the gap that the witness sees when the primary holds all
  writes for a known time (CLIENT PAUSE);
- verdict: from the end of the writing to the verdicts, and how many ops that was.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from harness import wait
from harness.checkers import lost_writes, stats, unavailability
from harness.clients import Clients, usual_clients
from harness.cluster import Cluster, Shell
from harness.deploy import deploy, render
from harness.errors import HarnessError
from harness.faults.injector import NAME as INJECTOR
from harness.faults.injector import NAMESPACE as INJECTOR_NAMESPACE
from harness.faults.injector import Injector
from harness.history import History
from harness.images import choose, substitute
from harness.providers import K3dProvider
from harness.settings import add_arguments, read_settings
from harness.sut import Sut
from harness.sut.names import REDIS
from harness.witness_pod import NAME as WITNESS
from harness.witness_pod import witness_objects, witnessed
from harness.workload import Workload, Writers

PAUSES_MS = (100, 500, 2000)
CONNECTIONS = (8, 32)
REQUESTS = 200_000
BENCHMARK_S = 120.0
SHELL_S = 10.0
PREFIX = "e2e:bench:"

#: Lifts the CPU quota of the container with id $1 and of its pod, on cgroup v1 and v2; prints each file and its value.
LIFT_QUOTA = """
for group in $(find /proc/1/root/sys/fs/cgroup -type d -name "*$1*" 2>/dev/null); do
  for file in "$(dirname "$group")" "$group"; do
    [ -e "$file/cpu.cfs_quota_us" ] && echo "$file/cpu.cfs_quota_us $(cat "$file/cpu.cfs_quota_us")" &&
      echo -1 > "$file/cpu.cfs_quota_us"
    [ -e "$file/cpu.max" ] && echo "$file/cpu.max $(cat "$file/cpu.max")" && echo max > "$file/cpu.max"
  done
done
true
"""


def main() -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.witness", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each stretch of writing")
    add_arguments(parser)
    options = parser.parse_args()
    try:
        settings = replace(read_settings(vars(options).get, os.environ), keep_cluster=True)
        images = choose(settings.images, _say)
        objects = substitute(render(settings.overlay, settings.namespace, images.tools["kubectl"]), images)
        provider = K3dProvider(settings, images)
        access = provider.obtain(_say)
        try:
            cluster = Cluster.connect(access.kubeconfig, access.context, settings.namespace)
            deploy(cluster, [*objects, *witness_objects(cluster, images)], _say)
            Injector.deployed(cluster, images)
            sut = Sut(cluster)
            with tempfile.TemporaryDirectory() as folder:
                _measure(sut, witnessed(sut, Path(folder)), options.seconds)
        finally:
            provider.release()
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(sut: Sut, workload: Workload, seconds: float) -> None:
    primary = sut.steady().primaries[0]
    shell = _shell_on(sut, sut.cluster.get("Pod", WITNESS)["spec"]["nodeName"])
    print(f"{'':34} {'witness':>12} {'redis-benchmark':>16}  ratio")
    with _unlimited(sut, primary):
        for connections in CONNECTIONS:
            ours = _unpaced(workload, connections, seconds)
            theirs = _redis_benchmark(sut, workload, shell, primary, connections)
            print(f"unpaced, {connections:2} connections, acks/s    {ours:12.0f} {theirs:16.0f}  {ours / theirs:5.2f}")
    limited = _unpaced(workload, CONNECTIONS[-1], seconds)
    print(f"the same under Redis's CPU limit   {limited:12.0f}")
    _paced(sut, workload, primary, seconds)
    _verdicts(workload)


def _unpaced(workload: Workload, connections: int, seconds: float) -> float:
    history = _written(workload, Clients((Writers(connections=connections, rate=0),), (), {}), seconds)
    return stats(history).acks_per_second


def _paced(sut: Sut, workload: Workload, primary: str, seconds: float) -> None:
    """The clients of a drill while the primary holds all writes for a known time."""
    held: list[tuple[int, float]] = []

    def hold() -> None:
        for pause in PAUSES_MS:
            began = time.monotonic()
            sut.ask(primary, f"CLIENT PAUSE {pause} WRITE")
            held.append((pause, began))
            wait.pause_until(began + pause / 1000 + 1.5)

    history = _written(workload, usual_clients(sut.cluster.namespace), seconds, hold)
    seen = stats(history)
    print(
        f"all clients of a drill, 1,170 writes/s: {seen.acks_per_second:.0f} acks/s; distance of two acks: median "
        f"{seen.median_distance * 1e3:.2f} ms, p99 {seen.p99_distance * 1e3:.2f} ms; "
        f"worst lag of the witness {seen.worst_lag * 1e3:.1f} ms"
    )
    throttled = sum(each.throttled for each in history.health) / 1e6
    print(f"    the witness was throttled for {throttled:.3f} s; CPU {_cpu_share(history):.0%} of a core")
    found = unavailability(history)
    print(f"    resolution of the longest gap {found.resolution * 1e3:.1f} ms (promised: at most 10 ms)")
    windows = _gaps(history)
    for (pause, _), gap in zip(held, windows, strict=False):
        print(f"    writes held for {pause:5} ms: gap seen {gap * 1e3:7.1f} ms, {gap * 1e3 - pause:+6.1f} ms")


def _gaps(history: History) -> list[float]:
    """The longest gaps, as many as there were pauses, in the order in which they happened; seconds."""
    acks = list(history.writes.of_oks(history.writes.completed))
    gaps = sorted(((later - earlier) / 1e6, earlier) for earlier, later in pairwise(acks))
    return [gap for gap, _ in sorted(gaps[-len(PAUSES_MS) :], key=lambda each: each[1])]


def _verdicts(workload: Workload) -> None:
    """From the end of the writing to the verdicts, sweep of all instances included."""
    ended = 0.0
    with workload.running("verdicts", writers=[Writers(connections=32, rate=10_000)]) as recording:
        wait.pause_until(time.monotonic() + 12.0)
        ended = time.monotonic()
    fetched = time.monotonic()
    verdicts = [lost_writes(recording.history), unavailability(recording.history), stats(recording.history)]
    judged = time.monotonic()
    ops = len(recording.history.writes)
    print(
        f"verdicts on {ops} ops: {judged - ended:.2f} s after the writing ended (stop, catch up, sweep, fetch and load "
        f"{fetched - ended:.2f} s, judge {judged - fetched:.2f} s); valid: {[each.valid for each in verdicts]}"
    )


def _written(workload: Workload, clients: Clients, seconds: float, during: Callable[[], None] | None = None) -> History:
    with workload.running(
        "benchmark", writers=clients.writers, readers=clients.readers, services=clients.services
    ) as recording:
        if during:
            wait.pause_until(time.monotonic() + 2.0)
            during()
        wait.pause_until(time.monotonic() + seconds)
    return recording.history


def _cpu_share(history: History) -> float:
    return sum(each.cpu for each in history.health) / 1e6 / max(history.duration_s, 1e-9)


def _shell_on(sut: Sut, node: str) -> Shell:
    """A shell in the injector on a node: it has redis-benchmark, and the node's cgroups."""
    cluster = sut.cluster.in_namespace(INJECTOR_NAMESPACE)
    pods = cluster.list("Pod", selector=f"app.kubernetes.io/name={INJECTOR}", fields=f"spec.nodeName={node}")
    return cluster.shell(pods[0]["metadata"]["name"], INJECTOR)


def _redis_benchmark(sut: Sut, workload: Workload, shell: Shell, primary: str, connections: int) -> float:
    """Requests a second of the witness's own command at as many connections, without pipelining."""
    address = sut.cluster.get("Pod", primary)["status"]["podIP"]
    command = (
        f"redis-benchmark -h {address} -p {REDIS.port} -c {connections} -n {REQUESTS} -r 1000000 --csv "
        f"HSET {PREFIX}__rand_int__ __rand_int__ 0.000001"
    )
    done = shell.run(command, seconds=BENCHMARK_S)
    figures = [line for line in done.stdout.splitlines() if line.startswith('"HSET')]
    workload.client.cleanup(workload.deployment, PREFIX)
    if not figures:
        raise HarnessError(f"redis-benchmark printed no figures: {done.stdout[-300:]} {done.stderr[-300:]}")
    return float(figures[-1].split(",")[1].strip('"'))


@contextmanager
def _unlimited(sut: Sut, seat: str) -> Iterator[None]:
    """The state of the Redis container on `seat` having no CPU quota."""
    pod = sut.cluster.get("Pod", seat)
    identity = next(each["containerID"] for each in pod["status"]["containerStatuses"] if each["name"] == "redis")
    shell = _shell_on(sut, pod["spec"]["nodeName"])
    script = f"set -- {identity.rpartition('/')[2]}\n{LIFT_QUOTA}"
    lifted = [line.split(" ", 1) for line in shell.run(script, seconds=SHELL_S).stdout.splitlines()]
    if not lifted:
        raise HarnessError(f"no CPU quota of {seat} was found on {pod['spec']['nodeName']}: nothing to lift")
    try:
        yield
    finally:
        for file, quota in reversed(lifted):  # the container's first: it may not have more than its pod
            shell.run(f"echo {shlex.quote(quota)} > {file}", seconds=SHELL_S)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
