"""Running a command in a container by the API's exec, with its exit status and stderr."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import websocket
from kubernetes.stream import ws_client

from harness.cluster.connection import Connection, ExecStream
from harness.errors import ClusterError, ExecFailed


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command left behind."""

    stdout: str
    stderr: str
    status: int
    what: str = ""

    def check(self) -> Executed:
        """Return itself; ExecFailed unless the command ended with status 0."""
        if self.status:
            said = (self.stderr.strip() or self.stdout.strip() or "it said nothing")[-500:]
            raise ExecFailed(f"{self.what}: exit status {self.status}: {said}", status=self.status, stderr=self.stderr)
        return self


def execute(
    connection: Connection,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    *,
    stdin: str | None,
    seconds: float,
) -> Executed:
    """Run `argv` and return what it left behind, whatever its exit status.

    Raises ExecFailed when it has not ended after `seconds` (it may still be running) or when the connection breaks;
    NotFound or another ClusterError when it could not be started.
    """
    what = f"{pod}/{container}: {' '.join(argv)[:120]}"
    stream = open_exec(connection, namespace, pod, container, argv, stdin=stdin is not None)
    deadline = time.monotonic() + seconds
    stdout, stderr = bytearray(), bytearray()
    try:
        if stdin is not None:
            stream.write_channel(ws_client.STDIN_CHANNEL, stdin.encode())
            if stream.subprotocol != ws_client.V5_CHANNEL_PROTOCOL:
                raise ClusterError(f"{what}: this API server cannot close stdin (it needs Kubernetes 1.30 or later)")
            stream.close_channel(ws_client.STDIN_CHANNEL)
        while True:
            open_before = stream.is_open()
            if open_before:
                stream.update(timeout=max(0.0, deadline - time.monotonic()))
            stdout += taken(stream, ws_client.STDOUT_CHANNEL)
            stderr += taken(stream, ws_client.STDERR_CHANNEL)
            ended = taken(stream, ws_client.ERROR_CHANNEL)
            if ended:
                return Executed(_text(stdout), _text(stderr), _status(ended, what), what)
            if not open_before:
                raise ExecFailed(f"{what}: the connection was closed before the command ended", stderr=_text(stderr))
            if time.monotonic() >= deadline:
                raise ExecFailed(f"{what}: has not ended after {seconds:.1f} s", stderr=_text(stderr))
    except (OSError, websocket.WebSocketException) as error:
        raise ExecFailed(f"{what}: the connection broke: {error}", stderr=_text(stderr)) from error
    finally:
        hang_up(stream)


def open_exec(
    connection: Connection, namespace: str, pod: str, container: str, argv: Sequence[str], *, stdin: bool
) -> ExecStream:
    """Start `argv` and return the open stream; the caller hangs up."""
    query = [("command", word) for word in argv]
    query += [("container", container), ("stdout", "true"), ("stderr", "true"), ("stdin", str(stdin).lower())]
    return connection.websocket(f"/api/v1/namespaces/{namespace}/pods/{pod}/exec", query)


def taken(stream: ExecStream, channel: int) -> bytes:
    """Take what has arrived on a channel, without waiting and without reading from the socket."""
    return bytes(stream._channels.pop(channel, b""))  # noqa: SLF001 - read_channel() would block on the socket


def hang_up(stream: ExecStream) -> None:
    """Close at once; the package's close would wait for the peer, which may be gone."""
    with contextlib.suppress(OSError, websocket.WebSocketException):
        stream.close(timeout=0)


def _status(ended: bytes, what: str) -> int:
    """Read the exit status from the Status object that ends an exec; ExecFailed when the command never started."""
    told = json.loads(ended)
    if told.get("status") == "Success":
        return 0
    if told.get("reason") == "NonZeroExitCode":
        causes = (told.get("details") or {}).get("causes") or []
        codes = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
        if codes:
            return int(codes[0])
    raise ExecFailed(f"{what}: could not be started: {told.get('reason') or 'no reason'}: {told.get('message')}")


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "replace")
