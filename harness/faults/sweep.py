"""What a run that was killed left in the cluster: found and undone by the next one, by the end of one, or by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.artifacts import JsonLines
from harness.cluster import Cluster
from harness.errors import HarnessError, HealFailed
from harness.faults.disk import OnSmallVolume, put_back
from harness.faults.dns import healed_by_sweep
from harness.faults.injector import Injector
from harness.faults.nodes_sweep import sweep_nodes

#: Events of the ledger after which a fault is no more.
ENDS = ("healed", "swept")


def sweep(cluster: Cluster, mender: object = None) -> list[str]:
    """Undo every fault that is left, of nodes, on nodes and in the API; return one line for each thing.

    `mender` gives nodes back if it can (``MendsNodes``), before anything is asked of them. Nodes without an injector
    have no fault that was injected through one. Raises HealFailed, after everything else was tried, with what is left.
    """
    healed, troubles = sweep_nodes(cluster, mender), []
    healed += healed_by_sweep(cluster)
    injector = Injector(cluster)
    try:
        for node in injector.nodes():
            try:
                for line in _healed_on(cluster, injector, node):
                    healed.append(f"{node}: {line}")
            except HarnessError as error:
                troubles.append(str(error))
    finally:
        injector.close()
    if troubles:
        raise HealFailed("; ".join([*healed, *troubles]))
    return healed


def _healed_on(cluster: Cluster, injector: Injector, node: str) -> Iterator[str]:
    """Heal a node's faults, last in, first out, up to the last volume that was exchanged; then sweep the node.

    For a volume the pod must be kept away, which the node alone cannot; what came after it, a ballast say, goes first.
    """
    records = injector.listed(node)
    volumes = [number for number, record in enumerate(records) if record["kind"] == OnSmallVolume.kind]
    for record in records[: volumes[-1] + 1] if volumes else ():
        if record["kind"] == OnSmallVolume.kind:
            yield put_back(cluster, injector, node, record)
        else:
            yield injector.heal(node, record["id"])
    yield from injector.sweep(node)


def remaining(injector: Injector) -> list[str]:
    """Return a sentence on each fault that a node has on record: none between two drills. Raises InjectionFailed."""
    found = injector.every_node(injector.listed)
    return [f"{node}: {record['about']}" for node, records in found.items() for record in records]


def left_on_ledger(ledger: Path) -> list[dict[str, Any]]:
    """Return the faults that a ledger has as registered and not as healed, in the order of their injection."""
    if not ledger.is_file():
        return []
    open_faults: dict[tuple[str, str, str], dict[str, Any]] = {}
    for entry in _entries(ledger):
        key = (entry["fault"], entry["target"], str(entry.get("id", "")))
        if entry["event"] == "registered":
            open_faults[key] = entry
        elif entry["event"] in ENDS:
            open_faults.pop(key, None)
    return list(open_faults.values())


def note_swept(ledger: Path, left: list[dict[str, Any]]) -> None:
    """Write into a ledger that what it had left is undone."""
    with JsonLines(ledger) as lines:
        for entry in left:
            who: dict[str, object] = {name: entry[name] for name in ("fault", "target", "id") if name in entry}
            lines.write({**who, "event": "swept"})


def _entries(ledger: Path) -> Iterator[dict[str, Any]]:
    for line in ledger.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # the last line of a run that was killed may be half a line
            continue
