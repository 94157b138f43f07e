"""A scripted API server on loopback: each request is answered by what a test laid out for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.cluster import Cluster


@dataclass(frozen=True)
class Say:
    """One answer: a status and a body, or no answer at all (`hang_up`), or lines one by one (`stream`)."""

    body: object = field(default_factory=dict)
    status: int = 200
    hang_up: bool = False
    stream: tuple[object, ...] | None = None


def status(code: int, reason: str, message: str) -> Say:
    """Return a refusal as the API words it."""
    return Say({"kind": "Status", "reason": reason, "message": message, "code": code}, code)


@dataclass
class ScriptedApi:
    """Answers by "METHOD /path"; the last answer of a script repeats. Everything asked is in `asked`."""

    kubeconfig: Path
    scripts: dict[str, list[Say]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def on(self, request: str, *answers: Say) -> None:
        """Lay out the answers for a request, one after the other."""
        self.scripts[request] = list(answers)

    def count(self, request: str) -> int:
        """Return how often it was asked."""
        return self.asked.count(request)

    def cluster(self, namespace: str = "shop") -> Cluster:
        """Return the façade talking to this server."""
        return Cluster.connect(self.kubeconfig, None, namespace)

    def next_for(self, request: str) -> Say:
        """Take the next answer for a request."""
        self.asked.append(request)
        script = self.scripts.get(request)
        if not script:
            return status(404, "NotFound", f"nothing scripted for {request}")
        return script.pop(0) if len(script) > 1 else script[0]


@contextmanager
def scripted_api(folder: Path) -> Iterator[ScriptedApi]:
    """Run a scripted API server whose kubeconfig lies in `folder`."""
    api = ScriptedApi(folder / "kubeconfig")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    api.kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(api: ScriptedApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            api.bodies.append(json.loads(body) if body else None)
            path = urlsplit(self.path)
            watching = " (watch)" if "watch=true" in path.query else ""
            self.send(api.next_for(f"{self.command} {path.path}{watching}"))

        def send(self, say: Say) -> None:
            if say.hang_up:
                self.close_connection = True
                return
            self.send_response(say.status)
            if say.stream is None:
                data = say.body if isinstance(say.body, bytes) else json.dumps(say.body).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for item in say.stream:
                line = json.dumps(item).encode() + b"\n"
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
            del format, args

    answer: Callable[[Any], None] = Handler.answer
    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", answer)
    return Handler
