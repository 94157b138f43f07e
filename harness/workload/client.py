"""The witness's interface as functions. Only its requests are here; how they travel is the transport's business."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import WitnessError
from harness.workload.deployment import Deployment

#: ``transport(method, path, body) -> answer's body``; raises an error of its own for anything but a 2xx answer.
Transport = Callable[[str, str, bytes | None], bytes]

CHUNK = 4 << 20
#: One question waits at most this long at the witness, so that no proxy on the way gives up first.
LONG_POLL_S = 5


@dataclass(frozen=True, slots=True)
class Status:
    """A workload's state; instants are microseconds since its journal's origin on the witness's clock."""

    id: str
    name: str
    state: str
    error: str | None
    origin_ns: int
    now_us: int
    acknowledged: int
    last_ok_us: int | None
    primary: str | None
    journal_bytes: int
    acknowledged_since: int | None

    @property
    def is_over(self) -> bool:
        """Whether writers, sweep and journal have ended (or the witness that ran them has)."""
        return self.state in {"done", "failed", "abandoned"}


@dataclass(frozen=True, slots=True)
class SeatData:
    """What one instance holds of a data set: counts, and up to ten examples of each kind in words."""

    seat: str
    role: str | None
    error: str | None
    missing: int
    different: int
    extra: int
    examples: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Every key there with its value and time to live, and no other."""
        return self.error is None and not (self.missing or self.different or self.extra)


@dataclass(frozen=True, slots=True)
class DatasetVerdict:
    """A data set compared on every instance."""

    keys: int
    seats: tuple[SeatData, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every instance holds exactly the data set; with no instance asked it is not."""
        return bool(self.seats) and all(seat.is_whole for seat in self.seats)

    @property
    def is_readable(self) -> bool:
        """Whether every instance could be asked: if not, it is not known what it holds."""
        return bool(self.seats) and all(seat.error is None for seat in self.seats)

    def explain(self) -> str:
        """One line a seat."""
        return "\n".join(_explained(seat, self.keys) for seat in self.seats) or "no instance was asked"


@dataclass(frozen=True, slots=True)
class DatasetWritten:
    """A data set put in place: on which primary, and how many replicas confirmed all of it."""

    keys: int
    primary: str
    replicas: int


