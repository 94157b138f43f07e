"""A setting changed at run time: what an operator may do to one instance and forget."""

from __future__ import annotations

from harness import wait
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.commands import told
from harness.sut.names import REDIS, kind_of

SEEN_S = 10.0


class Configured:
    """A Redis instance runs with another value of a setting (CONFIG SET); what it had before is set again.

    Not written to its file by us, but a Sentinel that gives an instance a role makes it rewrite its file (sentinel.c,
    sentinelSendSlaveOf sends CONFIG REWRITE), with the value in force then.
    """

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
        """Set it."""
        told(bench, self.seat, f"CONFIG SET {self.setting} {self.value}")

    def await_effect(self, bench: Bench) -> None:
        """Return when the instance says that the value is in force."""
        self._await(bench, self.value)

    def heal(self, bench: Bench) -> None:
        """Set it as it was. The instance may have become primary meanwhile; the setting is its own all the same."""
        if self._before is not None:
            told(bench, self.seat, f"CONFIG SET {self.setting} {self._before}")

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
