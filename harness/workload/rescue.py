"""What an earlier run left at the witness: workloads that still write, and journals that nobody fetched."""

from __future__ import annotations

import time
from pathlib import Path

from harness.errors import WitnessError
from harness.workload.client import LONG_POLL_S, Status, WitnessClient
from harness.workload.running import CATCH_UP_S, END_PATIENCE_S, file_name

#: Stands in the end line of a journal whose runner was gone: such a history is incomplete, for what that runner did to
#: the deployment is not in it.
RUNNER_GONE = "runner gone"
#: It may have been killed while the witness swept, in seconds.
PATIENCE_S = CATCH_UP_S + END_PATIENCE_S


def rescued(client: WitnessClient, directory: Path) -> list[Path]:
    """Stop what runs, and fetch every journal that nobody has fetched into `directory`; returns the new files.

    Called by a run before its first workload: whatever the witness has then is of a run that was killed. Its workloads
    are stopped without a sweep: nobody will judge them, and the deployment may be in any state. The witness forgets a
    journal once it is here. Raises WitnessError if a workload does not end, and the transport's error.
    """
    files = []
    for status in client.workloads():
        if not status.is_over:
            _end(client, status)
        path = directory / f"rescued-{file_name(status.name)}-{status.id}.jsonl"
        client.fetch_journal(status.id, path)
        client.forget(status.id)
        files.append(path)
    return files


def _end(client: WitnessClient, status: Status) -> None:
    if status.state == "running":
        client.stop(status.id, sweep=False, reason=RUNNER_GONE)
    limit = time.monotonic() + PATIENCE_S
    while not (status := client.status(status.id, wait_s=LONG_POLL_S)).is_over:
        if time.monotonic() > limit:
            raise WitnessError(
                f"the workload {status.id} of an earlier run did not end in {PATIENCE_S:.0f} s: "
                f"it is still {status.state}"
            )
