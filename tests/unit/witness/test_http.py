"""The witness's HTTP interface: requests that break a rule get one clear line, and nothing happens."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.witness.local import PROJECT, LocalWitness, Refused, running_witness
from witness import dataset
from witness.bodies import workload

NOWHERE = {"seats": {"redis-0": "127.0.0.1:1"}, "sentinels": {"sentinel-0": "127.0.0.1:1"}}


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWitness]:
    """Run one for the module."""
    with running_witness(tmp_path_factory.mktemp("witness")) as running:
        yield running


def refusal(witness: LocalWitness, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Return status and line of an error answer."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    with pytest.raises(Refused) as caught:
        witness.request(method, path, data)
    return caught.value.status, caught.value.line.strip()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"{", "body: not JSON"),
        ([], "body: expected a JSON object, got []"),
        ({}, "body: field 'deployment' is missing"),
        ({"deployment": {"sentinels": {}}}, "deployment: field 'seats' is missing"),
        ({"deployment": {"seats": {}, "sentinels": {}}}, "deployment.seats: expected an object of name to host:port"),
        ({"deployment": {"seats": {"a": "b"}, "sentinels": {"c": "d:1"}}}, "deployment.seats.a: expected host:port"),
        ({"deployment": {"seats": {"a": "b:99999"}, "sentinels": {"c": "d:1"}}}, "expected host:port"),
        ({"deployment": NOWHERE, "colour": "blue"}, "body: unknown field 'colour'"),
        ({"deployment": NOWHERE, "sample_s": -1}, "'sample_s' must be a number from 0.01 to 60, got -1"),
        ({"deployment": NOWHERE, "sample_s": True}, "'sample_s' must be a number"),
        ({"deployment": NOWHERE, "name": "../../etc"}, "'name' may hold letters"),
        ({"deployment": NOWHERE, "writers": {}}, "writers: expected a list of groups"),
        (
            {"deployment": NOWHERE, "writers": [{"connections": 0}]},
            "'connections' must be a whole number from 1 to 256",
        ),
        ({"deployment": NOWHERE, "writers": [{"target": "redis-9"}]}, "target must be 'sentinel', a seat's name"),
        ({"deployment": NOWHERE, "writers": [{"name": "a"}, {"name": "a"}]}, "writers: names must differ"),
        ({"deployment": NOWHERE, "readers": [{"target": "redis-9"}]}, "readers 'reader': target must be 'sentinel'"),
        (
            {"deployment": NOWHERE, "readers": [{"connections": 0}]},
            "'connections' must be a whole number from 1 to 256",
        ),
        ({"deployment": NOWHERE, "readers": [{"wait_replicas": 1}]}, "readers[0]: unknown field 'wait_replicas'"),
        ({"deployment": NOWHERE, "services": {"redis": "redis"}}, "services.redis: expected host:port"),
        ({"deployment": NOWHERE, "services": {"redis-0": "a:1"}}, "'redis-0' is the name of something else already"),
        ({"deployment": NOWHERE, "services": []}, "services: expected an object of name to host:port"),
        ({"deployment": {**NOWHERE, "password": 7}}, "'password' must be a string or null"),
    ],
)
def test_workload_that_breaks_a_rule_is_refused_with_one_line(witness: LocalWitness, body: Any, line: str) -> None:
    """400, the field's name and what it may be."""
    status, answer = refusal(witness, "POST", "/workloads", body)

    assert status == 400
    assert line in answer
    assert "\n" not in answer


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/workloads/0123456789ab", None, (404, "no workload '0123456789ab'")),
        ("GET", "/workloads/0123456789ab/journal", None, (404, "no journal of a workload")),
        ("GET", "/workloads/..%2F..%2Fetc/journal", None, (400, "12 hexadecimal digits")),
        ("POST", "/workloads/0123456789ab/stop", {}, (404, "no workload")),
        ("GET", "/nothing", None, (404, "")),
        ("POST", "/cleanup", {"deployment": NOWHERE, "prefix": ""}, (400, "'prefix' must begin with 'e2e:'")),
        ("POST", "/cleanup", {"deployment": NOWHERE, "prefix": "e2e:"}, (400, "name something below it")),
        ("POST", "/cleanup", {"deployment": NOWHERE, "prefix": "e2e:*"}, (400, "may not hold pattern characters")),
        ("POST", "/dataset/write", {"deployment": NOWHERE}, (400, "field 'keys' is missing")),
        ("POST", "/dataset/verify", {"deployment": NOWHERE, "keys": 0}, (400, "'keys' must be a whole number from 1")),
    ],
)
def test_other_request_that_cannot_be_served_says_why(
    witness: LocalWitness, method: str, path: str, body: Any, expected: tuple[int, str]
) -> None:
    """Errors are one line of text with the right status."""
    status, answer = refusal(witness, method, path, body)

    assert status == expected[0]
    assert expected[1] in answer


