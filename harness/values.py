"""From an option's text to its value. Each reader raises ValueError with the end of a sentence: "'x': is no number"."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

LARGEST_SEED = 2**32 - 1
LARGEST_SCALE = 20.0
LONGEST_SOAK_MIN = 24 * 60
#: A shorter one would heal faults that drills have not yet seen to bite; a longer one nobody waits for.
DEAD_MAN_S = range(10, 181)


def one_of(*allowed: str) -> Callable[[str], str]:
    """Make a reader that takes nothing but one of `allowed`."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"is none of {', '.join(allowed)}")
        return text

    return read


def dns_label(text: str) -> str:
    """Take a name that Kubernetes takes for a namespace."""
    # RFC 1123, as Kubernetes wants it of a namespace
    if len(text) > 63 or not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", text):
        raise ValueError("is no DNS label (1 to 63 of a-z, 0-9 and '-', not at either end)")
    return text


def cluster_name(text: str) -> str:
    """Take a name that k3d takes for a cluster."""
    # k3d 5.9 refuses longer names: the nodes' host names would not fit
    if len(text) > 32:
        raise ValueError("is longer than the 32 characters that k3d allows")
    return dns_label(text)


def scale(text: str) -> float:
    """Take a factor above 0 and up to LARGEST_SCALE."""
    scale = float(text) if re.fullmatch(r"\d+(\.\d*)?|\.\d+", text) else 0.0
    if not 0.0 < scale <= LARGEST_SCALE:
        raise ValueError(f"is no number above 0 and up to {LARGEST_SCALE:g}")
    return scale


def seed(text: str) -> int:
    """Take a whole number that seeds random choices."""
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > LARGEST_SEED:
        raise ValueError(f"is no whole number from 0 to {LARGEST_SEED}")
    return int(text)


def minutes(text: str) -> int:
    """Take a whole number of minutes, at least one and at most a day."""
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= LONGEST_SOAK_MIN:
        raise ValueError(f"is no whole number of minutes from 1 to {LONGEST_SOAK_MIN}")
    return int(text)


def dead_man(text: str) -> int:
    """Take a whole number of seconds that faults may outlive their run."""
    if not re.fullmatch(r"\d{1,3}", text) or int(text) not in DEAD_MAN_S:
        raise ValueError(f"is no whole number of seconds from {DEAD_MAN_S[0]} to {DEAD_MAN_S[-1]}")
    return int(text)


def switch(text: str) -> bool:
    """Take what is commonly written for yes and no."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("is neither 1 nor 0")


def some_text(text: str) -> str:
    """Take any text that is not blank."""
    if not text.strip():
        raise ValueError("is empty")
    return text


def existing_file(text: str) -> Path:
    """Take the path of a file that is there."""
    path = Path(some_text(text)).expanduser()
    if not path.is_file():
        raise ValueError("is no file")
    return path
