"""The provider for a cluster of the user's own: it creates nothing, deletes nothing and breaks nothing unasked."""

from __future__ import annotations

from functools import partial

from harness.cluster import Cluster, is_owned
from harness.errors import ClusterError, NotFound, ProviderError
from harness.providers.base import Access, Progress
from harness.settings import DRILL_CONSENT, Settings

#: What the checks do, as (verb, kind).
NEEDED = (
    ("list", "Node"),
    ("list", "PersistentVolume"),
    ("list", "StorageClass"),
    ("list", "Pod"),
    ("list", "StatefulSet"),
    ("list", "Service"),
    ("list", "EndpointSlice"),
    ("list", "PersistentVolumeClaim"),
    ("get", "ConfigMap"),
    ("list", "Event"),
    ("get", "Pod/log"),
    ("get", "Pod/proxy"),
    ("create", "Pod/exec"),
)


class ContextProvider:
    """Hands out the cluster of ``--context``."""

    name = "context"

    def __init__(self, settings: Settings) -> None:
        if settings.kubeconfig is None or settings.context is None:
            raise ProviderError("the context provider needs a kubeconfig and a context")
        self._access = Access(settings.kubeconfig, settings.context, "given")
        self._consent = settings.consent
        self._cluster = Cluster.connect(settings.kubeconfig, settings.context, settings.namespace)
        self._version = ""

    def obtain(self, progress: Progress) -> Access:
        """Return access after asking whether the API server answers and allows what the checks do."""
        context = self._access.context
        try:
            self._version = self._cluster.version()
            denied = self._denied()
        except ClusterError as error:
            raise ProviderError(f"context {context}: {error}") from error
        if denied:
            raise ProviderError(f"context {context}: its user may not {', '.join(denied)} in {self._cluster.namespace}")
        progress(f"context {context}: {self._version}, nothing is created or deleted there")
        return self._access

    def release(self) -> None:
        """Do nothing to the cluster: it is not ours."""
        self._cluster.close()

    def describe(self) -> dict[str, object]:
        """Return what the report's head says about the cluster."""
        return {"provider": self.name, "context": self._access.context, "kubernetes": self._version}

    def may_inject(self, namespace: str) -> str | None:
        """Say why faults may not be injected: the namespace is neither ours nor named by the user for that."""
        if self._consent == namespace:
            return None
        try:
            owned = is_owned(self._cluster.get("Namespace", namespace))
        except NotFound:
            return f"namespace {namespace} does not exist"
        return None if owned else f"namespace {namespace} is not the suite's own; {DRILL_CONSENT} {namespace} allows it"

    def _denied(self) -> list[str]:
        answers = self._cluster.gather([partial(self._cluster.may, verb, kind) for verb, kind in NEEDED])
        return [f"{verb} {kind}" for (verb, kind), allowed in zip(NEEDED, answers, strict=True) if not allowed]
