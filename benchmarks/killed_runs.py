"""What a run leaves that is killed in mid-fault: ``python -m benchmarks.killed_runs [--dead-man 20] [FAMILY ...]``.

For each family of faults, on the cluster of ``make up`` (made if there is none, and kept): pytest is started with one
drill and a short dead man's time, and killed with SIGKILL as soon as its ledger says that the fault was felt. Then it
is watched from outside, by somebody who heals nothing, until nothing is left of the fault. At last pytest is started
again, with one check and the smallest drill, which begins and ends with a steady deployment.

Seconds from the acknowledged order of the fault, by the ledger: killed; nothing left (see `_left`); steady.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness import wait
from harness.cluster import Cluster
from harness.errors import HarnessError, WaitTimeout
from harness.faults import Bench
from harness.faults.disk import writing_of
from harness.faults.dns import DEPLOYMENT, NAMESPACE
from harness.faults.hearing import listener_for
from harness.faults.injector import Injector
from harness.faults.pods import cordoned_by_the_suite
from harness.faults.settings import BEFORE
from harness.faults.sweep import remaining
from harness.leftovers import Place
from harness.providers.docker import remains_of
from harness.settings import PROJECT, Settings, add_arguments, read_settings
from harness.sut import Sut, is_steady

#: A drill's fault is felt so many seconds after pytest was started, at the latest.
FELT_S = 240.0
#: How long it is watched beyond the dead man's time.
WATCHED_S = 120.0
NEXT_RUN_S = 240.0
#: A node that does not answer is asked again by the next look.
LOOK_S = 1.0
#: Timers count from before the order, in steps of a second.
GRAIN_S = 2.0
#: The healing itself: `make heal` starts and sweeps within 2 s; a node that is started answers after 10 (faults.md).
HEALING_S = 15.0

#: How harness/progress.py writes a line.
PROGRESS = re.compile(r" +\d+\.\d s  ")
NEXT_RUN = ("tests/checks/test_06_replication.py", "tests/drills/test_control.py", "-k", "replication or clients_write")


@dataclass(frozen=True, slots=True)
class Family:
    """The drill of a family, its fault as the ledger calls it, and what it had taken away, as anybody may see it."""

    drill: str
    selection: str
    fault: str
    is_back: Callable[[Bench, str], bool]


def _is_heard(bench: Bench, seat: str) -> bool:
    """Whether it answers a seat on another node."""
    return listener_for(bench.sut, seat).hears()


def _writes(bench: Bench, seat: str) -> bool:
    """Whether its append-only file takes what it is given."""
    return writing_of(bench, seat) == "ok"


def _has_pod(bench: Bench, seat: str) -> bool:
    """Whether a pod runs on it."""
    pod = bench.sut.pod(seat)
    return pod is not None and pod.phase == "Running" and not pod.terminating


def _has_coredns(bench: Bench, _: str) -> bool:
    """Whether CoreDNS is to have pods again."""
    return bool(bench.sut.cluster.get("Deployment", DEPLOYMENT, namespace=NAMESPACE)["spec"]["replicas"])


def _is_as_before(bench: Bench, _: str) -> bool:
    """Whether nobody has on record what a setting was before."""
    sets = bench.sut.cluster.list("StatefulSet")
    return not any(name.startswith(BEFORE) for found in sets for name in found["metadata"].get("annotations") or {})


FAMILIES: Mapping[str, Family] = {
    "kill": Family("test_reboot.py", "killed_in_place", "process_killed", _is_heard),
    "seat": Family("test_failover.py", "killed_with_its_pod", "seat_empty", _has_pod),
    "pause": Family("test_failover.py", "paused_and_resumed", "paused", _is_heard),
    "network": Family("test_partition.py", "cut_off_from_everybody", "isolated", _is_heard),
    "disk": Family("test_disk.py", "primary_unwritable", "aof_unwritable", _writes),
    "node": Family("test_failover.py", "its and node and paused", "node_paused", _is_heard),
    "node stopped": Family("test_failover.py", "its and node and stopped", "node_stopped", _is_heard),
    "setting": Family("test_promotion.py", "never_of_a_replica", "configured", _is_as_before),
    "dns": Family("test_dns.py", "told_no_names", "dns_down", _has_coredns),
}


def main() -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.killed_runs", description=__doc__)
    parser.add_argument("families", nargs="*", help=f"of {', '.join(FAMILIES)}; default: all")
    add_arguments(parser)
    options = parser.parse_args()
    unknown = [name for name in options.families if name not in FAMILIES]
    if unknown:
        parser.error(f"there is no family {', '.join(unknown)}; there are: {', '.join(FAMILIES)}")
    try:
        given = read_settings(vars(options).get, os.environ)
        settings = replace(given, report_dir=(given.report_dir / "killed-runs").absolute(), keep_cluster=True)
        rows = [_measured(settings, name) for name in options.families or FAMILIES]
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("| Family | Fault | Killed after | Nothing left after | Allowed | Steady after | The next run |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(row for row, _ in rows))
    return 0 if all(well for _, well in rows) else 1


def _measured(settings: Settings, name: str) -> tuple[str, bool]:
    """Kill one run; return its row of the table, and whether everything was as it should."""
    family = FAMILIES[name]
    ledger, killed = _killed(settings, family)
    told = {each["event"]: each for each in _entries(ledger) if each["fault"] == family.fault}
    seat = str(told["registered"]["target"]).rpartition(" under ")[2].partition(",")[0]
    ordered, timer_s = float(told["injected"]["at"]), told["registered"].get("timer_s")
    patience_s = WATCHED_S + float(timer_s or 0.0)
    gone, steady = _watched(settings, partial(_left, family, settings, seat), patience_s)
    status, lines = _next_run(settings)
    for line in lines:
        print(f"{name}: the next run: {line}", file=sys.stderr)
    well = status == 0
    if timer_s is not None:
        # Earlier, it was not the timer: the run had begun to heal before it was killed, and the row proves nothing.
        well = well and -GRAIN_S <= gone - ordered - float(timer_s) <= HEALING_S
    limit = "by itself" if timer_s is None else f"{timer_s:.0f} + {HEALING_S:.0f} s"
    seconds = [f"{at - ordered:.1f} s" for at in (killed, gone, steady)]
    ended = "green" if status == 0 else f"ended with {status}"
    row = f"| {name} | {family.fault} of {seat} | {seconds[0]} | {seconds[1]} | {limit} | {seconds[2]} | {ended} |"
    print(row, file=sys.stderr, flush=True)
    return row, well


def _pytest(settings: Settings, *words: str) -> list[str]:
    options = ["--keep-cluster", "--cluster-name", settings.cluster_name, "--namespace", settings.namespace]
    options += ["--images", settings.images, "--overlay", settings.overlay, "--report-dir", str(settings.report_dir)]
    return [sys.executable, "-m", "pytest", *words, *options, "--dead-man", str(settings.dead_man_s)]


def _killed(settings: Settings, family: Family) -> tuple[Path, float]:
    """Kill a run in its fault; return its ledger and when (seconds of time.time())."""
    before = set(settings.report_dir.glob("*/"))
    settings.report_dir.mkdir(parents=True, exist_ok=True)
    argv = _pytest(settings, f"tests/drills/{family.drill}", "-k", family.selection)
    with (settings.report_dir / "killed.log").open("w") as log:
        run = subprocess.Popen(argv, stdout=log, stderr=log, cwd=PROJECT, start_new_session=True)
    try:
        ledger = wait.eventually(
            lambda: _felt(settings.report_dir, before, family.fault),
            seconds=FELT_S,
            what=f"{family.fault} felt in a run of {' '.join(argv[2:])}",
            give_up=lambda _: None if run.poll() is None else f"it ended with {run.returncode}: see {log.name}",
        )
    finally:
        killed = time.time()
        run.kill()  # SIGKILL, to pytest itself
        run.wait()
    if ledger is None:
        raise WaitTimeout(f"{family.fault} was not felt")
    return ledger, killed


def _felt(reports: Path, before: set[Path], fault: str) -> Path | None:
    """Return the ledger of a new run that has felt the fault."""
    for folder in set(reports.glob("*/")) - before:
        ledger = folder / "faults.jsonl"
        if not folder.is_symlink() and any(
            each["fault"] == fault and each["event"] == "effect seen" for each in _entries(ledger)
        ):
            return ledger
    return None


def _entries(ledger: Path) -> list[dict[str, Any]]:
    if not ledger.is_file():
        return []
    whole = [line for line in ledger.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole]


def _watched(settings: Settings, left: Callable[[Bench], str], seconds: float) -> tuple[float, float]:
    """Return when nothing was left of the fault, and when the deployment was steady (seconds of time.time())."""
    place = Place(settings.state_dir, settings.cluster_name)
    cluster = Cluster.connect(place.kubeconfig, None, settings.namespace)
    bench = Bench(Sut(cluster), Injector(cluster))
    try:
        wait.eventually(lambda: left(bench), lambda why: not why, seconds=seconds, what="an end of the fault")
        gone = time.time()
        wait.eventually(bench.sut.topology, is_steady, seconds=WATCHED_S, what="the steady state")
        steady = time.time()
        # Who heals for a killed run has the cluster for some seconds more, and then it is the next run's.
        wait.eventually(place.is_free, seconds=WATCHED_S, what="the cluster's name free")
        return gone, steady
    finally:
        bench.injector.close()
        bench.sut.close()
        cluster.close()


def _left(family: Family, settings: Settings, seat: str, bench: Bench) -> str:
    """Say what is left of the fault, as seen from outside; empty when nothing is.

    Nodes first, as Docker has them: nobody may be asked on one that stands still. Then the marks in the API, the
    records on the nodes (what has one is in force), and whether what was taken away is back.
    """
    idle = [node.name for node in remains_of(settings.cluster_name).nodes if node.paused or not node.running]
    if idle:
        return f"{', '.join(idle)} paused or stopped"
    cordoned = cordoned_by_the_suite(bench.sut.cluster)
    if cordoned:
        return f"{', '.join(cordoned)} cordoned"
    # An observer breaks nothing; it ends by itself a minute later than the fault that it observes.
    try:
        with wait.patience_at_most(LOOK_S):
            faults = [line for line in remaining(bench.injector) if ": observer(" not in line]
        if faults:
            return "; ".join(faults)
        return "" if family.is_back(bench, seat) else f"{seat} is not back"
    except HarnessError as error:  # a node on its way back, say
        return str(error)


def _next_run(settings: Settings) -> tuple[int, Sequence[str]]:
    """Start another run; return its exit status and what it says of its cluster and its end."""
    run = subprocess.run(
        _pytest(settings, *NEXT_RUN), capture_output=True, text=True, cwd=PROJECT, timeout=NEXT_RUN_S, check=False
    )
    lines = run.stdout.splitlines()
    said = [line.strip() for line in lines if PROGRESS.match(line)]
    return run.returncode, [*said, lines[-1] if lines else run.stderr.strip()]


if __name__ == "__main__":
    sys.exit(main())
