"""Why operations were not acknowledged, in words: the witness's classes of errors are for programs."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: By the class of witness/outcomes.py; what a server refused carries the reply's first word in small letters.
WORDS = {
    "refused": "connection refused: no process listened there",
    "reset": "the connection broke",
    "timeout": "no answer in time",
    "unreachable": "no route to the address",
    "unresolved": "the name did not resolve",
    "protocol": "an answer that is none of Redis's",
    "no-primary": "the Sentinels named no primary",
    "not-primary": "whom the Sentinels named called itself a replica",
    "primary-moved": "the primary moved meanwhile",
    "too-few-replicas": "applied, but too few replicas confirmed it (WAIT)",
    "stopped": "the workload was stopped",
    "readonly": "reached a replica, which refuses writes (READONLY)",
    "loading": "the instance was still loading its data (LOADING)",
    "masterdown": "reached a replica that had lost its primary (MASTERDOWN)",
    "noreplicas": "the primary refused: too few replicas in sync (NOREPLICAS)",
    "oom": "the instance was out of memory (OOM)",
    "misconf": "the instance could not save to disk and refused (MISCONF)",
    "noauth": "the instance asked for a password (NOAUTH)",
    "wrongpass": "the password was wrong (WRONGPASS)",
    "noperm": "the user may not do that (NOPERM)",
    "busy": "a script kept the instance busy (BUSY)",
    "err": "the command was refused (ERR)",
}
COUNTED = re.compile(r"^(\d+) (\S.*)$")


def all_in_words(causes: Sequence[str]) -> list[str]:
    """Return causes for reading, the most frequent first."""

    def number(cause: str) -> int:
        counted = COUNTED.match(cause)
        return int(counted.group(1)) if counted else 0

    return [in_words(cause) for cause in sorted(causes, key=number, reverse=True)]


def in_words(cause: str) -> str:
    """Return one cause ("301 refused") for reading; a class that has no words yet is shown as it is."""
    counted = COUNTED.match(cause)
    number, label = counted.groups() if counted else ("", cause)
    words = WORDS.get(label.lower(), label)
    return f"{int(number):,}\u00d7 {words}" if number else words
