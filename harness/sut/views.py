"""From the replies of one instance to its view: pure parsing, no cluster."""

from __future__ import annotations

from typing import Any

from harness.errors import ObservationError
from harness.sut import replies
from harness.sut.names import PRIMARY_NAME, seat_of
from harness.sut.topology import Link, Member, Pod, RedisView, SentinelView

REDIS_QUESTIONS = ("INFO",)
SENTINEL_QUESTIONS = (
    "INFO",
    "SENTINEL MYID",
    f"SENTINEL MASTER {PRIMARY_NAME}",
    f"SENTINEL REPLICAS {PRIMARY_NAME}",
    f"SENTINEL SENTINELS {PRIMARY_NAME}",
    f"SENTINEL CKQUORUM {PRIMARY_NAME}",
)


def pod(found: dict[str, Any]) -> Pod:
    """Read a pod object."""
    status = found.get("status", {})
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    return Pod(
        seat=found["metadata"]["name"],
        uid=found["metadata"]["uid"],
        node=found["spec"].get("nodeName", ""),
        ip=status.get("podIP", ""),
        ready=conditions.get("Ready") == "True",
        terminating="deletionTimestamp" in found["metadata"],
        restarts=sum(each.get("restartCount", 0) for each in status.get("containerStatuses", [])),
        phase=status.get("phase", "Unknown"),
    )


def redis(seat: str, answers: list[Any]) -> RedisView:
    """Read INFO of a Redis instance."""
    info = replies.info(answers[0])
    is_primary = info["role"] == "master"
    return RedisView(
        seat=seat,
        run_id=info["run_id"],
        version=info["redis_version"],
        role="primary" if is_primary else "replica",
        follows=None if is_primary else seat_of(info["master_host"]),
        link_up=is_primary or info.get("master_link_status") == "up",
        syncing=info.get("master_sync_in_progress") == "1",
        offset=int(info["master_repl_offset"] if is_primary else info["slave_repl_offset"]),
        priority=int(info.get("slave_priority", 100)),
        loading=info.get("loading") == "1",
        aof_enabled=info.get("aof_enabled") == "1",
        uptime_s=int(info["uptime_in_seconds"]),
        replicas=tuple(_link(info[f"slave{index}"]) for index in range(int(info["connected_slaves"]))),
    )


def _link(text: str) -> Link:
    fields = dict(part.split("=", 1) for part in text.split(","))
    return Link(fields["ip"], fields["state"], int(fields["offset"]), int(fields["lag"]))


def sentinel(seat: str, answers: list[Any]) -> SentinelView:
    """Read the replies to SENTINEL_QUESTIONS. An error reply to CKQUORUM is its answer, any other one an error."""
    info = replies.info(answers[0])
    asked = replies.pairs(answers[2], SENTINEL_QUESTIONS[2])
    return SentinelView(
        seat=seat,
        my_id=str(answers[1]),
        run_id=info["run_id"],
        primary_host=asked["ip"],
        primary_flags=frozenset(asked["flags"].split(",")),
        quorum=int(asked["quorum"]),
        down_after_s=int(asked["down-after-milliseconds"]) / 1000,
        failover_timeout_s=int(asked["failover-timeout"]) / 1000,
        parallel_syncs=int(asked["parallel-syncs"]),
        config_epoch=int(asked["config-epoch"]),
        replicas=_members(answers[3], SENTINEL_QUESTIONS[3]),
        sentinels=_members(answers[4], SENTINEL_QUESTIONS[4]),
        quorum_check=str(answers[5]),
        tilt=info.get("sentinel_tilt", "0") != "0",
    )


def _members(answer: Any, asked: str) -> tuple[Member, ...]:
    if isinstance(answer, replies.ErrorReply) or not isinstance(answer, list):
        raise ObservationError(f"{asked} was answered with {answer!r}")
    return tuple(_member(replies.pairs(flat, asked)) for flat in answer)


def _member(fields: dict[str, str]) -> Member:
    priority = fields.get("slave-priority")
    return Member(
        host=fields["ip"],
        flags=frozenset(fields["flags"].split(",")),
        run_id=fields["runid"],
        silent_s=int(fields["last-ok-ping-reply"]) / 1000,
        priority=int(priority) if priority is not None else None,
    )
