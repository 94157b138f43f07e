"""A workload around a drill: it writes while the drill breaks things, and leaves a history behind."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.clock import Bracket, RemoteClock
from harness.errors import HarnessError, WitnessError
from harness.history import FaultMark, History, finish_journal
from harness.workload.client import LONG_POLL_S, DatasetVerdict, DatasetWritten, Status, WitnessClient
from harness.workload.deployment import Deployment, Readers, Writers

#: How long after its last write a workload still counts as writing, in seconds.
WRITING_S = 0.5
#: Stopping, catching up and sweeping, in seconds; the witness bounds each part itself.
END_PATIENCE_S = 60.0
#: How long instances may take to be reached and to have everything, in seconds: name servers may remember for up to
#: 30 s (CoreDNS as k3s configures it) that a pod which has come back was not there.
CATCH_UP_S = 40.0


class Recording:
    """A running workload as the drill sees it; after the ``with`` block its :attr:`history`."""

    def __init__(self, client: WitnessClient, clock: RemoteClock, status: Status, path: Path) -> None:
        self.id = status.id
        self.path = path
        self._client = client
        self._clock = clock
        self._origin_ns = status.origin_ns
        self._marks: list[tuple[str, str, Bracket]] = []
        self._history: History | None = None

    @property
    def history(self) -> History:
        """The history. Raises WitnessError while the workload still runs."""
        if self._history is None:
            raise WitnessError("the history exists once the workload has ended: read it after the `with` block")
        return self._history

    @property
    def status(self) -> Status:
        """How far the workload is, asked now."""
        return self._client.status(self.id)

    def mark(self, name: str, bracket: Bracket, *, action: str = "inject") -> FaultMark:
        """Note when a fault was injected (or healed), so that the history knows; returns it on the history's clock."""
        self._marks.append((name, action, bracket))
        return self._as_mark(name, action, bracket)

    def acks_since(self, since: Bracket | float) -> int:
        """Writes acknowledged since a runner instant, or since a fault's command had returned; asked now."""
        instant = since.returned if isinstance(since, Bracket) else since
        remote, uncertainty = self._clock.remote_ns(instant)
        return self._client.status(self.id, since_ns=remote + uncertainty).acknowledged_since or 0

    def is_writing(self, within_s: float = WRITING_S) -> bool:
        """Whether a write was acknowledged in the last `within_s` seconds. Raises WitnessError if it ended."""
        status = self.status
        if status.is_over:
            raise WitnessError(f"the workload {self.id} ended by itself: {status.error or status.state}")
        return status.last_ok_us is not None and status.now_us - status.last_ok_us <= within_s * 1e6

    def finish(self, *, sweep: bool, catch_up_s: float) -> History:
        """Stop, sweep, fetch the journal and load it.

        Raises WitnessError or HistoryError, or the transport's error; whatever the witness still has of the journal is
        then in the file all the same, for it outlives a restart of the witness.
        """
        try:
            self._client.stop(self.id, sweep=sweep, catch_up_s=catch_up_s)
            self._clock.synchronise()
            status = self._await_end(END_PATIENCE_S + catch_up_s)
        except HarnessError as exc:
            self._fetch()
            exc.add_note(f"what the witness recorded until then: {self.path}")
            raise
        self._fetch()
        if status.error:
            raise WitnessError(f"the workload {self.id} failed: {status.error}; what it recorded is in {self.path}")
        self._history = History.load(self.path)
        self._client.forget(self.id)  # from now on the file is the only copy; a run that dies before leaves it there
        return self._history

    def _fetch(self) -> None:
        self._client.fetch_journal(self.id, self.path)
        finish_journal(self.path, [self._as_mark(*mark) for mark in self._marks])

    def _await_end(self, seconds: float) -> Status:
        limit = time.monotonic() + seconds
        while not (status := self._client.status(self.id, wait_s=LONG_POLL_S)).is_over:
            if time.monotonic() > limit:
                raise WitnessError(f"the workload {self.id} did not end in {seconds:.0f} s: it is still {status.state}")
        return status

    def _as_mark(self, name: str, action: str, bracket: Bracket) -> FaultMark:
        sent, doubt = self._clock.remote_ns(bracket.sent)
        returned, doubt_after = self._clock.remote_ns(bracket.returned)
        micro = [(each - self._origin_ns) // 1000 for each in (sent, returned)]
        return FaultMark(name, action, micro[0], micro[1], -(-max(doubt, doubt_after) // 1000))


class Workload:
    """What the drills use: workloads and data sets on one deployment, histories kept in `directory`."""

    def __init__(self, client: WitnessClient, deployment: Deployment, directory: Path) -> None:
        self.client = client
        self.deployment = deployment
        self._directory = directory

    @contextmanager
    def running(
        self,
        name: str = "workload",
        *,
        writers: Sequence[Writers] = (Writers(),),
        readers: Sequence[Readers] = (),
        services: Mapping[str, str] | None = None,
        sweep: bool = True,
        catch_up_s: float = CATCH_UP_S,
        cleanup: bool = True,
        **options: Any,
    ) -> Iterator[Recording]:
        """Write from before the block until after it; then sweep, fetch, and set ``recording.history``.

        If the block raises, the history is still fetched (it is the evidence) and the block's error goes on, with a
        note if fetching failed too. `services` are Kubernetes Services to be watched: ``host:port`` by the name that
        the history gives them, which writers and readers may have as their target. `options` are further fields of the
        witness's workload (``witness/bodies.py``).
        """
        spec = {
            "name": file_name(name),
            "deployment": self.deployment.as_json(),
            "writers": [group.as_json() for group in writers],
            "readers": [group.as_json() for group in readers],
            "services": dict(services or {}),
            **options,
        }
        clock = RemoteClock(self.client.clock_ns)
        clock.synchronise()
        status = self.client.start(spec)
        recording = Recording(self.client, clock, status, self._free_path(spec["name"]))
        try:
            yield recording
        except BaseException as exc:
            self._save_evidence(recording, exc)
            raise
        recording.finish(sweep=sweep, catch_up_s=catch_up_s)
        if cleanup:
            self.client.cleanup(self.deployment, f"e2e:w:{recording.id}:")

    def write_dataset(self, *, keys: int, seed: int = 1, wait_replicas: int = 2) -> DatasetWritten:
        """Write a deterministic data set of all types. Raises WitnessError if not enough replicas confirmed it."""
        written = self.client.write_dataset(self.deployment, keys=keys, seed=seed, wait_replicas=wait_replicas)
        if written.replicas < wait_replicas:
            raise WitnessError(
                f"{written.replicas} of {wait_replicas} replicas confirmed the data set of {keys} keys in time: "
                "replication is slow or broken, so the drill would prove nothing"
            )
        return written

    def verify_dataset(self, *, keys: int, seed: int = 1) -> DatasetVerdict:
        """Compare the data set, key by key, on every instance."""
        return self.client.verify_dataset(self.deployment, keys=keys, seed=seed)

    def remove_dataset(self, *, seed: int = 1) -> int:
        """Delete the data set; the number of keys deleted."""
        return self.client.cleanup(self.deployment, f"e2e:d:{seed}:")

    def _save_evidence(self, recording: Recording, exc: BaseException) -> None:
        try:
            recording.finish(sweep=False, catch_up_s=0)
        except HarnessError as second:
            exc.add_note(f"and the history could not be saved: {second}")
        else:
            exc.add_note(f"the history up to here: {recording.path}")

    def _free_path(self, name: str) -> Path:
        path = self._directory / f"{name}.jsonl"
        number = 2
        while path.exists():
            path = self._directory / f"{name}-{number}.jsonl"
            number += 1
        return path


def file_name(name: str) -> str:
    """A test's name as the witness and the file system take it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:100] or "workload"
