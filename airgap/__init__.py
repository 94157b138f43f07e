"""Builds the whole test bed from package registries alone: tools, images and a container engine.

Standard library only: it runs before any environment of the project exists.
"""

from __future__ import annotations

from airgap.bundle import BuiltImage, Bundle, build, build_tools
from airgap.engine import Engine, ensure_engine, load_node_image, stop_engine
from airgap.errors import AirgapError

__all__ = [
    "AirgapError",
    "BuiltImage",
    "Bundle",
    "Engine",
    "build",
    "build_tools",
    "ensure_engine",
    "load_node_image",
    "stop_engine",
]
