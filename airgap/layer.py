"""Container images as one-layer archives, written without a container engine.

The format is that of ``docker save``, which Docker, containerd and k3d import
alike. Equal content gives an equal archive: entries are sorted, owners are
numbers given here, times are zero.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airgap.errors import AirgapError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
ARCHIVE = "image.tar"
DESCRIPTION = "image.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What an image says about running it."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    owners: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Owner (uid, gid) by path in the image; everything else is root's."""


def architecture() -> str:
    """Name this machine's architecture as container images do."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise AirgapError(f"no images can be built for {machine}: known are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[machine]


def write_image(root: Path, output: Path, *, reference: str, version: str, settings: Settings) -> None:
    """Write ``output/image.tar`` and ``output/image.json`` from the tree ``root``."""
    layer = output / "layer.tar"
    _write_layer(root, layer, settings.owners)
    layer_digest = _sha256(layer)
    config = json.dumps(_config(layer_digest, version, settings), sort_keys=True).encode()
    image_id = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{image_id}.json", "RepoTags": [reference], "Layers": [f"{layer_digest}/layer.tar"]}]
    with tarfile.open(output / ARCHIVE, "w", format=tarfile.GNU_FORMAT) as archive:
        _add_bytes(archive, f"{image_id}.json", config)
        _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())
        with layer.open("rb") as source:
            entry = tarfile.TarInfo(f"{layer_digest}/layer.tar")
            entry.size = layer.stat().st_size
            archive.addfile(entry, source)
    layer.unlink()
    described = {
        "reference": reference,
        "image_id": f"sha256:{image_id}",
        "version": version,
        "bytes": (output / ARCHIVE).stat().st_size,
    }
    (output / DESCRIPTION).write_text(json.dumps(described, indent=2) + "\n")


def _config(layer_digest: str, version: str, settings: Settings) -> dict[str, object]:
    running: dict[str, object] = {
        "Env": [f"{name}={value}" for name, value in {"PATH": _PATH, **settings.env}.items()],
        "Labels": {"org.opencontainers.image.version": version},
    }
    optional = {
        "Entrypoint": list(settings.entrypoint),
        "Cmd": list(settings.command),
        "User": settings.user,
        "WorkingDir": settings.workdir,
        "Volumes": {volume: {} for volume in settings.volumes},
    }
    running.update({name: value for name, value in optional.items() if value})
    return {
        "architecture": architecture(),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": running,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "airgap"}],
    }


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _write_layer(root: Path, layer: Path, owners: Mapping[str, tuple[int, int]]) -> None:
    with tarfile.open(layer, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in _walk(root):
            name = str(path.relative_to(root))
            entry = archive.gettarinfo(path, name)
            entry.uid, entry.gid = owners.get(name, (0, 0))
            entry.uname = entry.gname = ""
            entry.mtime = 0
            if entry.isreg():
                with path.open("rb") as source:
                    archive.addfile(entry, source)
            else:
                archive.addfile(entry)


def _walk(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        found.extend(Path(folder, name) for name in (*folders, *files))
    return sorted(found)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()
