"""Every instance writes RDB and AOF as promised, its last attempts went well, and its files are there and grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Report, "Persistence": the snapshot rules and the fsync policy of the AOF.
PROMISED_SETTINGS: Mapping[str, str] = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "900 1 300 10 60 10000",
}

#: INFO persistence: the last attempt of each kind of write.
LAST_ATTEMPTS: Mapping[str, str] = {
    "rdb_last_bgsave_status": "the last snapshot",
    "aof_last_bgrewrite_status": "the last rewrite of the AOF",
    "aof_last_write_status": "the last write to the AOF",
}


@dataclass(frozen=True, slots=True)
class State:
    """What one instance says of its persistence and what lies on its volume."""

    seat: str
    info: Mapping[str, str]
    config: Mapping[str, str]
    files: Mapping[str, int]
    """Size in bytes by path relative to the data directory."""

    @property
    def log_bytes(self) -> int:
        """Bytes in the incremental files of the AOF: what a write makes longer."""
        return sum(size for path, size in self.files.items() if path.endswith(".aof"))


def against_persistence(state: State) -> Iterator[str]:
    """Yield what is wrong with one instance's settings, last attempts and files."""
    seat = state.seat
    for setting, promised in PROMISED_SETTINGS.items():
        given = state.config.get(setting)
        if given != promised:
            yield f"{seat} runs with {setting} {given!r}, promised is {promised!r}"
    for field, what in LAST_ATTEMPTS.items():
        if state.info.get(field, "ok") != "ok":
            yield f"{seat}: {what} failed ({field}:{state.info[field]})"
    if state.info.get("aof_enabled") != "1":
        yield f"{seat} has its AOF off: a restart falls back to the last snapshot"
        return
    snapshot, folder = state.config.get("dbfilename", "dump.rdb"), state.config.get("appenddirname", "appendonlydir")
    if not state.files.get(snapshot):
        yield f"{seat} has no snapshot {snapshot} in {state.config.get('dir')}"
    if not any(path.startswith(f"{folder}/") and path.endswith(".manifest") for path in state.files):
        yield f"{seat} has no AOF in {state.config.get('dir')}/{folder}"


def against_growth(before: State, after: State) -> Iterator[str]:
    """Yield that a write which reached the instance did not reach its AOF file."""
    if after.log_bytes <= before.log_bytes:
        yield (
            f"{after.seat}: a write reached the instance but its AOF did not grow "
            f"({before.log_bytes} bytes before, {after.log_bytes} after)"
        )
