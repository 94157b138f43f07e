"""What a budget is computed from: the settings in force, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Configuration:
    """The deployed settings; times in seconds. Defaults are those of sentinel.c and config.c (7.2.5), lines 83-95.

    `sentinels` counts the Sentinels that a Sentinel knows, ghosts included, for these make the majority
    (sentinel.c, sentinelGetLeader); `sentinels_due` those that should be there. `tick` is the longest distance of two
    ticks of a Sentinel's timer: 1/hz, and hz is drawn from 10 to 19 (sentinel.c, sentinelTimer). `readiness` is the
    longest that a probe takes to take a pod out of a Service: period x threshold + timeout; None without a probe.
    `grace` is terminationGracePeriodSeconds. `disagreements` are sentences about Sentinels that are configured
    otherwise than the others; the values here are then the slowest.
    """

    down_after: float
    failover_timeout: float
    parallel_syncs: int
    quorum: int
    sentinels: int
    sentinels_due: int
    replicas: int
    tick: float = 0.1
    ping_period: float = 1.0
    ask_period: float = 1.0
    info_period: float = 10.0
    publish_period: float = 2.0
    election_timeout: float = 10.0
    tilt_trigger: float = 2.0
    tilt_period: float = 30.0
    min_replicas_to_write: int = 0
    min_replicas_max_lag: float = 10.0
    repl_timeout: float = 60.0
    diskless_sync_delay: float = 5.0
    shutdown_timeout: float = 10.0
    is_persistent: bool = True
    has_pre_stop: bool = False
    grace: float = 30.0
    readiness: float | None = None
    disagreements: tuple[str, ...] = ()

    @property
    def majority(self) -> int:
        """Votes that make a leader, whatever the quorum (sentinel.c, sentinelGetLeader)."""
        return self.sentinels // 2 + 1

    @property
    def votes_needed(self) -> int:
        """Votes that an election takes: max(quorum, majority)."""
        return max(self.quorum, self.majority)

    def lines(self) -> list[str]:
        """The settings for a terminal."""
        fence = (
            f"{self.min_replicas_to_write}, max-lag {self.min_replicas_max_lag:g} s"
            if self.min_replicas_to_write
            else "0 (off)"
        )
        readiness = "no readiness probe" if self.readiness is None else f"readiness within {self.readiness:g} s"
        hook = "a preStop hook" if self.has_pre_stop else "no preStop hook"
        return [
            (
                f"Sentinel: down-after {self.down_after:g} s, failover-timeout {self.failover_timeout:g} s, "
                f"parallel-syncs {self.parallel_syncs}, quorum {self.quorum} of {self.sentinels} known "
                f"({self.sentinels_due} due), election by {self.votes_needed}"
            ),
            (
                f"its periods: ping {self.ping_period:g} s, ask {self.ask_period:g} s, info {self.info_period:g} s, "
                f"hello {self.publish_period:g} s, tick up to {self.tick:g} s, TILT for {self.tilt_period:g} s after "
                f"{self.tilt_trigger:g} s"
            ),
            (
                f"Redis: {self.replicas} replicas, min-replicas-to-write {fence}, "
                f"repl-timeout {self.repl_timeout:g} s, diskless delay {self.diskless_sync_delay:g} s, "
                f"persistence {'on' if self.is_persistent else 'off'}"
            ),
            f"Kubernetes: {readiness}, {hook}, {self.grace:g} s of grace",
        ]


@dataclass(frozen=True, slots=True)
class Environment:
    """What the network, the machine and the clients add to each step, measured or assumed; seconds.

    `round_trip` is one question and its answer between pods, `lag` how late the witness may stamp or a process be run.
    `client_timeout` is how long a writer waits for an answer before it asks the Sentinels anew, `endpoints` how long a
    change of endpoints takes to reach the nodes' rules.
    """

    round_trip: float = 0.01
    lag: float = 0.01
    client_timeout: float = 0.5
    endpoints: float = 1.0

    @property
    def slack(self) -> float:
        """What every step may take longer than the settings say."""
        return self.round_trip + self.lag
