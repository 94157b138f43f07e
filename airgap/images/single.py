"""Images of one static program and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from airgap.images import CODE, reference
from airgap.images.accounts import write_accounts
from airgap.layer import Settings, write_image
from airgap.plan import Lane, Step, Work
from airgap.versions import GO_TOOLS


def single_image(logical: str, tool: str, program: str, *, user: str = "") -> Step:
    """An image holding ``/<program>`` of a Go tool, run as ``user``."""
    needed = f"go-{tool}"

    def build(work: Work) -> None:
        root = work.scratch / "root"
        root.mkdir()
        shutil.copy2(work.needs[needed] / program, root / program)
        write_accounts(root)
        write_image(
            root,
            work.output,
            reference=reference(logical, work.key),
            version=GO_TOOLS[tool].version,
            settings=Settings(entrypoint=(f"/{program}",), user=user),
        )

    return Step(logical, Lane.UNPACK, (*CODE, program, user, Path(__file__)), build, (needed,))
