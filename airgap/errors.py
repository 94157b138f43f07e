"""The one exception that leaves this package."""

from __future__ import annotations


class AirgapError(Exception):
    """Something could not be built, installed or started.

    Its message is one line that says what is wrong and what to do, with the
    path of the log where there is one.
    """