class WitnessClient:
    """Speaks to one witness. Raises WitnessError for an answer that makes no sense, the transport's error otherwise."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def healthz(self) -> dict[str, Any]:
        """Whether it serves."""
        return self._object("GET", "/healthz")

    def clock_ns(self) -> int:
        """Its monotonic clock; nanoseconds."""
        return int(self._object("GET", "/clock")["monotonic_ns"])

    def start(self, spec: Mapping[str, Any]) -> Status:
        """Start a workload; when this returns its writers run and its subscriptions listen."""
        return _status(self._object("POST", "/workloads", spec))

    def workloads(self) -> list[Status]:
        """All whose journals are there: those of this process, and those that earlier ones left (``abandoned``)."""
        answer = self._decoded("GET", "/workloads")
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise WitnessError(f"the witness answered GET /workloads with {str(answer)[:200]!r} instead of a list")
        return [_status(each) for each in answer]

    def status(self, identity: str, *, since_ns: int | None = None, wait_s: int = 0) -> Status:
        """A workload's state, after its end or `wait_s` seconds; with acks since an instant of the witness's clock."""
        query = [f"wait={wait_s}"] if wait_s else []
        query += [f"since_ns={since_ns}"] if since_ns is not None else []
        return _status(self._object("GET", f"/workloads/{identity}" + ("?" + "&".join(query) if query else "")))

    def stop(self, identity: str, *, sweep: bool = True, catch_up_s: float = 10.0, reason: str = "stopped") -> Status:
        """Stop the writers; the final sweep and the journal's end, which gives the reason, follow by themselves."""
        body = {"sweep": sweep, "catch_up_s": catch_up_s, "reason": reason}
        return _status(self._object("POST", f"/workloads/{identity}/stop", body))

    def forget(self, identity: str) -> None:
        """Have the witness delete a journal that was fetched. Its error answer while the workload runs is raised."""
        self._object("POST", f"/workloads/{identity}/forget", {})

    def fetch_journal(self, identity: str, path: Path) -> int:
        """Stream the journal as far as it goes into `path` (replaced when complete); its size in bytes."""
        part = path.with_name(path.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        offset = 0
        with part.open("wb") as file:
            while data := self._transport("GET", f"/workloads/{identity}/journal?offset={offset}&limit={CHUNK}", None):
                file.write(data)
                offset += len(data)
        part.replace(path)
        return offset

    def write_dataset(
        self, deployment: Deployment, *, keys: int, seed: int = 1, wait_replicas: int = 2, wait_timeout_s: float = 3.0
    ) -> DatasetWritten:
        """Write the data set `seed` of `keys` keys through the primary; wait at most so many seconds for replicas."""
        body = {
            "deployment": deployment.as_json(),
            "keys": keys,
            "seed": seed,
            "wait_replicas": wait_replicas,
            "wait_timeout_s": wait_timeout_s,
        }
        answer = self._object("POST", "/dataset/write", body)
        return DatasetWritten(int(answer["keys"]), str(answer["primary"]), int(answer["replicas"]))

    def verify_dataset(self, deployment: Deployment, *, keys: int, seed: int = 1) -> DatasetVerdict:
        """Compare every key of the data set on every instance."""
        body = {"deployment": deployment.as_json(), "keys": keys, "seed": seed}
        seats = self._object("POST", "/dataset/verify", body)["seats"]
        return DatasetVerdict(keys, tuple(_seat_data(name, seat) for name, seat in sorted(seats.items())))

    def cleanup(self, deployment: Deployment, prefix: str = "e2e:w:") -> int:
        """Delete the keys below `prefix` (``e2e:...``) on the primary; their number."""
        return int(self._object("POST", "/cleanup", {"deployment": deployment.as_json(), "prefix": prefix})["deleted"])

    def _object(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        decoded = self._decoded(method, path, body)
        if not isinstance(decoded, dict):
            raise WitnessError(
                f"the witness answered {method} {path} with {str(decoded)[:200]!r} instead of a JSON object"
            )
        return decoded

    def _decoded(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._transport(method, path, None if body is None else json.dumps(body).encode())
        try:
            return json.loads(answer)
        except ValueError:
            raise WitnessError(f"the witness answered {method} {path} with {answer[:200]!r} instead of JSON") from None


def _status(answer: dict[str, Any]) -> Status:
    try:
        return Status(
            id=answer["id"],
            name=answer["name"],
            state=answer["state"],
            error=answer["error"],
            origin_ns=answer["origin_ns"],
            now_us=answer["now_us"],
            acknowledged=answer["acknowledged"],
            last_ok_us=answer["last_ok_us"],
            primary=answer["primary"],
            journal_bytes=answer["journal_bytes"],
            acknowledged_since=answer.get("acknowledged_since"),
        )
    except KeyError as exc:
        raise WitnessError(f"the witness's status lacks {exc}: is its image of this version?") from exc


def _seat_data(name: str, seat: dict[str, Any]) -> SeatData:
    return SeatData(
        seat=name,
        role=seat.get("role"),
        error=seat.get("error"),
        missing=seat.get("missing", 0),
        different=seat.get("different", 0),
        extra=seat.get("extra", 0),
        examples=tuple(seat.get("examples", ())),
    )


def _explained(seat: SeatData, keys: int) -> str:
    if seat.error:
        return f"{seat.seat}: could not be read: {seat.error}"
    if seat.is_whole:
        return f"{seat.seat} ({seat.role}): all {keys} keys with their values"
    examples = "; ".join(seat.examples[:5])
    return (
        f"{seat.seat} ({seat.role}): of {keys} keys {seat.missing} missing, {seat.different} different, "
        f"{seat.extra} that were never written: {examples}"
    )
