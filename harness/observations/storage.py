"""Where each instance keeps its state, what lies there, and how its persistence is doing."""

from __future__ import annotations

from functools import partial

from harness import wait
from harness.errors import NotJudged
from harness.properties.persistence import State
from harness.sut import Sut, replies
from harness.sut.names import KINDS, REDIS, REDIS_SET, kind_of

#: A snapshot of a small data set takes well under a second.
SNAPSHOT_S = 20.0

#: The AOF is written before the reply is sent; the file's size follows at once.
GROWTH_S = 3.0


def state_paths(sut: Sut) -> dict[str, str]:
    """Return, by seat, the path that each running instance names as its own: data directory, configuration file."""
    redis = {
        seat: replies.pairs(answer[0], "CONFIG GET dir")["dir"]
        for seat, answer in sut.ask_each("CONFIG GET dir", stateful_set=REDIS_SET).items()
    }
    sentinels = {
        seat: replies.info(answer[0])["config_file"]
        for seat, answer in sut.ask_each("INFO server", stateful_set=KINDS[1].stateful_set).items()
    }
    return redis | sentinels


def persistence(sut: Sut) -> dict[str, State]:
    """Return the persistence of every Redis instance that has a pod, by seat."""
    seats = [seat for seat in sut.pod_objects() if kind_of(seat) is REDIS]
    return dict(zip(seats, sut.cluster.gather([partial(persistence_of, sut, seat) for seat in seats]), strict=True))


def persistence_of(sut: Sut, seat: str) -> State:
    """Return what the instance on `seat` says of its persistence, and the sizes of the files in its data directory."""
    about, settings = sut.ask(seat, "INFO persistence", "CONFIG GET *")
    config = replies.pairs(settings, "CONFIG GET *")
    listing = ["sh", "-c", 'cd "$1" && find . -type f -exec stat -c "%s %n" {} +', "list", config["dir"]]
    printed = sut.run(seat, listing).check().stdout
    sizes = (line.split(" ", 1) for line in printed.splitlines())
    return State(
        seat=seat,
        info=replies.info(about),
        config=config,
        files={name.removeprefix("./"): int(size) for size, name in sizes},
    )


def persistence_with_snapshot(sut: Sut) -> dict[str, State]:
    """Return the persistence of every Redis instance that has a pod, each with a first snapshot taken."""
    states = persistence(sut)
    return dict(
        zip(states, sut.cluster.gather([partial(with_snapshot, sut, state) for state in states.values()]), strict=True)
    )


def writable_seat(sut: Sut) -> str:
    """Return the seat of the one primary. Raises NotJudged unless there is exactly one: check 6 owns that finding."""
    primaries = sut.topology().primaries
    if len(primaries) != 1:
        raise NotJudged(f"primaries: {', '.join(primaries) or 'none'}: see the check of the replication")
    return primaries[0]


def with_snapshot(sut: Sut, state: State) -> State:
    """Return `state`, after a first snapshot if the instance never had a reason to take one yet.

    A new deployment has no snapshot before its first save rule is due (900 s after one change); asking for one proves
    that it can be taken.
    """
    if state.files.get(state.config["dbfilename"]):
        return state
    sut.ask(state.seat, "BGSAVE SCHEDULE")
    return wait.eventually(
        partial(persistence_of, sut, state.seat),
        lambda seen: seen.info["rdb_bgsave_in_progress"] == "0",
        seconds=SNAPSHOT_S,
        what=f"the snapshot of {state.seat}",
    )
