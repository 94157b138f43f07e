"""One writer: one connection, one sequence of writes, each recorded with its outcome.

A write puts field ``sequence % 128`` of the hash ``e2e:w:<workload>:<writer>:<sequence // 128>`` to
``<writer>.<sequence>``: every write stays in the data and can be found again by its identity, at about a dozen bytes a
write (a hash of up to 128 small fields is one compact listpack), so that hours of writing fit into a small Redis.
Nothing is written twice: a field that was there already was put there by a write that somebody repeated behind the
client's back, and is recorded as such.
"""

from __future__ import annotations

from collections.abc import Callable

from witness.bodies import Address, WriterGroup
from witness.client import Client, Surroundings
from witness.links import Link
from witness.outcomes import ACKNOWLEDGED, ACKNOWLEDGED_AGAIN, OK, TOO_FEW_REPLICAS, Outcome

PER_KEY = 128
NONE = -1


def key_of(workload: str, writer: int, sequence: int) -> str:
    """The key that holds a write."""
    return f"e2e:w:{workload}:{writer}:{sequence // PER_KEY}"


class Writer:
    """Writes until stopped; `acknowledged` is told of every ok with its microsecond."""

    def __init__(
        self,
        index: int,
        workload: str,
        group: WriterGroup,
        *,
        pinned: Address | None,
        surroundings: Surroundings,
        acknowledged: Callable[[int], None],
    ) -> None:
        self.index = index
        self.client = Client(surroundings, pinned)
        self.highest_acknowledged = NONE
        self._prefix = f"e2e:w:{workload}:{index}:"
        self._journal = surroundings.journal
        self._acknowledged = acknowledged
        self._sequence = NONE
        self._wait = ("WAIT", group.wait_replicas, int(group.wait_timeout_s * 1000)) if group.wait_replicas else None

    async def run(self, *, first_at: float, period: float) -> None:
        """Write on the grid ``first_at + n * period`` (loop time)."""
        await self.client.run(self._write, first_at=first_at, period=period)

    async def _write(self) -> bool:
        """One op, recorded. Returns whether it was acknowledged."""
        self._sequence += 1
        sequence = self._sequence
        invoked, took, code, error, instance = await self.client.attempt(self._put)
        self._journal.add_write(
            self.index, sequence, invoked=invoked, took=took, outcome=code, instance=instance, error=error
        )
        if code != OK:
            return False
        self.highest_acknowledged = sequence
        self._acknowledged(invoked + took)
        return True

    async def _put(self, link: Link) -> Outcome:
        sequence = self._sequence
        key, field = self._prefix + str(sequence // PER_KEY), sequence % PER_KEY
        command = ("HSET", key, field, f"{self.index}.{sequence}")
        if self._wait is None:
            added = await link.call(*command)
        else:
            added, replicas = await link.calls([command, self._wait])
            if isinstance(added, Exception):
                raise added
            if not isinstance(replicas, int) or replicas < self._wait[1]:
                return TOO_FEW_REPLICAS
        return ACKNOWLEDGED if added else ACKNOWLEDGED_AGAIN
