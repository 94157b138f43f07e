"""Histories: the append-only record of what clients experienced, replayable from disk without a cluster."""

from harness.history.history import History
from harness.history.records import FaultMark, RoleSample, SentinelEvent, Write
from harness.history.store import finish_journal

__all__ = ["FaultMark", "History", "RoleSample", "SentinelEvent", "Write", "finish_journal"]
