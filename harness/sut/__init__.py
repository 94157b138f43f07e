"""The system under test: a live handle (`Sut`) and the frozen, timestamped snapshots it gives (`Topology`)."""

from harness.sut.handle import Sut
from harness.sut.steady import Steadiness, is_steady
from harness.sut.topology import Topology

__all__ = ["Steadiness", "Sut", "Topology", "is_steady"]
