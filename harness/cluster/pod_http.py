"""HTTP to a program in a pod, through the API server's pod proxy: no port-forward, which would die with its pod."""

from __future__ import annotations

from collections.abc import Iterator

from harness.cluster.connection import ANSWER_S, Connection, patiently

CHUNK = 1 << 16


class PodHttp:
    """Requests to one port of one pod: call it, or ``stream`` for large answers."""

    def __init__(self, connection: Connection, namespace: str, pod: str, port: int, seconds: float = ANSWER_S) -> None:
        self._connection = connection
        self._root = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy"
        self._seconds = seconds

    def __call__(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return the body of a 2xx answer; otherwise ClusterError carrying the program's own words.

        Only a GET is tried again, and only when no connection could be made or none answered.
        """

        def once() -> bytes:
            with self._connection.answer(method, self._root + path, body=body, seconds=self._seconds) as answer:
                return answer.data

        return patiently(once, repeatable=method == "GET", statuses=())

    def stream(self, method: str, path: str, body: bytes | None = None) -> Iterator[bytes]:
        """Yield the body of a 2xx answer piece by piece; not tried again."""
        with self._connection.answer(method, self._root + path, body=body, seconds=self._seconds) as answer:
            yield from answer.stream(CHUNK)
