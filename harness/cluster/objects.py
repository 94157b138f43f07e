"""Reading, applying, patching and deleting objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from harness.cluster.connection import Connection, Refused
from harness.cluster.kinds import Kind, Object, called, in_order, kind_of
from harness.cluster.ownership import FIELD_MANAGER, OWNED
from harness.errors import ManifestError, NotFound

PATCHES = {"merge": "application/merge-patch+json", "strategic": "application/strategic-merge-patch+json"}
APPLY = "application/apply-patch+yaml"  # JSON is YAML


def get(connection: Connection, kind: str, name: str, namespace: str) -> Object:
    """Return one object; NotFound when it does not exist."""
    return connection.request("GET", path_of(kind_of(kind), name, namespace))


def list_objects(connection: Connection, kind: str, namespace: str | None, query: Mapping[str, object]) -> list[Object]:
    """Return the objects of a kind, each with its kind and apiVersion (which the API leaves out in lists)."""
    known = kind_of(kind)
    return items_of(connection.request("GET", known.collection(namespace), query=query), known)


def items_of(answer: Object, kind: Kind) -> list[Object]:
    """Return a list answer's objects, completed with kind and apiVersion."""
    return [{**item, "kind": kind.name, "apiVersion": kind.api_version} for item in answer.get("items") or []]


def apply(connection: Connection, objects: Sequence[Object], namespace: str, *, owner_labels: bool) -> None:
    """Apply server-side, taking over fields from other managers, in an order in which each finds what it refers to.

    Objects that name no namespace go to `namespace`. Raises ManifestError naming the object that was refused and why.
    """
    for item in in_order(list(objects)):
        try:
            kind = kind_of(str(item.get("kind")))
            name = item["metadata"]["name"]
            body = _labelled(item) if owner_labels else item
            connection.request(
                "PATCH",
                path_of(kind, name, item["metadata"].get("namespace") or namespace),
                query={"fieldManager": FIELD_MANAGER, "force": "true"},
                body=body,
                content_type=APPLY,
                repeatable=True,  # applying the same twice is applying it once
            )
        except KeyError as error:
            raise ManifestError(f"{called(item)}: has no metadata.name") from error
        except Refused as error:
            raise ManifestError(f"{called(item)} is refused: {error}") from error
        except NotFound as error:
            raise ManifestError(f"{called(item)} cannot be applied, what it belongs to is missing: {error}") from error


def patch(
    connection: Connection,
    kind: str,
    name: str,
    body: Object,
    *,
    namespace: str,
    strategy: Literal["merge", "strategic"],
) -> Object:
    """Patch one object and return what it became."""
    path = path_of(kind_of(kind), name, namespace)
    return connection.request("PATCH", path, body=body, content_type=PATCHES[strategy], repeatable=True)


def delete(
    connection: Connection,
    kind: str,
    name: str,
    namespace: str,
    *,
    grace_s: int | None,
    missing_ok: bool,
    uid: str | None,
) -> None:
    """Ask for the deletion of one object; it may take its grace period to go.

    With `uid` only that very object is deleted (NotFound when the name has gone to another). Without it the request is
    never repeated after it may have arrived: the second try could hit the StatefulSet's replacement.
    """
    body: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    if grace_s is not None:
        body["gracePeriodSeconds"] = grace_s
    if uid is not None:
        body["preconditions"] = {"uid": uid}
    try:
        connection.request("DELETE", path_of(kind_of(kind), name, namespace), body=body, repeatable=uid is not None)
    except NotFound:
        if not missing_ok:
            raise
    except Refused as error:
        if uid is None or error.reason != "Conflict":
            raise
        if not missing_ok:
            raise NotFound(f"{kind} {name} with uid {uid} is gone, the name belongs to another now") from error


def evict(connection: Connection, pod: str, namespace: str) -> None:
    """Evict a pod as a drain does; Refused (status 429) when a disruption budget forbids it."""
    path = f"{path_of(kind_of('Pod'), pod, namespace)}/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    # 429 is the answer here, not a reason to try again.
    connection.request("POST", path, body=body, retried=False)


def restart_rollout(connection: Connection, kind: str, name: str, namespace: str) -> None:
    """Replace the pods of a controller one by one, by the annotation that ``kubectl rollout restart`` sets."""
    stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
    body = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    patch(connection, kind, name, body, namespace=namespace, strategy="merge")


def may(connection: Connection, verb: str, kind: str, namespace: str) -> bool:
    """Whether the user of this connection is allowed to `verb` objects of `kind` ("Pod", or "Pod/exec")."""
    name, _, subresource = kind.partition("/")
    known = kind_of(name)
    group = known.api_version.rpartition("/")[0]
    attributes = {
        "verb": verb,
        "group": group,
        "resource": known.plural,
        "subresource": subresource,
        "namespace": namespace if known.namespaced else "",
    }
    review = connection.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
        repeatable=True,
    )
    return bool(review.get("status", {}).get("allowed"))


def path_of(kind: Kind, name: str, namespace: str) -> str:
    """Path of one object."""
    return f"{kind.collection(namespace)}/{name}"


def _labelled(item: Object) -> Object:
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **OWNED}}}
