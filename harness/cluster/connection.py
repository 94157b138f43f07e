"""One connection to an API server: authenticated requests, streams and WebSockets, with errors mapped in one place.

Objects travel as decoded JSON: the typed models of the `kubernetes` package double the cost of a request. The package
reads the kubeconfig, authenticates and owns the connection pool (urllib3's, which threads may share). Its ``stream()``
is not used: it swaps a method of the client during the call, which makes sharing the client unsafe.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode

import kubernetes.client
import urllib3
import websocket
from kubernetes.stream.ws_client import WSClient
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from harness.cluster.kubeconfig import configuration_of
from harness.errors import ClusterError, NotFound

CONNECT_S = 3.0
ANSWER_S = 10.0
#: How long a transient error is retried: an API server that was killed answers again after about 3 s.
RETRY_S = 10.0
POOL_SIZE = 32
TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})
NOT_FOUND = 404
GONE = 410
TOO_MANY = 429
JSON = "application/json"

T = TypeVar("T")


class Refused(ClusterError):
    """The API server answered with an error: `status` is the HTTP status, `reason` the API's word for it."""

    def __init__(self, message: str, *, status: int, reason: str, body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.body = body


class Unreachable(ClusterError):
    """No answer came; `sent` says whether the request may have reached the API server."""

    is_unreachable = True

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ExecStream(Protocol):
    """What the suite uses of the package's (untyped) WebSocket client, in binary mode."""

    subprotocol: str | None
    _channels: dict[int, bytes]

    def is_open(self) -> bool:
        """Whether the peer has not closed."""

    def update(self, timeout: float) -> None:
        """Take in what arrives, waiting up to `timeout` seconds for the first of it."""

    def write_channel(self, channel: int, data: bytes) -> None:
        """Send `data`."""

    def close_channel(self, channel: int) -> None:
        """Say that no more is sent (protocol v5 only)."""

    def close(self, *, timeout: float) -> None:
        """Close the connection, waiting up to `timeout` seconds for the peer's farewell."""


class Connection:
    """Requests to one API server, as the user of one kubeconfig context."""

    def __init__(self, kubeconfig: Path, context: str | None) -> None:
        self._configuration = configuration_of(kubeconfig, context)
        self._configuration.connection_pool_maxsize = POOL_SIZE
        self._client = kubernetes.client.ApiClient(self._configuration)
        # The package opens WebSockets without a time limit; this one holds for connecting and for every read.
        websocket.setdefaulttimeout(ANSWER_S)

    @property
    def host(self) -> str:
        """The API server's URL."""
        return str(self._configuration.host)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        content_type: str = JSON,
        seconds: float = ANSWER_S,
        repeatable: bool | None = None,
        retried: bool = True,
    ) -> dict[str, Any]:
        """Return the decoded answer. Transient errors are retried for RETRY_S when that cannot do harm.

        `repeatable`: whether doing it twice is the same as once; default: only GET. Whatever was certainly not sent or
        was turned away (429) is tried again in any case, unless not `retried`. Raises NotFound, Refused or Unreachable.
        """
        payload = None if body is None else json.dumps(body).encode()

        def once() -> bytes:
            with self.answer(
                method, path, query=query, body=payload, content_type=content_type, seconds=seconds
            ) as got:
                return got.data

        again = method == "GET" if repeatable is None else repeatable
        raw = patiently(once, repeatable=again) if retried else once()
        try:
            decoded = json.loads(raw)
        except ValueError as error:
            raise ClusterError(f"{method} {path}: the answer is not JSON: {raw[:200]!r}") from error
        return cast("dict[str, Any]", decoded)

    @contextmanager
    def answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        seconds: float = ANSWER_S,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Yield a 2xx answer whose body may be read whole (``data``) or as it comes (``stream``); one try, no retry.

        `seconds` limits each wait for data. The connection is reused when the body was read to its end, else closed.
        """
        headers = {**self._headers(), "Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            got = self._client.rest_client.pool_manager.request(
                method,
                _url(self.host, path, query),
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_S, read=seconds),
                preload_content=False,
                retries=False,
            )
        except HTTPError as error:
            raise _unreachable(error, f"{method} {path}") from error
        try:
            if not 200 <= got.status < 300:
                raise refusal(got.status, got.data, f"{method} {path}")
            yield got
        except HTTPError as error:
            raise _unreachable(error, f"{method} {path}") from error
        finally:
            if not got.closed:
                got.close()  # unread data would be taken for the next answer
            got.release_conn()

    def websocket(self, path: str, query: list[tuple[str, str]]) -> ExecStream:
        """Open a WebSocket (for exec); the caller closes it. Raises NotFound, Refused or Unreachable."""
        url = f"{self.host}{path}?{urlencode(query)}".replace("http", "ws", 1)
        headers = {**self._headers(), "sec-websocket-protocol": "v5.channel.k8s.io,v4.channel.k8s.io"}
        try:
            opened = cast("Any", WSClient)(self._configuration, url, headers, capture_all=False, binary=True)
        except websocket.WebSocketBadStatusException as error:
            body = error.resp_body or b""
            raise refusal(
                error.status_code, body if isinstance(body, bytes) else body.encode(), f"exec {path}"
            ) from error
        except (OSError, websocket.WebSocketException) as error:
            sent = not isinstance(error, ConnectionRefusedError)
            raise Unreachable(f"exec {path}: {self.host} does not answer: {error}", sent=sent) from error
        return cast("ExecStream", opened)

    def close(self) -> None:
        """Close idle connections."""
        cast("Any", self._client).close()

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers


def patiently(once: Callable[[], T], *, repeatable: bool, statuses: Collection[int] = TRANSIENT_STATUS) -> T:
    """Return what `once` returns, trying again for RETRY_S where that cannot do harm; see Connection.request.

    `statuses` are the HTTP statuses that a repeatable request may meet on its way.
    """
    tries = Retrying(
        retry=retry_if_exception(lambda error: _worth_another_try(error, statuses if repeatable else (), repeatable)),
        stop=stop_after_delay(RETRY_S),
        wait=wait_random_exponential(multiplier=0.1, max=1.0),
        reraise=True,
    )
    return tries(once)


def _worth_another_try(error: BaseException, statuses: Collection[int], repeatable: bool) -> bool:
    if isinstance(error, Unreachable):
        return repeatable or not error.sent
    if isinstance(error, Refused):
        return error.status == TOO_MANY or error.status in statuses
    return False


def refusal(status: int, body: bytes, what: str) -> ClusterError:
    """Turn an error answer into NotFound or Refused, with the reason and message of the API's Status object."""
    text = body.decode("utf-8", "replace").strip()
    reason, message = "", " ".join(text.split())[:500]
    try:
        told = json.loads(text)
    except ValueError:
        pass  # a proxied program's own page, or a gateway's
    else:
        if isinstance(told, dict) and told.get("kind") == "Status":
            reason, message = told.get("reason") or "", told.get("message") or ""
    line = f"{what}: {status}{f' {reason}' if reason else ''}: {message or 'no message'}"
    if status == NOT_FOUND:
        return NotFound(line)
    return Refused(line, status=status, reason=reason, body=text)


def _unreachable(error: HTTPError, what: str) -> Unreachable:
    # Both say that no connection came about, so nothing can have been sent.
    sent = not isinstance(error, (NewConnectionError, ConnectTimeoutError))
    return Unreachable(f"{what}: the API server does not answer: {error}", sent=sent)


def _url(host: str, path: str, query: Mapping[str, object] | None) -> str:
    return host + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
