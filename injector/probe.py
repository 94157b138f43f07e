"""Asks one instance again and again, over one connection that it keeps and over new ones, and writes down what came.

The two differ in most faults: a filter for new connections lets old ones live, a cut ends old ones and lets new ones
come. Whatever is answered counts as heard, an error reply too.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

PING = b"PING\r\n"
#: Pause between two rounds (seconds).
EVERY_S = 0.05
#: How many of the last answers are told.
KEPT = 40


@dataclass(slots=True)
class Seen:
    """The latest on one of the two ways: outcome is ok, timeout, refused, reset or error."""

    outcome: str = "ok"
    rounds: int = 0
    answered: int = 0
    milliseconds: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    outcomes: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))

    def note(self, outcome: str, seconds: float) -> None:
        """Take in one round."""
        self.outcome = outcome
        self.rounds += 1
        self.outcomes.append(outcome)
        if outcome == "ok":
            self.answered += 1
            self.milliseconds.append(round(seconds * 1000, 2))

    def told(self) -> dict[str, object]:
        """Return it for the status file."""
        return {
            "outcome": self.outcome,
            "rounds": self.rounds,
            "answered": self.answered,
            "milliseconds": list(self.milliseconds),
            "outcomes": list(self.outcomes),
        }


@dataclass(slots=True)
class Probe:
    """An observer of one address; `patience` in seconds, `size` in bytes of each question."""

    address: tuple[str, int]
    patience: float
    size: int = 0
    held: Seen = field(default_factory=Seen)
    new: Seen = field(default_factory=Seen)
    losses: int = 0
    _kept: socket.socket | None = None
    _asked: float | None = None

    def connect(self) -> None:
        """Open the connection to be held. Raises OSError."""
        self._kept = socket.create_connection(self.address, self.patience)
        self._kept.setblocking(False)
        self._asked = None

    def round(self) -> None:
        """Ask once on each way."""
        self._ask_held()
        self._ask_new()

    def told(self) -> dict[str, object]:
        """Return everything for the status file; `losses` is how often the held connection was lost."""
        return {"held": self.held.told(), "new": self.new.told(), "losses": self.losses}

    def _ask_held(self) -> None:
        started = time.monotonic()
        try:
            if self._kept is None:
                self.connect()
            if self._kept is None:
                return
            if self._asked is None:
                self._kept.sendall(self._question())
                self._asked = started
            # An answer that is overdue may still come once the fault is over: the connection is kept for it.
            if select.select([self._kept], [], [], self.patience)[0]:
                if not _all_of(self._kept, self.size):
                    raise ConnectionResetError
                self.held.note("ok", time.monotonic() - self._asked)
                self._asked = None
            else:
                self.held.note("timeout", 0)
        except OSError as error:
            self.held.note(_outcome(error), 0)
            self._lose()

    def _ask_new(self) -> None:
        started = time.monotonic()
        try:
            with socket.create_connection(self.address, self.patience) as connection:
                connection.sendall(self._question())
                if not _all_of(connection, self.size):
                    raise ConnectionResetError
            self.new.note("ok", time.monotonic() - started)
        except OSError as error:
            self.new.note(_outcome(error), 0)

    def _question(self) -> bytes:
        # What PING is given it sends back: the way from the instance to here is the one that is squeezed.
        return b"PING " + b"x" * self.size + b"\r\n" if self.size else PING

    def _lose(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
            self.losses += 1


def _all_of(connection: socket.socket, size: int) -> bool:
    """Return whether an answer of at least so many bytes came before the other side closed."""
    received = 0
    patience = connection.gettimeout()
    connection.settimeout(max(patience or 0.0, 10.0 if size else 1.0))
    try:
        while True:
            piece = connection.recv(65536)
            received += len(piece)
            if not piece or received >= max(size, 1):
                return received > 0
    finally:
        connection.settimeout(patience)


def _outcome(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "reset" if isinstance(error, ConnectionResetError | BrokenPipeError) else f"error: {error}"


def _tell(status: Path, probe: Probe) -> bool:
    fresh = status.with_suffix(".fresh")
    try:
        fresh.write_text(json.dumps(probe.told()))
        fresh.replace(status)
    except FileNotFoundError:
        return False  # its record is gone, so it is not wanted any more
    return True


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python3 -m injector.probe", description=__doc__)
    parser.add_argument("--fault", required=True, help="the id of its record, to be found by")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--patience-ms", type=float, required=True, help="how long an answer may take")
    parser.add_argument("--bytes", type=int, default=0, help="how much is to come back with each answer")
    parser.add_argument("--seconds", type=float, required=True, help="how long it lives")
    parser.add_argument("--status", type=Path, required=True)
    given = parser.parse_args()
    probe = Probe((given.host, given.port), given.patience_ms / 1000, given.bytes)
    try:
        probe.connect()
    except OSError as error:
        parser.exit(1, f"{given.host}:{given.port} cannot be reached from here: {error}\n")
    probe.round()
    _tell(given.status, probe)
    print("ready", flush=True)
    end = time.monotonic() + given.seconds
    while time.monotonic() < end and _tell(given.status, probe):
        time.sleep(EVERY_S)
        probe.round()


if __name__ == "__main__":
    main()
