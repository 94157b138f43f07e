"""Running calls side by side on threads that stay, so that none pays for a new thread or connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from harness.cluster.connection import POOL_SIZE

T = TypeVar("T")


class Pool:
    """A bounded number of threads, started when first needed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=POOL_SIZE, thread_name_prefix="cluster")
        self._inside = threading.local()

    def gather(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Return the results in the order of `calls`; after all have ended, raise the first error if there was one.

        Called from within a gathered call, it runs one after the other: waiting for the own pool could never end.
        """
        if getattr(self._inside, "working", False):
            return [call() for call in calls]
        futures = [self._threads.submit(self._marked, call) for call in calls]
        wait(futures)
        return [future.result() for future in futures]

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _marked(self, call: Callable[[], T]) -> T:
        self._inside.working = True
        return call()
