"""What must be true of the deployment, as pure functions from observations to findings.

A finding is one sentence that names the seat or object concerned and what is wrong with it; no finding means that the
property holds. A property with nothing to look at raises VacuousObservation: "nothing found wrong with nothing" is how
suites turn green on an empty namespace. One property has one owner: a missing instance is a finding of the check of its
StatefulSet alone, and the others look at the instances that are there (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Iterable, Sized

from harness.errors import ObservationError


class VacuousObservation(ObservationError):
    """There was nothing that the property could have been broken by."""


def require_something(observed: Sized, what: str) -> None:
    """Raise VacuousObservation when `observed` is empty."""
    if not observed:
        raise VacuousObservation(f"there is no {what} to look at: nothing can be said of it")


def sentence(findings: Iterable[str]) -> str:
    """Return all findings as the message of a failed assertion, one a line."""
    return "\n".join(f"- {finding}" for finding in findings)
