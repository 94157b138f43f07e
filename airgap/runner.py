"""Carries a plan out: what is cached is taken, the rest is built side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from airgap import commands
from airgap.cache import Cache
from airgap.errors import AirgapError
from airgap.plan import Lane, Plan, Step, Work

Progress = Callable[[str], None]

LANE_WIDTH = {Lane.COMPILE: 1, Lane.UNPACK: 2}
HEARTBEAT = 20.0
"""Seconds of silence after which the running steps are named again."""

LEAVING_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where each step's result is, and which had to be built."""

    entries: dict[str, Path]
    built: tuple[str, ...]


def carry_out(plan: Plan, cache: Cache, progress: Progress) -> Outcome:
    """Every step's finished folder.

    Raises AirgapError, one line naming step and log, for the first step that
    fails; what was finished by then stays in the cache, so the next call goes
    on from there.
    """
    entries = {name: cache.entry(name, key) for name, key in plan.keys.items() if name in plan.steps}
    missing = [name for name in plan.steps if not entries[name].is_dir()]
    if not missing:
        cache.touch(entries.values())
        return Outcome(entries, ())
    cache.create()
    cache.sweep()
    _Build(plan, cache, progress, entries).run(missing)
    cache.touch(entries.values())
    return Outcome(entries, tuple(missing))


class _Build:
    def __init__(self, plan: Plan, cache: Cache, progress: Progress, entries: dict[str, Path]) -> None:
        self._plan = plan
        self._cache = cache
        self._entries = entries
        self._lanes = {lane: threading.Semaphore(width) for lane, width in LANE_WIDTH.items()}
        self._began = time.monotonic()
        self._started: dict[str, float] = {}
        self._leaving = False
        self._progress = progress
        self._threads = f"airgap-{id(self)}"

    def run(self, missing: list[str]) -> None:
        self._say(f"to build: {', '.join(missing)}")
        # One thread a step: those that wait for their lane cost nothing.
        pool = ThreadPoolExecutor(max_workers=len(missing), thread_name_prefix=self._threads)
        try:
            self._follow(pool, list(missing))
        finally:
            self._leave(pool)

    def _follow(self, pool: ThreadPoolExecutor, waiting: list[str]) -> None:
        running: dict[Future[None], str] = {}
        unfinished = set(waiting)
        while unfinished:
            for name in [n for n in waiting if unfinished.isdisjoint(self._plan.steps[n].needs)]:
                waiting.remove(name)
                running[pool.submit(self._step, self._plan.steps[name])] = name
            done, _ = wait(running, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            if not done:
                self._say("still at it: " + ", ".join(f"{n} ({self._since(s):.0f} s)" for n, s in self._busy()))
            for future in done:
                unfinished.discard(running.pop(future))
                future.result()

    def _leave(self, pool: ThreadPoolExecutor) -> None:
        self._leaving = True
        pool.shutdown(wait=False, cancel_futures=True)
        # Again and again: a step may be between two programs.
        while any(thread.is_alive() for thread in threading.enumerate() if thread.name.startswith(self._threads)):
            commands.stop_all()
            time.sleep(LEAVING_POLL)

    def _step(self, step: Step) -> None:
        key, log = self._plan.keys[step.name], self._cache.log(step.name)
        with self._lanes[step.lane], self._cache.locked(step.name, lambda: self._leaving):
            if self._leaving:
                return
            if self._entries[step.name].is_dir():
                self._say(f"{step.name}: finished by another run")
                return
            self._started[step.name] = time.monotonic()
            self._say(f"{step.name}: building")
            log.unlink(missing_ok=True)
            try:
                self._build(step, key, log)
            except (AirgapError, OSError) as error:
                raise AirgapError(f"step {step.name} failed: {error}; log: {log}") from error
            finally:
                took = self._since(self._started.pop(step.name))
            self._say(f"{step.name}: built in {took:.1f} s")

    def _build(self, step: Step, key: str, log: Path) -> None:
        log.touch()
        needs = {need: self._entries[need] for need in step.needs}
        with self._cache.workspace(step.name) as folder:
            output, scratch = folder / "output", folder / "scratch"
            output.mkdir()
            scratch.mkdir()
            step.run(Work(key, output, scratch, log, needs))
            if not self._plan.still_holds(step):
                raise AirgapError("its sources were changed while it was built: run it again")
            self._cache.publish(output, step.name, key)

    def _busy(self) -> list[tuple[str, float]]:
        return list(self._started.items())

    def _since(self, moment: float) -> float:
        return time.monotonic() - moment

    def _say(self, text: str) -> None:
        self._progress(f"[{self._since(self._began):6.1f} s] {text}")
