"""Seeded defects of what Kubernetes holds: each is found in words that name the object and the harm."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from harness.properties.claims import against_claims, against_use, default_class, due_class
from harness.properties.placement import against_placement_rule, against_pods
from harness.properties.probes import RUNS, ProbeRun, against_configured, read_count
from harness.properties.services import against_services, endpoints
from harness.properties.statefulsets import PROMISED_RESOURCES, against_stateful_set
from harness.sut.names import KINDS, REDIS
from tests.unit.topologies import healthy, pod, with_redis

Object = dict[str, Any]


def stateful_set() -> Object:
    """Return StatefulSet redis as it should be, in what the checks look at."""
    labels = {"app.kubernetes.io/component": "redis"}
    rule = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    return {
        "metadata": {"name": "redis", "generation": 3},
        "spec": {
            "replicas": 3,
            "podManagementPolicy": "Parallel",
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}},
                    "containers": [
                        {"name": "redis", "resources": copy.deepcopy(PROMISED_RESOURCES["redis"])},
                        {"name": "exporter"},
                    ],
                },
            },
        },
        "status": {
            "observedGeneration": 3,
            "readyReplicas": 3,
            "updatedReplicas": 3,
            "currentRevision": "a",
            "updateRevision": "a",
        },
    }


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("spec", "replicas"), 2, "asks for 2 instances, 3 are promised"),
        (("status", "readyReplicas"), 2, "has 2 of 3 instances Ready"),
        (("status", "observedGeneration"), 2, "the change is not taken up yet"),
        (("spec", "podManagementPolicy"), "OrderedReady", "starts its pods one after another"),
        (("spec", "template", "spec", "containers"), [{"name": "redis"}], "has no container exporter"),
        (("spec", "template", "spec", "containers"), [{"name": "redis"}], "limits memory nothing, 512Mi is promised"),
    ],
)
def test_a_stateful_set_that_is_not_as_promised_is_found(path: tuple[str, ...], value: object, expected: str) -> None:
    """Number, readiness, rollout, start order, containers and sizes are each looked at."""
    found = stateful_set()
    assert not list(against_stateful_set(found, REDIS))

    *parents, last = path
    target = found
    for key in parents:
        target = target[key]
    target[last] = value

    assert any(expected in finding for finding in against_stateful_set(found, REDIS))


def test_pods_apart_by_luck_are_found() -> None:
    """Without a required rule the scheduler may put two of a kind on one node tomorrow."""
    found = stateful_set()
    assert not list(against_placement_rule(found))

    found["spec"]["template"]["spec"]["affinity"] = {}

    assert "the scheduler's luck" in next(against_placement_rule(found))


def test_two_of_a_kind_on_one_node_are_found() -> None:
    """The pods that share a node are named with the node."""
    pods = [pod("redis-0", node="agent-0"), pod("redis-1", node="agent-0"), pod("redis-sentinel-0", node="agent-0")]

    findings = list(against_pods(pods, {each.seat: {} for each in pods}, {}))

    assert findings == ["redis-0 and redis-1 share node agent-0: one node lost takes 2 of them"]


def test_a_container_that_does_not_stay_up_is_found_with_its_last_words() -> None:
    """CrashLoopBackOff is no cause; what the container wrote before it ended is."""
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
    found = {"status": {"containerStatuses": [{"name": "sentinel", "state": waiting}]}}
    words = {"redis-sentinel-0": "sentinel.conf is not writable: Read-only file system. Exiting..."}

    findings = list(against_pods([pod("redis-sentinel-0", ready=False)], {"redis-sentinel-0": found}, words))

    (finding,) = findings
    assert "container sentinel CrashLoopBackOff: back-off 40s; its last words: sentinel.conf is not writable" in finding


def service(name: str, *, headless: bool, port: int, **spec: Any) -> Object:
    """Return one Service."""
    spec = {"clusterIP": "None" if headless else "10.43.0.7", "ports": [{"port": port}], "selector": {}, **spec}
    return {"metadata": {"name": name}, "spec": spec}


def services() -> dict[str, Object]:
    """Return the four Services as they should be."""
    return {
        "redis": service("redis", headless=False, port=6379),
        "redis-sentinel": service("redis-sentinel", headless=False, port=26379),
        "redis-headless": service("redis-headless", headless=True, port=6379, publishNotReadyAddresses=True),
        "redis-sentinel-headless": service(
            "redis-sentinel-headless", headless=True, port=26379, publishNotReadyAddresses=True
        ),
    }


def slices(**behind: list[str]) -> list[Object]:
    """Return one EndpointSlice per Service, leading to the seats given or to those that are due."""
    redis, sentinels = list(KINDS[0].seats()), list(KINDS[1].seats())
    due = {
        "redis": ["redis-0"],
        "redis-sentinel": sentinels,
        "redis-headless": redis,
        "redis-sentinel-headless": sentinels,
    }
    return [
        {
            "metadata": {"labels": {"kubernetes.io/service-name": name}},
            "endpoints": [
                {"addresses": ["10.0.0.1"], "targetRef": {"name": seat}, "conditions": {"ready": True}}
                for seat in behind.get(name, seats)
            ],
        }
        for name, seats in due.items()
    ]


def test_services_that_lead_where_they_should_have_no_findings() -> None:
    """The control."""
    assert not list(against_services(services(), slices(), healthy()))


def test_a_service_that_leads_to_replicas_too_is_found() -> None:
    """The report's own version of Service redis, behind which two of three connections refuse writes."""
    every = slices(redis=["redis-0", "redis-1", "redis-2"])

    finding = next(against_services(services(), every, healthy()))

    assert finding.startswith("Service redis leads to redis-0, redis-1, redis-2; it must lead to the primary alone")


