"""The labeler against real Sentinels and an API server that remembers what it was asked."""

from __future__ import annotations

import http.client
import http.server
import importlib.util
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.unit.manifests.seats import SCRIPTS
from tests.unit.processes import LOOPBACK, MASTER_NAME, Topology, running_topology, wait_until


def load_labeler() -> ModuleType:
    """The script as the container runs it: a file, not a package."""
    spec = importlib.util.spec_from_file_location("role_labeler", SCRIPTS / "role_labeler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


role_labeler = load_labeler()


class FakeApi:
    """Lists pods and applies merge patches to their labels, as the API server does."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str]] = {f"redis-{n}": {} for n in range(3)}
        self.patches: list[tuple[str, str]] = []
        self.status = 200
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                pods = [{"metadata": {"name": name, "labels": labels}} for name, labels in api.labels.items()]
                self._answer({"items": pods})

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = self.path.rpartition("/")[2]
                if api.status == 200:
                    api.labels[name] |= body["metadata"]["labels"]
                    api.patches.append((name, body["metadata"]["labels"]["redis-role"]))
                self._answer({})

            def _answer(self, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(api.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def roles(self) -> dict[str, str | None]:
        return {name: labels.get("redis-role") for name, labels in self.labels.items()}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with running_topology(tmp_path_factory.mktemp("topology")) as made:
        yield made


@pytest.fixture
def api() -> Iterator[FakeApi]:
    made = FakeApi()
    yield made
    made.close()


def labeler(topology: Topology, api: FakeApi) -> Any:
    seats = {each.port: name for name, each in topology.redises.items()}
    pods = role_labeler.PodApi(
        "jewelry-shop", "app=redis", lambda: http.client.HTTPConnection(LOOPBACK, api.port, timeout=2), lambda: "token"
    )
    sentinels = [role_labeler.Address(LOOPBACK, each.port) for each in topology.sentinels.values()]
    return role_labeler.Labeler(sentinels, MASTER_NAME, pods, seat_of=lambda address: seats[address.port])


def primary_of(topology: Topology) -> str:
    return topology.await_steady().named_primary().name


def expected(topology: Topology) -> dict[str, str]:
    primary = primary_of(topology)
    return {name: "primary" if name == primary else "replica" for name in topology.redises}


def test_labels_every_pod_once(topology: Topology, api: FakeApi) -> None:
    one, two = labeler(topology, api), labeler(topology, api)
    for each in (one, two, one):
        each.round()
    assert api.roles() == expected(topology)
    assert len(api.patches) == 3


def test_label_follows_a_promotion_within_a_second(topology: Topology, api: FakeApi) -> None:
    one = labeler(topology, api)
    one.round()
    old = primary_of(topology)
    stop = threading.Event()

    def turn() -> None:
        while not stop.wait(role_labeler.PERIOD):
            one.round()

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        topology.sentinels["sentinel-0"].client().execute_command("SENTINEL", "FAILOVER", MASTER_NAME)
        named = [topology.sentinels["sentinel-1"], topology.sentinels["sentinel-2"]]
        wait_until(lambda: all(topology.named_primary(each.name).name != old for each in named), 5, "a promotion")
        promoted = time.monotonic()
        new = topology.named_primary("sentinel-1").name
        wait_until(lambda: api.labels[new].get("redis-role") == "primary", 5, "the label")
        assert (
            time.monotonic() - promoted < 1.5
        )  # one period of 0.5 s and the questions; a loaded machine gets its share
    finally:
        stop.set()
        thread.join()
    # The old one lost the label before the new one got it: never two behind the Service.
    assert api.patches[-2:] == [(old, "replica"), (new, "primary")]
    wait_until(lambda: topology.redises[old].client().replicaof(LOOPBACK, topology.redises[new].port), 2, "REPLICAOF")


def test_new_pod_gets_its_label(topology: Topology, api: FakeApi) -> None:
    one = labeler(topology, api)
    one.round()
    primary = primary_of(topology)
    api.labels[primary] = {}
    one.round()
    assert api.roles() == expected(topology)
    assert api.patches[-1] == (primary, "primary")


def test_minority_of_sentinels_changes_nothing(
    topology: Topology, api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    one = labeler(topology, api)
    for sentinel in ("sentinel-0", "sentinel-1"):
        topology.sentinels[sentinel].pause()
    try:
        began = time.monotonic()
        one.round()
        assert time.monotonic() - began < 2
    finally:
        for sentinel in ("sentinel-0", "sentinel-1"):
            topology.sentinels[sentinel].resume()
    assert api.patches == []
    assert "no majority of Sentinels" in capsys.readouterr().out
    topology.await_steady()


def test_named_instance_must_confirm_that_it_is_primary(topology: Topology, api: FakeApi) -> None:
    one = labeler(topology, api)
    primary = topology.redises[primary_of(topology)]
    primary.pause()
    try:
        one.round()
    finally:
        primary.resume()
    assert api.patches == []
    topology.await_steady()


def test_refusals_of_the_api_server_are_said_once_and_outlived(
    topology: Topology, api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    one = labeler(topology, api)
    api.status = 403
    one.round()
    one.round()
    assert capsys.readouterr().out.count("403") == 1
    api.status = 200
    one.round()
    assert api.roles() == expected(topology)


def test_health_tells_turning_from_complete(topology: Topology, api: FakeApi) -> None:
    one = labeler(topology, api)
    server = role_labeler.serve_health(one, 0)
    port = server.server_address[1]

    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return int(refused.code)

    try:
        one.round()
        assert (status("/alive"), status("/ready")) == (200, 200)
        one.complete -= role_labeler.STALE_AFTER
        assert (status("/alive"), status("/ready")) == (200, 503)
        one.turned -= role_labeler.STALE_AFTER
        assert status("/alive") == 503
    finally:
        server.shutdown()
        server.server_close()


def test_silent_sentinels_count_against_the_majority() -> None:
    here, there = role_labeler.Address("a", 1), role_labeler.Address("b", 1)
    assert role_labeler.majority([here, None, here]) == here
    assert role_labeler.majority([here, None, None]) is None
    assert role_labeler.majority([here, there, None]) is None


def test_script_is_short_enough_to_be_read() -> None:
    assert len((SCRIPTS / "role_labeler.py").read_text().splitlines()) <= 230
