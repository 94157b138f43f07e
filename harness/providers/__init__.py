"""Who gives the cluster: one of our own by k3d, or the user's by a kube-context."""

from __future__ import annotations

from harness.errors import ImageError
from harness.images import ImageSet
from harness.providers.base import (
    Access,
    DisconnectsNodes,
    HealsLater,
    MendsNodes,
    PausesNodes,
    Progress,
    Provider,
    RunsOnNodes,
    StopsNodes,
)
from harness.providers.context import ContextProvider
from harness.providers.k3d import K3dProvider
from harness.settings import Settings

__all__ = [
    "Access",
    "ContextProvider",
    "DisconnectsNodes",
    "HealsLater",
    "K3dProvider",
    "MendsNodes",
    "PausesNodes",
    "Progress",
    "Provider",
    "RunsOnNodes",
    "StopsNodes",
    "provider_of",
]


def provider_of(settings: Settings, images: ImageSet | None) -> Provider:
    """Return the provider that the settings name; nothing is started yet. Only k3d needs images (else ImageError)."""
    if settings.provider == "context":
        return ContextProvider(settings)
    if images is None:
        raise ImageError("a k3d cluster cannot be made without images")
    return K3dProvider(settings, images)
