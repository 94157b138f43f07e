"""The exception tree: the harness raises these, tests assert.

A broken set-up is an *error* of the run, a broken product a *failure* of a test. Every message is meant to be the one
line a person needs: what is wrong, what was last seen, what to do.
"""

from __future__ import annotations


class HarnessError(Exception):
    """Base of everything that the harness raises on purpose."""


# Before anything runs


class SettingsError(HarnessError):
    """An option has a value that cannot be used."""


class ToolMissing(HarnessError):
    """A program that the run needs is neither installed nor can it be built."""


# Getting a cluster, its images and the deployment


class ProviderError(HarnessError):
    """A cluster could not be created, found, reused or deleted."""


class ForeignCluster(ProviderError):
    """The cluster or namespace belongs to somebody else, so it is left alone."""


class ImageError(HarnessError):
    """An image cannot be pulled, built or delivered to the nodes."""


class ManifestError(HarnessError):
    """The manifests do not render or the API server refuses them."""


# Talking to the cluster


class ClusterError(HarnessError):
    """The API server refused a request or did not answer; carries its reason."""

    is_unreachable = False
    """Whether nobody answered at all: a wait gives up on that sooner than on what may still come true."""


class NotFound(ClusterError):
    """The object asked for does not exist."""


class ExecFailed(ClusterError):
    """A command in a container could not be run or ended non-zero; carries exit status and stderr."""

    def __init__(self, message: str, *, status: int | None = None, stderr: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.stderr = stderr


# Looking at the system under test


class ObservationError(HarnessError):
    """An instance or exporter did not give the answer that was asked for."""


class SteadyStateError(HarnessError):
    """The deployment was not steady before or after a drill: the drill proves nothing."""


class NotJudged(HarnessError):
    """A property could not be judged because another one, which has a check of its own, does not hold."""


# Waiting


class WaitTimeout(HarnessError):
    """Something awaited did not come true in time; the message carries what was last seen and why."""


class BrokenPromise(WaitTimeout):
    """Something that had to hold for a window ceased to hold within it."""


# Faults


class FaultError(HarnessError):
    """Base of what can go wrong with an injected fault."""


class InjectionFailed(FaultError):
    """The fault could not be injected."""


class FaultHadNoEffect(FaultError):
    """The fault was injected but nobody felt it: whatever the test saw afterwards proves nothing."""


class HealFailed(FaultError):
    """A fault could not be undone: the run stops and says which manual step is left."""


# Measuring


class WitnessError(HarnessError):
    """The witness could not be started or did not answer."""


class HistoryError(HarnessError):
    """A history is missing, cut, corrupt or of an unknown version."""
