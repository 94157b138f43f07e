"""A fault's life on the node: recorded, armed, injected; undone, seen undone, disarmed, forgotten."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from injector import timer
from injector.changes import Change
from injector.connections import Cut
from injector.disk import Filled, Immutable
from injector.errors import InjectorError, StillBroken
from injector.files import Damaged, repaired
from injector.filtered import Filtered
from injector.limits import Limited
from injector.node import Node
from injector.probing import Probing
from injector.processes import Frozen, Killed, Stopped
from injector.queued import Queued
from injector.records import Record, everything, load, locked, seconds_left
from injector.squeezed import Squeezed
from injector.volume import SmallVolume

KINDS: Mapping[str, Change] = {
    "stopped": Stopped(),
    "frozen": Frozen(),
    "killed": Killed(),
    "limited": Limited(),
    "filtered": Filtered(),
    "queued": Queued(),
    "squeezed": Squeezed(),
    "cut": Cut(),
    "immutable": Immutable(),
    "filled": Filled(),
    "damaged": Damaged(),
    "small_volume": SmallVolume(),
    "probing": Probing(),
}


def inject(node: Node, plan: dict[str, Any]) -> dict[str, Any]:
    """Inject what `plan` asks for: its id, kind, about (for people), seconds (until the timer heals it), and more.

    Asked again for the same id, it answers the same and does nothing: the runner may have lost the first answer.
    """
    with locked(node):
        known = load(node, plan["id"])
        if known is not None and known.injected:
            return told(node, known)
        record = known or _recorded(node, plan)
        change = KINDS[record.kind]
        if record.timer is None and record.plan.get("armed", True):
            record.timer = timer.arm(node, seconds_left(record), partial(heal, node, record.id))
            record.save(node)
        if known is not None:
            change.undo(node, known)  # an earlier try ended half-way
        change.inject(node, record)
        record.injected = True
        record.save(node)
        return told(node, record)


def heal(node: Node, identity: str) -> str:
    """Undo a fault; return the line that says so, empty when there is none of this id. Raises StillBroken."""
    with locked(node):
        record = load(node, identity)
        return "" if record is None else _healed(node, record)


def look(node: Node, identity: str) -> dict[str, Any]:
    """Return what can be observed of a fault; an empty object when it is over."""
    record = load(node, identity)
    return {} if record is None else told(node, record)


def repair(node: Node, identity: str) -> str:
    """Repair the append-only file that a fault damaged, as Redis' documentation says; return what was said."""
    with locked(node):
        record = load(node, identity)
        if record is None or "file" not in record.facts:
            raise InjectorError(f"fault {identity} has damaged no file")
        return repaired(node, record)


def heal_all(node: Node) -> list[str]:
    """Heal every fault on record, last in, first out; return a line for each. Raises StillBroken after the last."""
    lines, troubles = [], []
    with locked(node):
        for record in everything(node):
            try:
                lines.append(_healed(node, record))
            except (OSError, InjectorError) as error:
                troubles.append(str(error))
    if troubles:
        raise StillBroken("; ".join([*lines, *troubles]))
    return lines


def rearm(node: Node) -> list[str]:
    """Arm again what has lost its timer, because the node was stopped meanwhile; return a line for each."""
    lines = []
    with locked(node):
        for record in everything(node):
            is_armed = record.timer is not None and node.is_alive(record.timer)
            if is_armed or not record.plan.get("armed", True):
                continue
            left = seconds_left(record)
            record.timer = timer.arm(node, left, partial(heal, node, record.id))
            record.save(node)
            lines.append(f"{record.about}: its timer was lost; it will be healed in {left:.0f} s")
    return lines


def told(node: Node, record: Record) -> dict[str, Any]:
    """Return what is said of a fault to the harness."""
    return {
        "id": record.id,
        "kind": record.kind,
        "plan": record.plan,
        "about": record.about,
        "injected": record.injected,
        "seconds_left": round(seconds_left(record), 1),
        "armed": record.timer is not None and node.is_alive(record.timer),
        **KINDS[record.kind].look(node, record),
    }


def _recorded(node: Node, plan: dict[str, Any]) -> Record:
    if plan.get("kind") not in KINDS:
        raise InjectorError(f"{plan.get('kind')!r} is no kind of fault; known are {', '.join(sorted(KINDS))}")
    deadline = time.time() + float(plan["seconds"])
    record = Record(plan["id"], plan["kind"], plan.get("about", plan["kind"]), plan, deadline)
    record.facts = KINDS[record.kind].facts(node, record)
    record.save(node)
    return record


def _healed(node: Node, record: Record) -> str:
    change = KINDS[record.kind]
    change.undo(node, record)
    left = change.left(node, record)
    if left:
        raise StillBroken(f"{record.about}: {', '.join(left)}")
    timer.disarm(node, record.timer)
    record.forget(node)
    return f"{record.about}: healed"
