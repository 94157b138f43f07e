"""The node image: upstream Kubernetes behind the command line of k3s."""

from __future__ import annotations

import shutil
from pathlib import Path

from airgap.debian import unpack
from airgap.images import CODE, described, reference
from airgap.images.accounts import link_busybox, write_accounts
from airgap.images.iptables import link_iptables
from airgap.layer import Settings, write_image
from airgap.plan import Lane, Step, Work
from airgap.versions import GO_TOOLS, KUBERNETES

SCRIPTS = Path(__file__).parents[1] / "node"
PACKAGES = (
    "bash", "busybox-static", "conntrack", "containerd", "coreutils", "e2fsprogs", "findutils", "grep", "hostname",
    "ipset", "iptables", "iproute2", "kmod", "mawk", "mount", "openssl", "procps", "runc", "sed", "util-linux",
)  # fmt: skip
WITHOUT = ("ca-certificates", "libgpm2", "libreadline8", "readline-common", "logsave", "netbase", "tzdata")
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet")
UNUSED = ("containerd-stress", "containerd-shim", "containerd-shim-runc-v1")
TOOLS = ("kubernetes", "etcd", "kube-router", "local-path-provisioner", "cni-plugins")
INSIDE = ("pause", "coredns", "helper")
"""Images that the node itself starts, by reference."""

VOLUMES = ("/var/lib/rancher/k3s", "/var/lib/kubelet", "/var/lib/cni", "/var/log")


def node_base() -> Step:
    """The Debian part: changes seldom, and can be unpacked while Go compiles."""
    return Step("node-base", Lane.UNPACK, (*CODE, *PACKAGES, *WITHOUT, *UNUSED, Path(__file__)), _build_base)


def node_image() -> Step:
    """The step that builds it."""
    needs = ("node-base", *(f"go-{tool}" for tool in TOOLS), *INSIDE)
    return Step("node", Lane.UNPACK, (*CODE, SCRIPTS, Path(__file__)), _build, needs)


def _build_base(work: Work) -> None:
    root = work.output / "root"
    root.mkdir()
    unpack(PACKAGES, root, scratch=work.scratch, log=work.log, without=WITHOUT)
    for name in UNUSED:
        (root / "usr/bin" / name).unlink(missing_ok=True)
    write_accounts(root)
    # k3d's entrypoint traps SIGTERM by that name and uses $HOSTNAME: bash can, Debian's own sh cannot.
    shell = root / "usr/bin/sh"
    shell.unlink(missing_ok=True)
    shell.symlink_to("bash")
    link_busybox(root)
    link_iptables(root)


def _build(work: Work) -> None:
    root = work.scratch / "root"
    shutil.copytree(work.needs["node-base"] / "root", root, symlinks=True)
    _add_programs(work, root)
    _add_scripts(work, root)
    write_image(
        root,
        work.output,
        reference=reference("node", work.key),
        version=KUBERNETES,
        settings=Settings(
            entrypoint=("/bin/k3s",),
            command=("agent",),
            volumes=VOLUMES,
            env={
                "CONTAINERD_ADDRESS": "/run/k3s/containerd/containerd.sock",
                "CONTAINERD_NAMESPACE": "k8s.io",
                "KUBECONFIG": "/etc/rancher/k3s/k3s.yaml",
            },
        ),
    )


def _add_programs(work: Work, root: Path) -> None:
    for tool in TOOLS:
        target = root / ("usr/lib/cni" if tool == "cni-plugins" else "usr/local/bin")
        target.mkdir(parents=True, exist_ok=True)
        for program in GO_TOOLS[tool].packages:
            shutil.copy2(work.needs[f"go-{tool}"] / program, target / program)
    for program in PROGRAMS:
        (root / "usr/local/bin" / program).symlink_to("kubernetes")


def _add_scripts(work: Work, root: Path) -> None:
    images = {name: described(work.needs[name]).reference for name in INSIDE}
    shutil.copy2(SCRIPTS / "k3s", root / "usr/bin/k3s")
    shutil.copytree(SCRIPTS / "lib", root / "usr/lib/k3s")
    share = root / "usr/share/k3s"
    for folder in ("manifests", "local-path"):
        shutil.copytree(SCRIPTS / folder, share / folder)
    for path in share.rglob("*.yaml"):
        text = path.read_text()
        for name, image in images.items():
            text = text.replace(f"@{name}@", image)
        path.write_text(text)
    for name in ("pause", "helper"):
        (share / f"{name}-image").write_text(f"{images[name]}\n")
