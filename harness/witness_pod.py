"""The witness as a pod of the cluster: started, found Ready, and reached through the API server's pod proxy."""

from __future__ import annotations

from pathlib import Path

import yaml

from harness.cluster import Cluster, Object
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import HarnessError
from harness.images import ImageSet, substitute
from harness.settings import PROJECT
from harness.sut import Sut
from harness.sut.names import KINDS, Kind
from harness.workload import Deployment, WitnessClient, Workload, rescued

MANIFEST = PROJECT / "witness" / "pod.yaml"
NAME = "witness"
PORT = 8080
STARTED_S = 60.0


def witness_objects(cluster: Cluster, images: ImageSet) -> list[Object]:
    """Return the witness's objects, to be applied with the deployment; a pod of another image is removed first.

    A pod's image cannot be exchanged by applying, and an earlier run may have left its own.
    """
    objects = substitute([each for each in yaml.safe_load_all(MANIFEST.read_text()) if each], images)
    wanted = objects[0]["spec"]["containers"][0]["image"]
    for found in cluster.list("Pod", fields=f"metadata.name={NAME}"):
        if found["spec"]["containers"][0]["image"] != wanted:
            cluster.delete("Pod", NAME, grace_s=0, missing_ok=True)
            cluster.wait_for("Pod", name=NAME, until=_is_gone, seconds=STARTED_S, what="the end of the old witness")
    return objects


def rescue_journals(cluster: Cluster, histories: Path) -> list[str]:
    """Fetch what a killed run left at its witness into `histories`, and stop its clients; one line for each piece.

    To be called before the witness is deployed anew: its journals go with its pod. What cannot be had is said, not
    raised: it must not keep a new run from working.
    """
    if not any(_is_up([found]) for found in cluster.list("Pod", fields=f"metadata.name={NAME}")):
        return []
    try:
        files = rescued(WitnessClient(cluster.pod_http(NAME, PORT)), histories)
    except HarnessError as error:
        return [f"the journals that an earlier run left at its witness could not be fetched: {error}"]
    return [f"a history that an earlier run did not fetch: {path}" for path in files]


def witnessed(sut: Sut, histories: Path) -> Workload:
    """Return the workload of the witness once its pod is Ready. Raises WaitTimeout with what keeps it from that."""
    cluster = sut.cluster
    cluster.wait_for("Pod", name=NAME, until=_is_up, seconds=STARTED_S, what="the witness")
    deployment = Deployment(
        seats=_addresses(KINDS[0], cluster.namespace), sentinels=_addresses(KINDS[1], cluster.namespace)
    )
    return Workload(WitnessClient(cluster.pod_http(NAME, PORT)), deployment, histories)


def _addresses(kind: Kind, namespace: str) -> dict[str, str]:
    """Return ``host:port`` by seat, in the form that the Sentinels announce."""
    return {seat: f"{seat}.{kind.headless}.{namespace}.svc.cluster.local:{kind.port}" for seat in kind.seats()}


def _is_up(found: list[Object]) -> Readiness:
    return is_ready(found[0]) if found else Readiness((f"there is no pod {NAME}",))


def _is_gone(found: list[Object]) -> bool:
    return not found
