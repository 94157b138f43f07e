"""The cluster as the rest of the suite sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from harness.cluster import execute as execution
from harness.cluster import logs as journal
from harness.cluster import objects, watch
from harness.cluster.connection import ANSWER_S, Connection
from harness.cluster.execute import Executed
from harness.cluster.kinds import Object
from harness.cluster.pod_http import PodHttp
from harness.cluster.pool import Pool
from harness.cluster.shell import Shell

T = TypeVar("T")
Objects: TypeAlias = list[Object]
Results: TypeAlias = list[T]  # a name of its own, because in the class body `list` is a method


class Cluster:
    """A Kubernetes cluster, seen from one namespace. Safe to share between threads; nothing is cached.

    Every call has a time limit. Transient errors of the API server are retried here and nowhere else: callers may take
    a ClusterError as final. Objects are the API's JSON, decoded.
    """

    def __init__(
        self, connection: Connection, pool: Pool, kubeconfig: Path, context: str | None, namespace: str
    ) -> None:
        self._connection = connection
        self._pool = pool
        self.kubeconfig = kubeconfig
        self.context = context
        self.namespace = namespace

    @classmethod
    def connect(cls, kubeconfig: Path, context: str | None, namespace: str) -> Cluster:
        """Read the kubeconfig; the API server is first asked by the first call. ClusterError when it cannot be used."""
        return cls(Connection(kubeconfig, context), Pool(), kubeconfig, context, namespace)

    def in_namespace(self, namespace: str) -> Cluster:
        """Return the same cluster (and connection) seen from another namespace."""
        return Cluster(self._connection, self._pool, self.kubeconfig, self.context, namespace)

    def close(self) -> None:
        """Close idle connections and threads."""
        self._pool.close()
        self._connection.close()

    def __repr__(self) -> str:
        return f"Cluster({self._connection.host}, namespace={self.namespace})"

    # Objects

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Object:
        """Return one object; NotFound when it does not exist."""
        return objects.get(self._connection, kind, name, namespace or self.namespace)

    def list(self, kind: str, *, selector: str = "", fields: str = "", namespace: str | None = None) -> Objects:
        """Return the objects of a kind that match a label selector and a field selector."""
        return objects.list_objects(self._connection, kind, namespace or self.namespace, _selection(selector, fields))

    def apply(self, items: Sequence[Object], *, owner_labels: bool = True) -> None:
        """Apply server-side, forcing conflicts, in an order in which each object finds what it refers to.

        With `owner_labels` each object gets the suite's ownership label. ManifestError names what was refused and why.
        """
        objects.apply(self._connection, items, self.namespace, owner_labels=owner_labels)

    def patch(
        self,
        kind: str,
        name: str,
        body: Object,
        *,
        namespace: str | None = None,
        type: Literal["merge", "strategic"] = "merge",  # noqa: A002 - kubectl's word
    ) -> Object:
        """Patch one object and return what it became."""
        where = namespace or self.namespace
        return objects.patch(self._connection, kind, name, body, namespace=where, strategy=type)

    def delete(
        self,
        kind: str,
        name: str,
        *,
        grace_s: int | None = None,
        namespace: str | None = None,
        missing_ok: bool = False,
        uid: str | None = None,
    ) -> None:
        """Ask for the deletion of an object and return at once; with `uid` only of that very one (else NotFound)."""
        where = namespace or self.namespace
        objects.delete(self._connection, kind, name, where, grace_s=grace_s, missing_ok=missing_ok, uid=uid)

    def evict(self, pod: str) -> None:
        """Evict a pod as a drain does; Refused with status 429 when a disruption budget forbids it."""
        objects.evict(self._connection, pod, self.namespace)

    def restart_rollout(self, statefulset: str) -> None:
        """Replace the pods of a StatefulSet one by one, as ``kubectl rollout restart`` does."""
        objects.restart_rollout(self._connection, "StatefulSet", statefulset, self.namespace)

    def cordon(self, node: str) -> None:
        """Keep new pods off a node."""
        self.patch("Node", node, {"spec": {"unschedulable": True}})

    def uncordon(self, node: str) -> None:
        """Let new pods onto a node again; harmless when they already may."""
        self.patch("Node", node, {"spec": {"unschedulable": None}})

    def may(self, verb: str, kind: str) -> bool:
        """Whether this connection's user may `verb` objects of `kind` ("Pod", "Pod/exec") in the namespace."""
        return objects.may(self._connection, verb, kind, self.namespace)

    # Waiting

    def wait_for(
        self,
        kind: str,
        *,
        name: str | None = None,
        selector: str = "",
        until: Callable[[Objects], object],
        seconds: float,
        what: str,
        namespace: str | None = None,
    ) -> Objects:
        """Return the objects as they were when `until` first held for them; asks once, then is told of every change.

        `until` gets all objects of the selection. `seconds` is patience and scaled as such. WaitTimeout carries the
        last state, and the ``reasons`` of what `until` returned.
        """
        return watch.wait_for(
            self._connection,
            kind,
            namespace=namespace or self.namespace,
            query=_selection(selector, f"metadata.name={name}" if name else ""),
            until=until,
            seconds=seconds,
            what=what,
        )

    def gather(self, calls: Sequence[Callable[[], T]]) -> Results[T]:
        """Run calls side by side and return their results in order; raises the first error after all have ended."""
        return self._pool.gather(calls)

    # Inside pods

    def execute(
        self, pod: str, container: str, argv: Sequence[str], *, stdin: str | None = None, seconds: float = 10.0
    ) -> Executed:
        """Run a command; its exit status is in the result, ``check()`` raises for it.

        ExecFailed when it has not ended after `seconds` or the connection broke; ClusterError when it did not start.
        """
        place = (self._connection, self.namespace, pod, container)
        return execution.execute(*place, argv, stdin=stdin, seconds=seconds)

    def shell(self, pod: str, container: str, *, namespace: str | None = None) -> Shell:
        """Return a shell held open in a container, for many quick commands; close it, or use it in a ``with``."""
        return Shell(self._connection, namespace or self.namespace, pod, container)

    def pod_http(self, pod: str, port: int, *, namespace: str | None = None, seconds: float = ANSWER_S) -> PodHttp:
        """Return ``request(method, path, body) -> bytes`` to a pod's port; ``.stream(...)`` for large answers.

        `seconds` limits the wait for an answer, and between two pieces of it.
        """
        return PodHttp(self._connection, namespace or self.namespace, pod, port, seconds)

    def logs(
        self,
        pod: str,
        container: str,
        *,
        since_s: float | None = None,
        previous: bool = False,
        tail: int | None = None,
    ) -> str:
        """Return a container's log; `previous` is the run before its last restart (Refused when there was none)."""
        place = (self._connection, self.namespace, pod, container)
        return journal.logs(*place, since_s=since_s, previous=previous, tail=tail)

    # About the cluster

    def events(self) -> Objects:
        """Return the namespace's events, oldest first."""
        return journal.events(self._connection, self.namespace)

    def version(self) -> str:
        """Return the API server's version ("v1.34.2")."""
        return str(self._connection.request("GET", "/version")["gitVersion"])


def _selection(selector: str, fields: str) -> dict[str, str]:
    chosen = {"labelSelector": selector, "fieldSelector": fields}
    return {name: value for name, value in chosen.items() if value}
