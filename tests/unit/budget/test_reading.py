"""From a deployment's answers to a configuration, and the command that shows its budget."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from harness.budget.__main__ import main, show
from harness.budget.reading import SETTINGS, configuration_of
from harness.errors import ObservationError
from harness.sut import Sut, Topology
from harness.sut.names import kind_of
from harness.sut.replies import ErrorReply
from tests.unit import topologies

REDIS_SETTINGS = dict(zip(SETTINGS, ("1", "10", "20", "yes", "0", "10", "yes", "900 1 300 10 60 10000"), strict=True))
DEBUG = ["INFO-PERIOD", "10000", "PING-PERIOD", "1000", "ASK-PERIOD", "1000", "TILT-PERIOD", "30000"]
SPEC = {
    "terminationGracePeriodSeconds": 60,
    "containers": [
        {"name": "exporter"},
        {
            "name": "redis",
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "/scripts/hand-over.sh"]}}},
            "readinessProbe": {"periodSeconds": 3, "failureThreshold": 2, "timeoutSeconds": 4},
        },
    ],
}


class StandIn:
    """Answers as a Sut of a healthy deployment does, with something changed."""

    def __init__(self, topology: Topology | None = None, *, debug: Any = None, spec: Any = None) -> None:
        self._topology = topology or topologies.healthy()
        self._debug = debug or dict.fromkeys((each.seat for each in self._topology.sentinels), DEBUG)
        self._spec = spec or SPEC
        self.settings = {each.seat: dict(REDIS_SETTINGS) for each in self._topology.redis}
        self.cluster = self

    @staticmethod
    def gather(calls: list[Any]) -> list[Any]:
        return [call() for call in calls]

    def topology(self) -> Topology:
        return self._topology

    def ask(self, seat: str, *commands: str) -> list[Any]:
        assert commands == ("SENTINEL DEBUG",)
        return [self._debug[seat]]

    def ask_each(self, *commands: str, stateful_set: str) -> dict[str, list[Any]]:
        assert stateful_set == "redis"
        names = [command.removeprefix("CONFIG GET ") for command in commands]
        return {
            seat: [[name, each[name]] if name in each else [] for name in names] for seat, each in self.settings.items()
        }

    def pod_objects(self) -> dict[str, Any]:
        return {each.seat: {"spec": self._spec} for each in self._topology.pods if kind_of(each.seat)}


def sut(stand_in: StandIn) -> Sut:
    return cast("Sut", stand_in)


def test_configuration_of_a_healthy_deployment() -> None:
    found = configuration_of(sut(StandIn()))

    assert (found.down_after, found.failover_timeout, found.quorum) == (5.0, 30.0, 2)
    assert (found.sentinels, found.sentinels_due, found.replicas, found.majority) == (3, 3, 2, 2)
    assert (found.ping_period, found.info_period, found.tilt_period, found.publish_period) == (1.0, 10.0, 30.0, 2.0)
    assert (found.min_replicas_to_write, found.repl_timeout, found.diskless_sync_delay) == (1, 20.0, 0.0)
    assert (found.has_pre_stop, found.grace, found.readiness) == (True, 60.0, 10.0)
    assert found.is_persistent
    assert found.disagreements == ()


def test_sentinel_without_the_command_has_the_constants() -> None:
    """SENTINEL DEBUG came with Redis 7.0."""
    old = dict.fromkeys(topologies.SENTINEL.seats(), ErrorReply("ERR Unknown sentinel subcommand 'DEBUG'"))

    assert configuration_of(sut(StandIn(debug=old))).ping_period == 1.0


def test_slowest_counts_and_differences_are_told() -> None:
    topology = topologies.with_sentinel(topologies.healthy(), "redis-sentinel-1", down_after_s=60.0)
    stand_in = StandIn(topology)
    stand_in.settings["redis-2"]["min-replicas-to-write"] = "0"

    found = configuration_of(sut(stand_in))

    assert found.down_after == 60.0
    assert found.min_replicas_to_write == 0
    assert found.disagreements[0].startswith("down-after is not the same everywhere: redis-sentinel-0 5 s, ")
    assert "min-replicas-to-write is not the same everywhere: redis-0 1, redis-1 1, redis-2 0" in found.disagreements


def test_defaults_of_kubernetes_count_where_nothing_is_given() -> None:
    spec = {"containers": [{"name": "redis", "readinessProbe": {}}]}

    found = configuration_of(sut(StandIn(spec=spec)))

    assert (found.has_pre_stop, found.grace, found.readiness) == (False, 30.0, None)


def test_nobody_answers_is_an_error_in_one_line() -> None:
    silent = dataclasses.replace(topologies.healthy(), sentinels=(), silent={"redis-sentinel-0": "refused"})

    with pytest.raises(ObservationError, match="no Sentinel answers"):
        configuration_of(sut(StandIn(silent)))


def test_page_shows_everything_and_the_status_follows_the_promise() -> None:
    """Configuration, courses, totals, cautions; 0 if they fit, 1 if not."""
    said: list[str] = []
    slow = topologies.with_sentinel(topologies.healthy(), "redis-sentinel-1", down_after_s=60.0)

    assert show(sut(StandIn()), said.append) == 0
    text = "\n".join(said)
    assert "down-after 5 s, failover-timeout 30 s" in text
    assert "crash: the primary crashes" in text
    assert "! retry: " in text
    assert "! no-fence" not in text
    assert "DOES NOT FIT" not in text[: text.index("When something goes wrong")]
    assert show(sut(StandIn(slow)), said.append) == 1


def test_nothing_that_stands_is_one_line_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No cluster is made for a look."""
    monkeypatch.setenv("E2E_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["budget", "--cluster-name", "nobody"])

    assert main() == 2
    assert capsys.readouterr().err == (
        "error: no cluster nobody stands: make up makes one, --provider context --context NAME looks at yours\n"
    )
