"""Asks a name server one question (RFC 1035) and says how it went: answered, refused, denied or timeout."""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import struct
import time

PORT = 53
HEADER = struct.Struct("!6H")
RECURSION_DESIRED = 0x0100
A, INTERNET = 1, 1
NAME_UNKNOWN = 3


def question(identity: int, name: str) -> bytes:
    """Return a question for the address of a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return HEADER.pack(identity, RECURSION_DESIRED, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", A, INTERNET)


def verdict(identity: int, data: bytes) -> str:
    """Return what a datagram says: answered (also that there is no such name), failed, or nothing of ours."""
    if len(data) < HEADER.size:
        return ""
    told, flags, *_ = HEADER.unpack_from(data)
    if told != identity:
        return ""
    return "answered" if flags & 0xF in (0, NAME_UNKNOWN) else f"failed with code {flags & 0xF}"


def ask(server: str, name: str, patience: float, port: int = PORT) -> tuple[str, float]:
    """Return how a question to a name server went, and how many seconds that took."""
    started, identity = time.monotonic(), secrets.randbelow(1 << 16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(patience)
        try:
            udp.connect((server, port))
            udp.send(question(identity, name))
            while not (said := verdict(identity, udp.recv(4096))):
                continue
        except TimeoutError:
            said = "timeout"
        except PermissionError:  # a filter on the way out says so at once
            said = "denied"
        except OSError as error:
            said = f"refused: {error.strerror}"
    return said, time.monotonic() - started


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python3 -m injector.lookup", description=__doc__)
    parser.add_argument("--server", required=True, help="the name server's address")
    parser.add_argument("--name", required=True)
    parser.add_argument("--patience-ms", type=float, default=1000)
    given = parser.parse_args()
    outcome, seconds = ask(given.server, given.name, given.patience_ms / 1000)
    print(json.dumps({"outcome": outcome, "seconds": round(seconds, 4)}))


if __name__ == "__main__":
    main()
