"""Which of the library's own drills run every time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from harness.faults.samples import DRILLED


def cases(names: Iterable[str]) -> list[Any]:
    """Return the names as parameters; those whose faults another drill injects as well are marked `library`."""
    return [pytest.param(name, marks=pytest.mark.library if name in DRILLED else ()) for name in names]
