#!/usr/bin/env python3
"""OCI runtime that never asks for CAP_SYS_RESOURCE, for machines whose capability bounding set lacks it.

Docker's privileged containers ask for every capability, and runc then fails
with "unable to apply caps". This takes the one out of the bundle's
config.json (create, run) or of the process file (exec), then becomes runc.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

MISSING = "CAP_SYS_RESOURCE"


def main(arguments: list[str]) -> None:
    """Mend what the arguments name and become runc."""
    if "create" in arguments or "run" in arguments:
        mend(Path(option(arguments, "--bundle", "-b") or ".", "config.json"))
    elif "exec" in arguments:
        process = option(arguments, "--process", "-p")
        if process:
            mend(Path(process))
    os.execvp("runc", ["runc", *arguments])  # noqa: S606 - becoming runc is the purpose


def mend(path: Path) -> None:
    """Remove the capability from every set of the file."""
    content = json.loads(path.read_text())
    process = content.get("process", content)
    sets = process.get("capabilities") or {}
    for name, capabilities in sets.items():
        sets[name] = [capability for capability in capabilities or [] if capability != MISSING]
    path.write_text(json.dumps(content))


def option(arguments: list[str], *names: str) -> str | None:
    """The value of an option given as two words or with an equals sign."""
    for position, argument in enumerate(arguments):
        for name in names:
            if argument == name and position + 1 < len(arguments):
                return arguments[position + 1]
            if argument.startswith(f"{name}="):
                return argument.partition("=")[2]
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
