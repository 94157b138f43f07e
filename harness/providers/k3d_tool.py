"""The k3d command line: create a cluster, hand images over, get the kubeconfig.

Facts of k3d 5.9: it ends with status 1 after any fatal error, which it logs as ``FATA[…]`` after the ``ERRO[…]``
that says why; ``create`` rolls back by itself unless it is killed; KUBECONFIG and XDG_CONFIG_HOME say where it would
write of its own accord, so both point into our own state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from harness.cluster.ownership import OWNED
from harness.errors import ProviderError
from harness.images import K3D_CONFIG, ImageSet
from harness.leftovers import Place
from harness.programs import Ran, run_program

HASH_LABEL = "e2e.redis/config-hash"
#: Pulling the node image on a slow line takes minutes; the start itself is limited by the configuration's own timeout.
CREATE_S = 600.0
IMPORT_S = 300.0
ASK_S = 20.0
IMAGES_IN_NODE = "/var/lib/rancher/k3s/agent/images"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(r"(?:ERRO|FATA)\[\d+\]\s*(.*)")


class K3d:
    """The k3d program, working for one cluster name."""

    def __init__(self, images: ImageSet, place: Place) -> None:
        self._program = images.tools["k3d"]
        self._images = images
        self._place = place

    def version(self) -> str:
        """Return the program's version ("v5.9.0")."""
        words = self._run("version", seconds=ASK_S).stdout.split()
        return words[2] if len(words) > 2 else "unknown"

    def create(self, config_hash: str) -> None:
        """Create the cluster of k3d-config.yaml, labelled as ours; the caller removes what is left of a failure."""
        rendered = self._place.rendered
        rendered.write_text(yaml.safe_dump(self._configuration(config_hash), sort_keys=False), encoding="utf-8")
        ran = self._run("cluster", "create", "--config", str(rendered), seconds=CREATE_S)
        if not ran.ok:
            raise ProviderError(f"k3d cannot create cluster {self._place.name}: {_why(ran)}; log: {self._place.log}")

    def hand_over_images(self) -> None:
        """Give the nodes those images that they can neither pull nor find in their folder of images."""
        if not self._images.imports:
            return
        arguments = ("image", "import", "--cluster", self._place.name, "--mode", "direct", *self._images.imports)
        ran = self._run(*arguments, seconds=IMPORT_S)
        if not ran.ok:
            raise ProviderError(f"k3d cannot import images: {_why(ran)}; log: {self._place.log}")

    def write_kubeconfig(self) -> None:
        """Write the cluster's kubeconfig to its own file, for its owner's eyes only."""
        # Not logged: it holds the keys to the cluster.
        ran = run_program(
            [self._program, "kubeconfig", "get", self._place.name], seconds=ASK_S, environ=self._environ()
        )
        if not ran.ok:
            raise ProviderError(f"k3d has no kubeconfig of cluster {self._place.name}: {_why(ran)}")
        self._place.kubeconfig.touch(mode=0o600)
        self._place.kubeconfig.write_text(ran.stdout, encoding="utf-8")

    def _configuration(self, config_hash: str) -> Mapping[str, Any]:
        config = yaml.safe_load(K3D_CONFIG.read_text(encoding="utf-8"))
        config["metadata"] = {"name": self._place.name}
        config["image"] = self._images.node_image
        labels = {**OWNED, HASH_LABEL: config_hash}
        runtime = config["options"].setdefault("runtime", {})
        runtime["labels"] = [{"label": f"{k}={v}", "nodeFilters": ["all"]} for k, v in labels.items()]
        if self._images.images_dir is not None:
            mount = f"{self._images.images_dir}:{IMAGES_IN_NODE}:ro"
            config["volumes"] = [{"volume": mount, "nodeFilters": ["all"]}]
        return dict(config)

    def _run(self, *arguments: str, seconds: float) -> Ran:
        return run_program([self._program, *arguments], seconds=seconds, environ=self._environ(), log=self._place.log)

    def _environ(self) -> dict[str, str]:
        environ = {
            "KUBECONFIG": str(self._place.folder / "k3d-default-kubeconfig.yaml"),
            "XDG_CONFIG_HOME": str(self._place.folder),
        }
        if self._images.k3d_tools_image:
            environ["K3D_IMAGE_TOOLS"] = self._images.k3d_tools_image
        return environ


def _why(ran: Ran) -> str:
    """Return k3d's telling line: its first error; those after it only say what it did about that."""
    lines = (_COLOUR.sub("", line).strip() for line in ran.stderr.splitlines())
    errors = [found[1] for found in map(_ERROR.match, lines) if found]
    return errors[0] if errors and ran.status is not None else _COLOUR.sub("", ran.telling())