def test_a_second_primary_is_left_to_the_check_of_the_replication() -> None:
    """Clients belong to the primary that the Sentinels name, whatever another instance says of itself."""
    two = with_redis(healthy(), "redis-2", role="primary", follows=None)

    assert not list(against_services(services(), slices(), two))


def test_a_service_that_leads_nowhere_is_found() -> None:
    """A broken selector leaves no endpoint; the finding shows the selector."""
    broken = services()
    broken["redis-sentinel"]["spec"]["selector"] = {"app": "typo"}

    finding = next(against_services(broken, slices(**{"redis-sentinel": []}), healthy()))

    assert "Service redis-sentinel leads to nothing" in finding
    assert "typo" in finding


@pytest.mark.parametrize("name", ["redis-headless", "redis-sentinel-headless"])
def test_a_headless_service_that_hides_starting_pods_is_found(name: str) -> None:
    """Without publishNotReadyAddresses a starting instance has no name."""
    broken = services()
    del broken[name]["spec"]["publishNotReadyAddresses"]

    assert any(name in finding and "not-ready" in finding for finding in against_services(broken, slices(), healthy()))


def test_an_endpoint_that_is_not_ready_gets_no_traffic() -> None:
    """What kube-proxy leaves out is not counted as behind the Service."""
    found = slices()
    found[0]["endpoints"][0]["conditions"]["ready"] = False

    assert endpoints(found, "redis") == frozenset()


def claims() -> tuple[dict[str, Object], dict[str, Object]]:
    """Return the six claims and their volumes as they should be."""
    found, volumes = {}, {}
    for kind in KINDS:
        for seat in kind.seats():
            name, volume = kind.claim(seat), f"pv-{seat}"
            found[name] = {
                "metadata": {"name": name, "uid": f"uid-{name}"},
                "spec": {
                    "storageClassName": "local-path",
                    "volumeName": volume,
                    "resources": {"requests": {"storage": kind.storage}},
                },
                "status": {"phase": "Bound"},
            }
            volumes[volume] = {"spec": {"claimRef": {"uid": f"uid-{name}"}}}
    return found, volumes


DUE = {"redis": "local-path", "redis-sentinel": "local-path"}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("status", "phase"), "Pending", "claim data-redis-1 is Pending"),
        (("spec", "storageClassName"), "nfs", "is of class nfs, local-path is due"),
        (("spec", "resources"), {"requests": {"storage": "1Gi"}}, "asks for 1Gi, 10Gi is promised"),
        (("spec", "volumeName"), "pv-none", "which does not exist"),
        (("spec", "volumeName"), "pv-redis-2", "which belongs to another claim"),
    ],
)
def test_a_claim_that_is_not_as_promised_is_found(path: tuple[str, str], value: object, expected: str) -> None:
    """Phase, class, size and volume of each of the six claims are looked at."""
    found, volumes = claims()
    assert not list(against_claims(found, volumes, DUE))

    found["data-redis-1"][path[0]][path[1]] = value

    assert any(expected in finding for finding in against_claims(found, volumes, DUE))


