"""The façade over Kubernetes: the only package that imports `kubernetes`."""

from __future__ import annotations

from harness.cluster.connection import Refused, Unreachable
from harness.cluster.execute import Executed
from harness.cluster.facade import Cluster
from harness.cluster.kinds import Object
from harness.cluster.ownership import OWNED, OWNER, OWNER_LABEL, is_owned
from harness.cluster.pod_http import PodHttp
from harness.cluster.shell import Shell

__all__ = [
    "OWNED",
    "OWNER",
    "OWNER_LABEL",
    "Cluster",
    "Executed",
    "Object",
    "PodHttp",
    "Refused",
    "Shell",
    "Unreachable",
    "is_owned",
]
