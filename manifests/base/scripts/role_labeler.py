# ruff: noqa: INP001  (a file of its own in the container, no package)
"""Keep the label redis-role on the Redis pods: primary on one, replica on the others.

Every half second: ask all Sentinels who is primary, take what a majority says, have that instance
confirm it by ROLE, and patch the pods whose label says otherwise. What is not certain changes
nothing. Any number of copies may run: they write the same. Standard library only, because the
image is a plain Python.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import signal
import socket
import ssl
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

LABEL = "redis-role"
PERIOD = 0.5  # seconds between rounds; a promotion shows in the label within about twice that
TIMEOUT = 0.5  # seconds for each step of a question to a Sentinel or to Redis
API_TIMEOUT = 3.0  # seconds for each step of a request to the API server
STALE_AFTER = 10.0  # seconds without a complete round until /ready, without any until /alive fails
CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# Metadata only: a full pod is twenty times as long, twice a second.
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Reply = str | int | None | list["Reply"]


class Address(NamedTuple):
    """Where an instance is reached, as Sentinel announces it."""

    host: str
    port: int


class PodApiError(Exception):
    """The API server refused or garbled a request."""


def ask(address: Address, *command: str) -> Reply:
    """Send one command and return its reply; OSError or ValueError when there is none."""
    with socket.create_connection(address, timeout=TIMEOUT) as connection, connection.makefile("rb") as stream:
        password = os.environ.get("REDISCLI_AUTH")
        for words in ([("AUTH", password)] if password else []) + [command]:
            connection.sendall(
                b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
            )
            reply = read_reply(stream)
        return reply


def read_reply(stream: IO[bytes]) -> Reply:
    """Read one RESP2 reply; an error reply or a closed connection is a ValueError."""
    line = stream.readline().rstrip(b"\r\n").decode()
    kind, rest = line[:1], line[1:]
    if kind == "+":
        return rest
    if kind == ":":
        return int(rest)
    if kind == "$":
        return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == "*":
        return None if rest == "-1" else [read_reply(stream) for _ in range(int(rest))]
    raise ValueError(line or "connection closed")


def primary_named_by(sentinel: Address, master_name: str) -> Address | None:
    """Return whom this Sentinel names, or None if it does not answer."""
    try:
        reply = ask(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", master_name)
    except (OSError, ValueError):
        return None
    match reply:
        case [str(host), str(port)]:
            return Address(host, int(port))
        case _:
            return None


def is_primary(address: Address) -> bool:
    """Whether the instance itself says that it is primary."""
    try:
        reply = ask(address, "ROLE")
    except (OSError, ValueError):
        return False
    return isinstance(reply, list) and reply[:1] == ["master"]


def majority(votes: Sequence[Address | None]) -> Address | None:
    """Return whom more than half of all Sentinels name, the silent ones counted in."""
    named = Counter(vote for vote in votes if vote is not None).most_common(1)
    return named[0][0] if named and named[0][1] * 2 > len(votes) else None


class PodApi:
    """The two requests to the API server, over one kept connection."""

    def __init__(
        self, namespace: str, selector: str, connect: Callable[[], http.client.HTTPConnection], token: Callable[[], str]
    ) -> None:
        self._path = f"/api/v1/namespaces/{namespace}/pods"
        self._selector = urllib.parse.quote(selector)
        self._connect, self._token = connect, token
        self._connection: http.client.HTTPConnection | None = None

    def roles(self) -> dict[str, str | None]:
        """Return the label of each pod by the pod's name."""
        answer = self._request("GET", f"{self._path}?labelSelector={self._selector}", None, {"Accept": METADATA_LIST})
        return {
            pod["metadata"]["name"]: pod["metadata"].get("labels", {}).get(LABEL) for pod in json.loads(answer)["items"]
        }

    def set_role(self, pod: str, role: str) -> None:
        """Set the label of one pod."""
        patch = json.dumps({"metadata": {"labels": {LABEL: role}}})
        self._request("PATCH", f"{self._path}/{pod}", patch, {"Content-Type": "application/merge-patch+json"})

    def _request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        connection = self._connection or self._connect()
        self._connection = None  # kept again only after a complete answer
        connection.request(method, path, body, {**headers, "Authorization": f"Bearer {self._token()}"})
        response = connection.getresponse()
        answer = response.read()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            connection.close()
            raise PodApiError(f"{method} {path}: {response.status} {answer[:200].decode(errors='replace')}")
        self._connection = connection
        return answer


@dataclass
class Labeler:
    """One round looks and patches; `turned` and `complete` are the instants of the last rounds."""

    sentinels: Sequence[Address]
    master_name: str
    pods: PodApi
    seat_of: Callable[[Address], str] = lambda address: address.host.partition(".")[0]
    turned: float = field(default_factory=time.monotonic)
    complete: float = field(default_factory=time.monotonic)
    _said: str = ""

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(len(self.sentinels))

    def round(self) -> None:
        """Look once and patch what is wrong; failures are logged once and tried again next time."""
        try:
            roles = self.pods.roles()
            votes = list(self._pool.map(lambda sentinel: primary_named_by(sentinel, self.master_name), self.sentinels))
            named = majority(votes)
            if named is None:
                self._say(f"no majority of Sentinels names a primary: {votes}")
            elif not is_primary(named):
                self._say(f"{named.host} is named, but does not confirm that it is primary")
            else:
                self._label(self.seat_of(named), roles)
            self.complete = time.monotonic()
        except (OSError, ValueError, http.client.HTTPException, PodApiError) as error:
            self._say(f"cannot reach the API server: {type(error).__name__} {error}")
        self.turned = time.monotonic()

    def _label(self, primary: str, roles: dict[str, str | None]) -> None:
        wanted = {pod: "primary" if pod == primary else "replica" for pod in roles}
        # The old primary loses its label before the new one gets it: never two behind the Service.
        for pod in sorted(roles, key=lambda pod: pod == primary):
            if roles[pod] != wanted[pod]:
                self.pods.set_role(pod, wanted[pod])
                print(f"{pod}: {roles[pod]} -> {wanted[pod]}")
        self._say(f"{primary} is primary")

    def _say(self, line: str) -> None:
        if line != self._said:
            print(line)
            self._said = line


def serve_health(labeler: Labeler, port: int) -> http.server.ThreadingHTTPServer:
    """Answer /alive while rounds turn and /ready while they are complete."""

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            last = labeler.turned if self.path == "/alive" else labeler.complete
            self.send_response(200 if time.monotonic() - last < STALE_AFTER else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("", port), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    """Turn rounds until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    context = ssl.create_default_context(cafile=str(CREDENTIALS / "ca.crt"))
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
    pods = PodApi(
        os.environ["POD_NAMESPACE"],
        os.environ["POD_SELECTOR"],
        connect=lambda: http.client.HTTPSConnection(host, port, timeout=API_TIMEOUT, context=context),
        token=(CREDENTIALS / "token").read_text,  # read each time: the kubelet renews it
    )
    peers = [peer.rpartition(":") for peer in os.environ["SENTINEL_PEERS"].split()]
    labeler = Labeler([Address(host, int(port)) for host, _, port in peers], os.environ["MASTER_NAME"], pods)
    serve_health(labeler, int(os.environ.get("HEALTH_PORT", "8080")))
    while True:
        began = time.monotonic()
        labeler.round()
        time.sleep(max(0.0, PERIOD - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
