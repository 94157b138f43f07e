"""Every container has its three probes, each passes when run, and those of Redis and Sentinel really ask the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.sut.names import KINDS

SORTS = ("startupProbe", "livenessProbe", "readinessProbe")

#: How often an exec probe is run in a row to see whether it reaches the server. The kubelet's own probes, the exporter
#: and Sentinels open at most a few connections in the fraction of a second that this takes.
RUNS = 4


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """What came of running one configured probe the way the kubelet does."""

    seat: str
    container: str
    sort: str
    passed: bool
    said: str
    connections: int | None
    """Connections that the server accepted while the probe ran RUNS times; None when the probe does not exec."""

    def findings(self) -> Iterator[str]:
        """Yield what this run shows to be wrong."""
        where = f"{self.seat} container {self.container}: the {self.sort}"
        if not self.passed:
            yield f"{where} fails when run: {self.said}"
        elif self.connections is not None and self.connections < RUNS:
            yield (
                f"{where} passes without asking the server: {RUNS} runs made {self.connections} connections to it, "
                "so it would pass with the server dead"
            )


def against_configured(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield the containers of Redis and Sentinel pods that lack a probe, and probes of a kind that proves little."""
    seat, servers = pod["metadata"]["name"], {kind.container for kind in KINDS}
    for container in pod["spec"]["containers"]:
        name = container["name"]
        due = SORTS if name in servers else ("livenessProbe", "readinessProbe")
        for sort in due:
            if sort not in container:
                yield f"{seat} container {name} has no {sort}"
        readiness = container.get("readinessProbe", {})
        if name in servers and readiness and "exec" not in readiness:
            yield f"{seat} container {name}: an open port is no readiness: a frozen Redis has one too"


def script_that_counts(argv: list[str], port: int, sort: str) -> list[str]:
    """Return a command line that runs the probe RUNS times between two looks at the server's connection count.

    Lines printed: count before, count after, exit status of the last run, the last run's output.
    """
    count = f"redis-cli -p {port} info stats | tr -d '\\r' | sed -n 's/^total_connections_received://p'"
    script = (
        f'{count}; n=0; while [ $n -lt {RUNS} ]; do said=$("$@" 2>&1); status=$?; '
        f'[ $status -eq 0 ] || break; n=$((n+1)); done; {count}; echo $status; echo "$said"'
    )
    return ["sh", "-c", script, sort, *argv]


def read_count(seat: str, container: str, sort: str, printed: str) -> ProbeRun:
    """Read what :func:`script_that_counts` printed. The second count includes the connection that asked for it."""
    before, after, status, *said = [*printed.splitlines(), ""]
    return ProbeRun(
        seat=seat,
        container=container,
        sort=sort,
        passed=status.strip() == "0",
        said=" ".join(said).strip() or f"exit status {status}",
        connections=int(after) - int(before) - 1,
    )
