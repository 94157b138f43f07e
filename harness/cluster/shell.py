"""One shell held open in a container: a command costs 1-4 ms instead of the 44 ms of a new exec.

A held-open exec hangs, without closing, when the node's kubelet is killed and breaks when the API server is: so every
command has a time limit, after which the connection is thrown away and the next command opens a new one.
"""

from __future__ import annotations

import re
import shlex
import threading
import time
from types import TracebackType
from typing import Self

import websocket
from kubernetes.stream import ws_client

from harness.cluster.connection import Connection, ExecStream
from harness.cluster.execute import Executed, hang_up, open_exec, taken
from harness.errors import ExecFailed

# Not every image has bash; whatever runs is told its commands over stdin.
START = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash --norc --noprofile; exec sh")


class Shell:
    """A shell in one container, opened at the first command. Threads take turns. Closing it ends the shell."""

    def __init__(self, connection: Connection, namespace: str, pod: str, container: str) -> None:
        self._connection = connection
        self._place = (namespace, pod, container)
        self._what = f"{pod}/{container}"
        self._lock = threading.Lock()
        self._stream: ExecStream | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, script: str, seconds: float = 10.0) -> Executed:
        """Run `script` in a subshell with empty stdin; return its output and exit status.

        Raises ExecFailed when it has not ended after `seconds`, or when the connection broke under it: then it is not
        known whether it ran, and it is not run again.
        """
        with self._lock:
            stream = self._connected()
            self._count += 1
            mark = f"__END_{self._count}__"
            try:
                stream.write_channel(ws_client.STDIN_CHANNEL, _framed(script, mark).encode())
                return self._read_to(stream, mark, script, seconds)
            except (OSError, websocket.WebSocketException) as error:
                self._drop()
                raise ExecFailed(f"{self._about(script)}: the connection broke, it may have run: {error}") from error

    def close(self) -> None:
        """End the shell; harmless when it is closed already."""
        with self._lock:
            self._drop()

    def _connected(self) -> ExecStream:
        if self._stream is not None:
            try:
                self._stream.update(timeout=0)  # notices a close that came while nobody was reading
            except (OSError, websocket.WebSocketException):
                self._drop()
            else:
                if not self._stream.is_open():
                    self._drop()
        if self._stream is None:
            namespace, pod, container = self._place
            self._stream = open_exec(self._connection, namespace, pod, container, START, stdin=True)
        return self._stream

    def _read_to(self, stream: ExecStream, mark: str, script: str, seconds: float) -> Executed:
        # The mark ends both outputs: they travel separately and may arrive in any order.
        deadline = time.monotonic() + seconds
        out, err = bytearray(), bytearray()
        ending = re.compile(rb"\n" + mark.encode() + rb" (\d+)\n$")
        while True:
            stream.update(timeout=max(0.0, deadline - time.monotonic()))
            out += taken(stream, ws_client.STDOUT_CHANNEL)
            err += taken(stream, ws_client.STDERR_CHANNEL)
            ended, told = ending.search(out), ending.search(err)
            if ended and told:
                stdout, stderr = out[: ended.start()], err[: told.start()]
                return Executed(_text(stdout), _text(stderr), int(ended[1]), self._about(script))
            if not stream.is_open():
                self._drop()
                raise ExecFailed(
                    f"{self._about(script)}: the shell ended under it: {_text(err)[-300:]}", stderr=_text(err)
                )
            if time.monotonic() >= deadline:
                self._drop()
                raise ExecFailed(f"{self._about(script)}: has not ended after {seconds:.1f} s", stderr=_text(err))

    def _about(self, script: str) -> str:
        return f"{self._what}: {' '.join(script.split())[:120]}"

    def _drop(self) -> None:
        if self._stream is not None:
            hang_up(self._stream)
            self._stream = None


def _framed(script: str, mark: str) -> str:
    # eval of a quoted word, so that unbalanced quotes or an `exit` in the script cannot take the shell along.
    end = f"'\\n{mark} %d\\n' \"$__s\""
    return f"(eval {shlex.quote(script)}) </dev/null; __s=$?; printf {end}; printf {end} >&2\n"


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "replace")
