"""Go programs from the module proxy, each by its own go.mod and go.sum."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from airgap import commands
from airgap.errors import AirgapError
from airgap.plan import Lane, Step, Work
from airgap.versions import GoTool

SOURCES = Path(__file__).parent / "go"
TIMEOUT = 1800.0
"""Seconds for one tool; the longest takes five minutes on two cores."""


def go_step(tool: GoTool) -> Step:
    """A step whose output holds one static file per entry of ``tool.packages``."""
    described = [f"{name}={package}" for name, package in tool.packages.items()]
    stamps = [f"{name}={value}" for name, value in tool.stamps.items()]
    return Step(
        name=f"go-{tool.directory}",
        lane=Lane.COMPILE,
        inputs=(SOURCES / tool.directory, *described, *stamps, Path(__file__)),
        run=lambda work: _build(tool, work),
    )


def _build(tool: GoTool, work: Work) -> None:
    # In a copy: -mod=mod may complete go.mod and go.sum, and a build must not edit the checkout.
    sources = work.scratch / tool.directory
    shutil.copytree(SOURCES / tool.directory, sources)
    # One package is written under its own name; several in one call share the compiler's work and name themselves.
    names = list(tool.packages)
    target = work.output / names[0] if len(names) == 1 else f"{work.output}/"
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in tool.stamps.items())])
    commands.run(
        ["go", "build", "-trimpath", "-buildvcs=false", f"-ldflags={flags}", "-o", target, *tool.packages.values()],
        log=work.log,
        timeout=TIMEOUT,
        cwd=sources,
        env=_environment(tool),
    )
    missing = [name for name in names if not (work.output / name).is_file()]
    if missing:
        raise AirgapError(f"go build left no {', '.join(missing)}")


def _environment(tool: GoTool) -> dict[str, str]:
    # -mod=mod because some modules answer for exact versions but not for their version list, which any check for
    # updates or deprecation asks for.
    unlisted = ",".join(filter(None, [os.environ.get("GONOSUMDB", ""), tool.unlisted]))
    return {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GONOSUMDB": unlisted, "GOWORK": "off"}
