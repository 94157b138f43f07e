"""A setting changed at run time: what an operator may do to one instance and forget."""

from __future__ import annotations

from functools import partial

from harness import wait
from harness.cluster import Cluster
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.commands import told
from harness.sut.names import REDIS, kind_of

SEEN_S = 10.0

#: With seat and setting behind it, where the value from before is noted on the StatefulSet (not in its template), so
#: that the next run finds it.
BEFORE = "e2e.redis/before."
#: An instance that was lost with the run that changed it is back after so long at most.
BACK_S = 60.0


class Configured:
    """A Redis instance runs with another value of a setting (CONFIG SET); what it had before is set again.

    Not written to its file by us, but a Sentinel that gives an instance a role makes it rewrite its file (sentinel.c,
    sentinelSendSlaveOf sends CONFIG REWRITE), with the value in force then.
    """

    healed_by_sweep = True

    def __init__(self, seat: str, setting: str, value: str | int) -> None:
        if kind_of(seat) is not REDIS:
            raise InjectionFailed(f"{seat} is a Sentinel: CONFIG SET knows no {setting} there")
        self.seat = seat
        self.setting = setting
        self.value = str(value)
        self._before: str | None = None

    @property
    def target(self) -> str:
        """The seat, the setting and its value."""
        return f"{self.seat}, {self.setting} {self.value}"

    @property
    def by_hand(self) -> str:
        """Set it as it was."""
        return f"redis-cli CONFIG SET {self.setting} {self._before or '(as in the manifests)'} on {self.seat}"

    def prepare(self, bench: Bench) -> None:
        """Note the value in force. Raises InjectionFailed when it is that of the fault already."""
        self._before = self._read(bench)
        if self._before == self.value:
            raise InjectionFailed(f"{self.seat} has {self.setting} {self.value} already: nothing would change")

    def inject(self, bench: Bench) -> None:
        """Note on the StatefulSet what it was, then set it."""
        mark(bench.sut.cluster, self.seat, self.setting, self._before)
        told(bench, self.seat, f"CONFIG SET {self.setting} {self.value}")

    def await_effect(self, bench: Bench) -> None:
        """Return when the instance says that the value is in force."""
        self._await(bench, self.value)

    def heal(self, bench: Bench) -> None:
        """Set it as it was. The instance may have become primary meanwhile; the setting is its own all the same."""
        if self._before is not None:
            told(bench, self.seat, f"CONFIG SET {self.setting} {self._before}")
            mark(bench.sut.cluster, self.seat, self.setting, None)

    def await_healed(self, bench: Bench) -> None:
        """Return when the instance says that the old value is in force."""
        if self._before is not None:
            self._await(bench, self._before)

    def _read(self, bench: Bench) -> str:
        answer = bench.sut.ask(self.seat, f"CONFIG GET {self.setting}")[0]
        if not isinstance(answer, list) or len(answer) != 2:
            raise InjectionFailed(f"{self.seat} knows no setting {self.setting}: {answer!r}")
        return str(answer[1])

    def _await(self, bench: Bench, value: str) -> None:
        wait.eventually(
            lambda: self._read(bench),
            lambda found: found == value,
            seconds=SEEN_S,
            what=f"{self.setting} {value} on {self.seat}",
        )


def mark(cluster: Cluster, seat: str, setting: str, value: str | None) -> None:
    """Note what a setting was before, or that it is so again."""
    body = {"metadata": {"annotations": {f"{BEFORE}{seat}.{setting}": value}}}
    cluster.patch("StatefulSet", REDIS.stateful_set, body)


def set_as_before(cluster: Cluster) -> list[str]:
    """Give every instance the settings back that an earlier run changed; return a sentence on each."""
    sets = cluster.list("StatefulSet", fields=f"metadata.name={REDIS.stateful_set}")
    marks = {name: value for found in sets for name, value in (found["metadata"].get("annotations") or {}).items()}
    told = []
    for name, value in marks.items():
        if name.startswith(BEFORE):
            seat, _, setting = name.removeprefix(BEFORE).partition(".")
            wait.eventually(
                partial(_set, cluster, seat, setting, value), seconds=BACK_S, what=f"{setting} {value} on {seat}"
            )
            mark(cluster, seat, setting, None)
            told.append(f"{seat} was left with another {setting} by an earlier run: set to {value}")
    return told


def _set(cluster: Cluster, seat: str, setting: str, value: str) -> bool:
    argv = ["redis-cli", "-p", str(REDIS.port), "CONFIG", "SET", setting, value]
    return cluster.execute(seat, REDIS.container, argv).check().stdout.strip() == "OK"
