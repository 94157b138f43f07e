"""What a check hands to the report beside its verdict."""

from __future__ import annotations

from typing import Protocol


class Evidence(Protocol):
    """Says in a few words what a check saw; the report shows it beside the verdict."""

    def __call__(self, text: str) -> None:
        """Attach `text` to the check that is running."""
