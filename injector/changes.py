"""What a kind of fault must be able to do on a node."""

from __future__ import annotations

from typing import Any, Protocol

from injector.node import Node
from injector.records import Record


class Change(Protocol):
    """One kind of change. `record.plan` is what the harness asked for, `record.facts` what undoing needs."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """Return what must be known to undo it; changes nothing. Raises InjectorError when it cannot be injected."""

    def inject(self, node: Node, record: Record) -> None:
        """Change it. A fact learnt on the way is put into the record and saved before it is needed."""

    def undo(self, node: Node, record: Record) -> None:
        """Undo exactly this, also after half an injection, also when the pod or process is gone; may be repeated."""

    def left(self, node: Node, record: Record) -> list[str]:
        """Return a sentence on each thing that is still there; nothing when it is healed."""

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """Return what can be observed of it now, for the harness to prove its effect by."""