def test_healthz_and_clock_answer(witness: LocalWitness) -> None:
    """The clock runs, and runs forward."""
    first, second = witness.client.clock_ns(), witness.client.clock_ns()

    assert witness.client.healthz()["ok"] is True
    assert 0 < first < second


def test_workload_without_anybody_there_records_that(witness: LocalWitness) -> None:
    """Nobody answers: the workload runs, its ops are fails, and it ends when it is told to."""
    identity = witness.client.start({"deployment": NOWHERE, "writers": [{"connections": 1, "rate": 100}]}).id
    witness.client.stop(identity, sweep=True, catch_up_s=0)
    status = witness.client.status(identity, wait_s=10)

    assert status.state == "done"
    assert status.acknowledged == 0
    assert not witness.client.status(identity, since_ns=0).acknowledged_since


def test_unreachable_redis_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A data set cannot be written where no Sentinel names a primary, and the error says so."""
    monkeypatch.setattr(dataset, "FIND_PRIMARY_S", 0.1)
    request = dataset.requested({"deployment": NOWHERE, "keys": 1})

    with pytest.raises(TimeoutError, match=r"no Sentinel named a primary of 'mymaster' within 0.1 s"):
        asyncio.run(dataset.write(request))


def test_password_never_reaches_the_journal(tmp_path: Path) -> None:
    """What the journal's header repeats of a request holds no secret."""
    with running_witness(tmp_path / "witness") as witness:
        where = {**NOWHERE, "password": "s3cret-one", "sentinel_password": "s3cret-two"}
        identity = witness.client.start({"deployment": where}).id
        witness.client.stop(identity, sweep=False)
        witness.client.status(identity, wait_s=10)
        written = (witness.journals / f"{identity}.jsonl").read_text()

    assert "s3cret" not in written


def test_unwritable_journal_directory_ends_the_witness_with_one_line(tmp_path: Path) -> None:
    """A witness that cannot record does not pretend to serve."""
    (tmp_path / "taken").write_text("a file where the directory should be")
    command = [sys.executable, "-m", "witness", "--port", "0", "--journal-dir", str(tmp_path / "taken")]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"witness: journal directory {tmp_path / 'taken'} is not writable: File exists"
    ]


def test_defaults_are_those_of_the_documentation() -> None:
    """A thousand writes a second over eight Sentinel-aware connections, half a second's timeout, no WAIT."""
    spec = workload({"deployment": NOWHERE})

    group = spec.writers[0]
    assert (group.rate, group.connections, group.target, group.wait_replicas) == (1000, 8, "sentinel", 0)
    assert (spec.timeout_s, spec.sample_s) == (0.5, 0.1)
    assert (spec.readers, spec.services) == ((), {})


def test_targets_are_described_by_name() -> None:
    """A journal's header names seats and Services; an address of nobody's stays out of it."""
    spec = workload({"deployment": NOWHERE, "services": {"redis": "redis.e2e.svc:6379"}})
    targets = ["sentinel", "redis-0", "127.0.0.1:1", "redis", "redis.e2e.svc:6379", "elsewhere:1"]

    assert [spec.described(target) for target in targets] == [
        "sentinel", "redis-0", "redis-0", "redis", "redis", "address",
    ]  # fmt: skip
