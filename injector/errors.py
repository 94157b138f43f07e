"""What the injector raises: every message is the one line that the harness passes on."""

from __future__ import annotations


class InjectorError(Exception):
    """Base of everything raised on purpose."""


class Missing(InjectorError):
    """The pod, container or process that a fault is about is not on this node."""


class CommandFailed(InjectorError):
    """A program of the image ended with an error."""


class StillBroken(InjectorError):
    """A fault was undone and something of it is still there."""
