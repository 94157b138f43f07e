"""The one place where faults begin and end: heal registered and on the ledger first, effect and healing proven."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from harness.artifacts import JsonLines
from harness.errors import FaultError, FaultHadNoEffect, HarnessError, HealFailed, InjectionFailed, WaitTimeout
from harness.faults.base import Bench, Fault, Felled, LeftToTheSweep, OnLedger, name_of
from harness.faults.dead_man import dead_mans_time
from harness.providers import HealsLater

log = logging.getLogger(__name__)


class Faults:
    """Injects faults and makes sure that each is healed, however the test leaves.

    `injected` lists every fault of this object in order, for the report.
    """

    def __init__(self, bench: Bench, ledger: Path) -> None:
        self._bench = bench
        self._ledger = ledger
        self.injected: list[Felled] = []

    @contextmanager
    def felled(self, fault: Fault) -> Iterator[Felled]:
        """The state of being disrupted by `fault`: it bites when the body starts and is healed when it is left.

        Raises InjectionFailed, FaultHadNoEffect or HealFailed. Faults may be nested: last in, first out.
        """
        felled = Felled(name_of(fault), fault.target, injected_at=time.monotonic())
        with ExitStack() as stack:
            fault.prepare(self._bench)
            undo = dict(fault.on_ledger) if isinstance(fault, OnLedger) else {}
            disarm = self._armed(fault, undo)
            felled.identity = undo.pop("id", "")
            self._note(felled, "registered", by_hand=fault.by_hand, **undo)
            stack.callback(self._heal, fault, felled, disarm)
            self._inject(fault, felled)
            self._await_effect(fault, felled)
            yield felled

    def _armed(self, fault: Fault, undo: dict[str, Any]) -> Callable[[], object]:
        """Have everything healed later if only a sweep can; return what calls that off."""
        if not isinstance(fault, LeftToTheSweep) or not fault.healed_by_sweep:
            return _nothing
        provider = self._bench.provider
        if not isinstance(provider, HealsLater):
            return _nothing
        undo["timer_s"] = dead_mans_time()
        return provider.heal_later(seconds=dead_mans_time())

    def _inject(self, fault: Fault, felled: Felled) -> None:
        felled.injected_at = time.monotonic()
        self.injected.append(felled)
        try:
            fault.inject(self._bench)
        except HarnessError as error:
            raise InjectionFailed(f"{felled} could not be injected: {error}") from error
        felled.returned_at = time.monotonic()
        self._note(felled, "injected")

    def _await_effect(self, fault: Fault, felled: Felled) -> None:
        try:
            fault.await_effect(self._bench)
        except WaitTimeout as error:
            raise FaultHadNoEffect(f"{felled} was injected and nothing felt it: {error}") from error
        felled.effect_at = time.monotonic()
        self._note(felled, "effect seen")

    def _heal(self, fault: Fault, felled: Felled, disarm: Callable[[], object]) -> None:
        """Heal and see it healed; an interruption meanwhile is passed on only when that is done.

        The timer is called off only then: what could not be healed is left to it.
        """
        try:
            try:
                self._undo(fault)
            except KeyboardInterrupt:
                self._undo(fault)
                self._note_healed(felled, disarm)
                raise
        except HarnessError as error:
            self._note(felled, "heal failed", reason=str(error))
            raise HealFailed(f"{felled} could not be healed: {error}\nundo it by hand: {fault.by_hand}") from error
        self._note_healed(felled, disarm)

    def _undo(self, fault: Fault) -> None:
        fault.heal(self._bench)
        fault.await_healed(self._bench)

    def _note_healed(self, felled: Felled, disarm: Callable[[], object]) -> None:
        felled.healed_at = time.monotonic()
        disarm()
        self._note(felled, "healed")

    def _note(self, felled: Felled, event: str, **more: Any) -> None:
        log.info("fault=%s event=%s", felled, event)
        with JsonLines(self._ledger) as lines:
            who = {"fault": felled.name, "target": felled.target, "id": felled.identity}
            lines.write({**who, "event": event, "at": time.time(), **more})


def _nothing() -> None:
    """Have nothing to call off."""


__all__ = ["FaultError", "Faults"]
