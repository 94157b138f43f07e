"""Check 9 of 12: a client gets through, by Sentinel and by Service."""

from __future__ import annotations

import pytest

from harness.observations.judged import redis_service_leads_to_the_primary
from harness.observations.writes import (
    TRIES,
    arrived,
    discovered_by_each_sentinel,
    refusals_through_service,
    value_written_at,
)
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_a_value_written_where_sentinel_points_is_on_every_instance(sut: Sut, evidence: Evidence) -> None:
    """Every Sentinel hands out one address; a value written there by name is read back there and on every replica."""
    discovered = discovered_by_each_sentinel(sut)
    evidence("; ".join(f"{sentinel}: {host}" for sentinel, host in discovered.items()))
    assert len(set(discovered.values())) == 1, f"the Sentinels hand out different addresses: {discovered}"

    with value_written_at(sut, next(iter(discovered.values()))) as written:
        found = arrived(sut, written)

    assert set(found.values()) == {written.value}, f"the instances differ: {found}"


def test_every_write_through_the_service_is_accepted(sut: Sut, evidence: Evidence) -> None:
    """A client that knows only the Service `redis` can write over every new connection."""
    redis_service_leads_to_the_primary(sut)

    refusals = refusals_through_service(sut)

    evidence(f"{TRIES - len(refusals)} of {TRIES} new connections took a write")
    assert not refusals, f"{len(refusals)} of {TRIES} writes through Service redis were refused: {set(refusals)}"
