"""How long the kernel kept this container from running because its CPU quota was used up."""

from __future__ import annotations

import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PERIOD_S = 1.0

#: Where a container sees its own cgroup, the name of the counter, and how many of its units are a microsecond
#: (kernel: Documentation/admin-guide/cgroup-v2.rst and Documentation/scheduler/sched-bwc.rst).
_COUNTERS = (
    ("cpu.stat", "throttled_usec", 1),
    ("cpu/cpu.stat", "throttled_time", 1000),
    ("cpu,cpuacct/cpu.stat", "throttled_time", 1000),
)


class Throttling:
    """Reads the counter at most once in `PERIOD_S`; where there is none (no cgroup with a quota) it stays 0."""

    def __init__(self, root: Path = CGROUPS) -> None:
        self._root = root
        self._read_at = time.monotonic()
        self._total = self.total_us()

    def since_last(self) -> int:
        """Microseconds since the last reading that this told; 0 if that was less than `PERIOD_S` ago."""
        now = time.monotonic()
        if now - self._read_at < PERIOD_S:
            return 0
        self._read_at = now
        before, self._total = self._total, self.total_us()
        return max(0, self._total - before)

    def total_us(self) -> int:
        """Microseconds since the container began."""
        for path, counter, divisor in _COUNTERS:
            try:
                lines = (self._root / path).read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                name, _, value = line.partition(" ")
                if name == counter and value.isdigit():
                    return int(value) // divisor
        return 0
