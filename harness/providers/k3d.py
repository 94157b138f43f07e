"""The provider that creates a k3d cluster, finds a kept one again, and deletes only what is the suite's own."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from uuid import uuid4

import yaml

from harness.cluster import Cluster
from harness.errors import HarnessError, ProviderError
from harness.images import K3D_CONFIG, ImageSet
from harness.leftovers import Place, Record, left_behind
from harness.providers.base import Access, Origin, Progress
from harness.providers.docker import Remains, engine_version, remains_of, require_room
from harness.providers.k3d_nodes import HEAL, K3dNodes
from harness.providers.k3d_removal import delete, require_ours
from harness.providers.k3d_tool import HASH_LABEL, K3d
from harness.providers.steady_cluster import await_usable, is_usable
from harness.settings import PROJECT, Settings

#: A fresh cluster is usable about 20 s after k3d is done; one with cold images needs far longer.
USABLE_S = 180.0
#: One that is to be used again is either well or not worth waiting for.
STILL_USABLE_S = 20.0


class K3dProvider(K3dNodes):
    """Hands out the cluster of k3d-config.yaml under ``--cluster-name``."""

    name = "k3d"

    def __init__(self, settings: Settings, images: ImageSet) -> None:
        self._place = Place(settings.state_dir, settings.cluster_name)
        super().__init__(settings.cluster_name, self._place.folder / "timers")
        self._keep = settings.keep_cluster
        self._settings = settings
        self._images = images
        self._k3d = K3d(images, self._place)
        self._config = yaml.safe_load(K3D_CONFIG.read_text(encoding="utf-8"))
        self._hash = config_hash(images)
        self._access: Access | None = None
        self._facts: dict[str, object] = {}
        self._progress: Progress = print

    def obtain(self, progress: Progress) -> Access:
        """Return access to a cluster of ours: a kept or left one that fits and works, else a new one."""
        self._progress = progress
        engine = engine_version()
        self._place.claim()
        try:
            for left in left_behind(self._place.folder.parent, self.cluster):
                remedy = f"make down ARGS='--cluster-name {left.name}' removes it"
                progress(f"cluster {left.name}: left by a run that was killed; {remedy}")
            self._place.end_orphans()
            there = remains_of(self.cluster)
            if there:
                self._access = self._found(there)
            if self._access is None:
                self._access = self._created()
        except BaseException:
            self._place.yield_up()
            raise
        # Gathered now: the report is written even when Docker has died meanwhile.
        self._facts = {
            "provider": self.name,
            "cluster": self.cluster,
            "origin": self._access.origin,
            "k3d": self._k3d.version(),
            "docker": engine,
            "nodes": f"{self._config['servers']} server, {self._config['agents']} agents",
            "node image": self._images.node_image,
        }
        return self._access

    def release(self) -> None:
        """Remove the cluster unless it is to be kept; an earlier run's kept one stays, ``make down`` removes it."""
        if self._access is None:
            return
        record = self._place.read()
        if self._keep or self._access.origin == "kept":
            if record is not None:
                self._place.write(replace(record, kept=True))
            self._progress(f"cluster {self.cluster}: kept; make down removes it")
        else:
            self._remove()
        self._access = None
        self._place.yield_up()

    def describe(self) -> dict[str, object]:
        """Return what the report's head says about the cluster."""
        return dict(self._facts)

    def may_inject(self, namespace: str) -> str | None:
        """Return None: the whole cluster is ours."""
        del namespace
        return None

    def heal_later(self, *, seconds: float) -> Callable[[], object]:
        """Have ``make heal`` run in `seconds`, whatever becomes of this process; what is returned calls it off.

        It waits on this machine, and what it says goes into healed.log beside the cluster's record. While a run uses
        the cluster it is refused, as by hand.
        """
        name = f"{HEAL}{uuid4().hex[:8]}"
        given = self._settings
        environ = [f"PYTHONPATH={PROJECT}", f"E2E_STATE_DIR={given.state_dir.absolute()}"]
        options = ["--cluster-name", self.cluster, "--namespace", given.namespace]
        options += ["--report-dir", str(given.report_dir.absolute())]
        heal = ["env", *environ, sys.executable, "-m", "harness.heal", *options]
        log = self._place.folder / "healed.log"
        self._timers.arm(name, ["sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log), *heal], seconds=seconds)
        return partial(self._timers.disarm, name)

    # Finding

    def _found(self, there: Remains) -> Access | None:
        """Return access to what is there; None after removing it because it does not fit or does not work."""
        require_ours(there, self._place)
        record = self._place.read()
        origin: Origin = "kept" if record is not None and record.kept else "leftover"
        self._progress(f"cluster {self.cluster}: found, {self._story(origin, record)}")
        unfit = self._unfit(there, record) or self._unusable()
        if unfit is None:
            mine = Record.of(self.cluster, self._hash, kept=self._keep or origin == "kept", stage="ready")
            self._place.write(replace(mine, made_at=record.made_at) if record else mine)
            return self._handed_out(origin)
        self._progress(f"cluster {self.cluster}: made anew, because {unfit}")
        self._keep = self._keep or origin == "kept"
        delete(self._place)
        self._place.forget()  # with the cluster its faults are gone too
        return None

    def _story(self, origin: Origin, record: Record | None) -> str:
        if record is None:
            return "ours, but its record is lost"
        if origin == "kept":
            return f"kept since {record.made_at}"
        return f"left by a run that was killed (process {record.pid}, {record.made_at})"

    def _unfit(self, there: Remains, record: Record | None) -> str | None:
        """Say why the cluster cannot be used again, as far as that shows without asking it; nodes are mended first."""
        if record is not None and record.stage != "ready":
            return "it was never finished"
        if any(node.labels.get(HASH_LABEL) != self._hash for node in there.nodes):
            return "its configuration or images differ from this run's"
        for mended in self.mend_nodes():  # a drill that was killed may have left it so
            self._progress(mended)
        idle = [node.name for node in remains_of(self.cluster).nodes if not node.running]
        if idle or len(there.nodes) != self._nodes_wanted:
            return f"{', '.join(idle) or 'a node'} is not running"
        return None

    def _unusable(self) -> str | None:
        """Say why the cluster cannot be used as it is; None when it can, all nodes open again."""
        try:
            self._k3d.write_kubeconfig()
        except ProviderError as error:
            return str(error)
        with closing(self._connected()) as cluster:
            trouble = is_usable(cluster, nodes=self._nodes_wanted, seconds=STILL_USABLE_S)
            if trouble is None:
                self._uncordon(cluster)
        return trouble

    # Making and removing

    def _created(self) -> Access:
        require_room()
        record = Record.of(self.cluster, self._hash, kept=False, stage="creating")
        self._place.write(record)
        self._progress(f"cluster {self.cluster}: creating {self._nodes_wanted} nodes")
        try:
            self._k3d.create(self._hash)
            self._k3d.write_kubeconfig()
            with closing(self._connected()) as cluster:
                await_usable(cluster, nodes=self._nodes_wanted, seconds=USABLE_S)
            self._k3d.hand_over_images()
        except BaseException as error:  # Ctrl-C too: what is half made is of no use to anybody
            self._undo(error)
            raise
        self._place.write(replace(record, stage="ready", kept=self._keep))
        return self._handed_out("created")

    def _undo(self, error: BaseException) -> None:
        self._progress(f"cluster {self.cluster}: removing what was made so far")
        try:
            delete(self._place)
        except HarnessError as left:
            if isinstance(error, HarnessError):
                raise ProviderError(
                    f"{error}; and what was made is still there, make down removes it: {left}"
                ) from error
            self._progress(f"cluster {self.cluster} is still there, make down removes it: {left}")
        else:
            self._place.forget()

    def _remove(self) -> None:
        self._progress(f"cluster {self.cluster}: removing it")
        try:
            delete(self._place)
        except HarnessError as error:
            raise ProviderError(f"cluster {self.cluster} may still be there, make down removes it: {error}") from error
        self._place.forget()

    def _handed_out(self, origin: Origin) -> Access:
        return Access(self._place.kubeconfig, self._context, origin, self._place.ledger)

    def _connected(self) -> Cluster:
        return Cluster.connect(self._place.kubeconfig, self._context, "default")

    @property
    def _context(self) -> str:
        return f"k3d-{self.cluster}"

    def _uncordon(self, cluster: Cluster) -> None:
        """A killed drill may have left a node closed; nobody else closes nodes of a cluster that is ours."""
        for node in cluster.list("Node"):
            if node["spec"].get("unschedulable"):
                cluster.uncordon(node["metadata"]["name"])

    @property
    def _nodes_wanted(self) -> int:
        return int(self._config["servers"]) + int(self._config["agents"])


def config_hash(images: ImageSet) -> str:
    """Return the hash of all that a cluster is made from; a cluster with another one is not used again."""
    made_from = {
        "config": K3D_CONFIG.read_text(encoding="utf-8"),
        "node": images.node_image,
        "images": dict(images.references),
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:16]