def test_a_claim_that_is_missing_is_found() -> None:
    """Six are due, whatever the StatefulSet asks for now."""
    found, volumes = claims()
    del found["data-redis-sentinel-2"]

    assert list(against_claims(found, volumes, DUE)) == ["claim data-redis-sentinel-2 does not exist"]


def with_volume(source: Object, mount: str = "/data") -> dict[str, Object]:
    """Return the pod redis-0 with one volume."""
    volume = {"name": "data", **source}
    container = {"name": "redis", "volumeMounts": [{"name": "data", "mountPath": mount}]}
    return {"redis-0": {"spec": {"containers": [container], "volumes": [volume]}}}


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        ({"persistentVolumeClaim": {"claimName": "data-redis-0"}}, "/data", None),
        ({"emptyDir": {}}, "/data", "keeps its state at /data, on emptyDir; it must be on its claim data-redis-0"),
        ({"persistentVolumeClaim": {"claimName": "data-redis-1"}}, "/data", "on data-redis-1; it must be"),
        ({"persistentVolumeClaim": {"claimName": "data-redis-0"}}, "/var", "in the container itself"),
        ({"persistentVolumeClaim": {"claimName": "data-redis-0"}}, "/data-old", "in the container itself"),
    ],
)
def test_state_beside_the_claim_is_found(source: Object, path: str, expected: str | None) -> None:
    """A claim that is Bound while the instance keeps its state elsewhere protects nothing."""
    findings = list(against_use(with_volume(source), {"redis-0": path}))

    assert expected is None if not findings else expected in findings[0]
    assert bool(findings) == (expected is not None)


def test_the_class_due_is_the_template_s_or_the_default_one() -> None:
    """A template that names no class gets the cluster's default one."""
    classes = [
        {"metadata": {"name": "slow"}},
        {"metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}},
    ]

    assert default_class(classes) == "fast"
    assert due_class({"spec": {"volumeClaimTemplates": [{"spec": {}}]}}, "fast") == "fast"
    assert due_class({"spec": {"volumeClaimTemplates": [{"spec": {"storageClassName": "slow"}}]}}, "fast") == "slow"


def test_a_container_without_probes_is_found() -> None:
    """Each missing probe of each container is named; an open port is no readiness."""
    containers = [
        {"name": "redis", "livenessProbe": {}, "startupProbe": {}, "readinessProbe": {"tcpSocket": {"port": 6379}}},
        {"name": "exporter", "livenessProbe": {}},
    ]

    findings = list(against_configured({"metadata": {"name": "redis-0"}, "spec": {"containers": containers}}))

    assert any("an open port is no readiness" in finding for finding in findings)
    assert "redis-0 container exporter has no readinessProbe" in findings


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (f"10\n{10 + RUNS + 1}\n0\nPONG\n", None),
        ("10\n11\n0\n\n", "passes without asking the server: 4 runs made 0 connections"),
        ("10\n12\n1\nNOAUTH Authentication required.\n", "fails when run: NOAUTH"),
    ],
    ids=["asks", "true", "fails"],
)
def test_a_probe_that_does_not_ask_is_found(printed: str, expected: str | None) -> None:
    """A readiness probe that is `true` passes, and makes no connection to the server: that is what betrays it."""
    findings = list(read_count("redis-0", "redis", "readinessProbe", printed).findings())

    assert [expected in finding for finding in findings] == ([] if expected is None else [True])


def test_a_probe_that_could_not_be_run_is_found() -> None:
    """What the API server said stands in the finding."""
    run = ProbeRun("redis-0", "exporter", "livenessProbe", passed=False, said="503: refused", connections=None)

    assert list(run.findings()) == ["redis-0 container exporter: the livenessProbe fails when run: 503: refused"]
