"""How far a replica lay behind its primary, in seconds: how long ago the primary stood where the replica stands now.

Both say where they stand when they are asked for their role, about every 100 ms: finer than that it cannot be told.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace

from harness.history.history import History
from harness.history.records import MICRO, RoleSample


@dataclass(frozen=True, slots=True)
class Lag:
    """The lag of a replica at one answer of it: from `least` to `most` seconds, the doubt that sampling leaves.

    `at` (seconds since the origin) is when the answer had arrived, `offset` where the replica stood. `has_until`
    (microseconds since the origin): what the primary had acknowledged by then, the replica had. `most` is infinite and
    `has_until` None if the primary stood further at every answer of it.
    """

    at: float
    least: float
    most: float
    offset: int
    has_until: int | None


def lags(history: History, *, primary: str, replica: str, until: int | None = None) -> tuple[Lag, ...]:
    """The lag at every answer of `replica` (a seat) as a follower of `primary`, in order, up to `until` (microseconds).

    Offsets of two lives of a primary do not compare, so what counts is its last run of answers as primary. Redis tells
    -1 for a replica whose link is down (replication.c, roleCommand): that says nothing of what it has, and is left out.
    """
    end = math.inf if until is None else until
    stood = _last_run(history, primary, end)
    if not stood:
        return ()
    offsets = [each.offset or 0 for each in stood]
    return tuple(
        _lag(each, stood, bisect_right(offsets, each.offset or 0))
        for each in history.roles
        if each.completed <= end
        and each.invoked >= stood[0].invoked
        and history.instance_name(each.instance) == replica
        and each.role == "replica"
        and each.offset is not None
        and each.offset >= 0
        and history.name_at(str(each.detail)) == primary
    )


def acknowledged_lags(history: History, *, primary: str, replica: str, until: int | None = None) -> tuple[Lag, ...]:
    """The same from what `replica` had told its primary, at every answer of that: for a replica that nobody could ask.

    The primary lists the offsets that its replicas acknowledged last (REPLCONF ACK, once a second and when a client
    waits for them). A replica may have had more by then, so `least` is 0.
    """
    stood = _last_run(history, primary, math.inf if until is None else until)
    offsets = [each.offset or 0 for each in stood]
    found = []
    for each in stood:
        listed = each.detail if isinstance(each.detail, dict) else {}
        told = max((offset for address, offset in listed.items() if history.name_at(address) == replica), default=-1)
        if told >= 0:
            lag = _lag(each, stood, bisect_right(offsets, told))
            found.append(replace(lag, least=0.0, offset=told))
    return tuple(found)


def _lag(said: RoleSample, stood: list[RoleSample], ahead: int) -> Lag:
    """`ahead` is the place of the primary's first answer that is further than the replica.

    Each is true at some moment between question and answer: the primary reached that place no earlier than it was asked
    the last time before, and left it no later than it answered with more.
    """
    least = max(0, said.invoked - stood[ahead].completed) if ahead < len(stood) else 0
    at = said.completed
    if not ahead:
        return Lag(at / MICRO, least / MICRO, math.inf, said.offset or 0, None)
    has_until = min(stood[ahead - 1].invoked, at)
    return Lag(at / MICRO, least / MICRO, (at - has_until) / MICRO, said.offset or 0, has_until)


def _last_run(history: History, primary: str, end: float) -> list[RoleSample]:
    """Its answers as primary since it last was a replica, became another process, or told a smaller offset.

    That it could not be asked in between ends nothing.
    """
    began = _lives(history, primary)
    run: list[RoleSample] = []
    for each in history.roles:
        if each.completed > end or history.instance_name(each.instance) != primary:
            continue
        if each.role == "replica":
            run = []
        if each.role != "primary" or each.offset is None:
            continue
        if run and (
            each.offset < (run[-1].offset or 0)
            or bisect_right(began, each.completed) != bisect_right(began, run[-1].completed)
        ):
            run = []
        run.append(each)
    return run


def _lives(history: History, seat: str) -> list[int]:
    """When each process on a seat was first met, in microseconds."""
    began: list[int] = []
    before = None
    for each in history.identities:
        if history.instance_name(each.instance) == seat and each.run_id != before:
            began.append(each.at)
            before = each.run_id
    return began
