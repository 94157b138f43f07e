"""Every seat has a Bound claim of the right class and size, and its instance really keeps its state there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from harness.properties import require_something
from harness.sut.names import INSTANCES, KINDS, Kind, kind_of

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def default_class(classes: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the name of the cluster's default StorageClass, None when there is none."""
    for found in classes:
        if found["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true":
            return str(found["metadata"]["name"])
    return None


def due_class(stateful_set: Mapping[str, Any], default: str | None) -> str | None:
    """Return the class that the claims of `stateful_set` must have: its template's own, else the default one."""
    templates = stateful_set["spec"].get("volumeClaimTemplates", [])
    return next((each["spec"].get("storageClassName") for each in templates), None) or default


def against_claims(
    claims: Mapping[str, Mapping[str, Any]],
    volumes: Mapping[str, Mapping[str, Any]],
    due_classes: Mapping[str, str | None],
) -> Iterator[str]:
    """Yield what is wrong with the six claims and the volumes behind them. `due_classes` is keyed by StatefulSet."""
    for kind in KINDS:
        for seat in kind.seats(INSTANCES):
            name = kind.claim(seat)
            claim = claims.get(name)
            if claim is None:
                yield f"claim {name} does not exist"
                continue
            yield from _against_claim(name, claim, volumes, kind, due_classes[kind.stateful_set])


def _against_claim(
    name: str,
    claim: Mapping[str, Any],
    volumes: Mapping[str, Mapping[str, Any]],
    kind: Kind,
    due: str | None,
) -> Iterator[str]:
    spec, phase = claim["spec"], claim.get("status", {}).get("phase")
    if phase != "Bound":
        yield f"claim {name} is {phase}"
        return
    if spec.get("storageClassName") != due:
        yield f"claim {name} is of class {spec.get('storageClassName')}, {due} is due"
    asked = spec["resources"]["requests"]["storage"]
    if asked != kind.storage:
        yield f"claim {name} asks for {asked}, {kind.storage} is promised"
    volume = volumes.get(spec.get("volumeName", ""))
    if volume is None:
        yield f"claim {name} is Bound to volume {spec.get('volumeName')}, which does not exist"
    elif volume["spec"].get("claimRef", {}).get("uid") != claim["metadata"]["uid"]:
        yield f"claim {name} is Bound to volume {spec['volumeName']}, which belongs to another claim"


def against_use(pods: Mapping[str, Mapping[str, Any]], state_paths: Mapping[str, str]) -> Iterator[str]:
    """Yield the seats whose instance keeps its state elsewhere than on the seat's own claim.

    `state_paths` has, by seat, the path that the running instance itself names: Redis' data directory, Sentinel's
    configuration file. Claims left by an earlier deployment stay Bound while nobody uses them.
    """
    require_something(pods, "pod of Redis or Sentinel")
    for seat, path in state_paths.items():
        kind, spec = kind_of(seat), pods[seat]["spec"]
        container = next(each for each in spec["containers"] if each["name"] == kind.container)
        mount = _mount_of(path, container.get("volumeMounts", []))
        if mount is None:
            yield f"{seat} keeps its state at {path}, in the container itself: it is lost with the container"
            continue
        volume = next(each for each in spec["volumes"] if each["name"] == mount["name"])
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim != kind.claim(seat):
            source = claim or next(key for key in volume if key != "name")
            yield f"{seat} keeps its state at {path}, on {source}; it must be on its claim {kind.claim(seat)}"


def _mount_of(path: str, mounts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the innermost mount that holds `path`."""
    target = PurePosixPath(path)
    holding = [mount for mount in mounts if target.is_relative_to(PurePosixPath(mount["mountPath"]))]
    return max(holding, key=lambda mount: len(mount["mountPath"]), default=None)
