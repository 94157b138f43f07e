"""How long it takes to load a history and to ask every checker, by its size, and how much memory.

``python -m benchmarks.checkers [--ops 1e6 3e6 10e6]``. Each size runs in a process of its own, so that its peak memory
is its own. On a machine that does something else as well, the time that the process itself ran (CPU s) is the one to
compare; the ratio to linear is taken from it. Histories are made up as a drill would leave them: eight Sentinel-aware
writers, two pinned ones, readers of the primary and of two replicas, role samples each 100 ms, and a failover in which
the pinned writers go on.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from harness.checkers import CHECKERS, Question, ask
from harness.history import History
from harness.history.records import FIELDS, FORMAT, VERSION

S = 1_000_000
AWARE, PINNED, READERS = 8, 2, 4
SEATS = ("redis-0", "redis-1", "redis-2")
RATE = 1000  # ops a second
GAP_S = 6.3
SAMPLE_US = 100_000

QUESTIONS = [*(Question(name) for name in sorted(CHECKERS)), Question("unavailability", {"kind": "read"})]


def header() -> dict[str, Any]:
    """The first line."""
    writers = [{"group": "aware", "target": "sentinel", "rate": RATE / 2 / AWARE, "wait": 0}] * AWARE
    writers += [{"group": "pinned", "target": "redis-0", "rate": RATE / 5 / PINNED, "wait": 0}] * PINNED
    readers = [{"group": "reader", "target": "sentinel", "rate": RATE / 10}] * 2
    readers += [{"group": "replica-reader", "target": seat, "rate": RATE / 10} for seat in SEATS[1:]]
    workload = {"id": "benchmark", "name": "benchmark", "writers": writers, "readers": readers}
    records = {kind: list(fields) for kind, fields in FIELDS.items()}
    return {"format": FORMAT, "version": VERSION, "origin_ns": 1, "wall": "", "workload": workload, "records": records}


def make(path: Path, ops: int) -> None:
    """Write a history of so many ops. Reproducible: seeded by its size."""
    chance = random.Random(ops)
    counts: Counter[str] = Counter()
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(header()) + "\n")
        for record in chain(_opening(), _body(ops, chance)):
            _put(file, record, counts)
        file.write(json.dumps(["end", ops * S // RATE + S, "stopped", dict(counts)]) + "\n")


def _put(file: IO[str], record: list[Any], counts: Counter[str]) -> None:
    counts[record[0]] += 1
    file.write(json.dumps(record, separators=(",", ":")) + "\n")


def _opening() -> Iterator[list[Any]]:
    for number, seat in enumerate(SEATS):
        yield ["instance", number, seat, f"{seat}:6379"]
    for number in range(3, 6):
        yield ["instance", number, f"sentinel-{number - 3}", f"sentinel-{number - 3}:26379"]
        yield ["listening", number, 1000 + number, "up", None]
    for number in range(3, 6):
        yield ["view", number, 2000 + number, "redis-0:6379", 0, "master"]


def _body(ops: int, chance: random.Random) -> Iterator[list[Any]]:
    """Seven of ten ops are writes. In the middle redis-0 hangs and comes back, for ten seconds as a second primary."""
    fault = ops // 2 * S // RATE
    back, demoted = fault + int(GAP_S * S), fault + int((GAP_S + 10) * S)
    kept: dict[int, list[int]] = {writer: [] for writer in range(AWARE + PINNED)}
    shown: dict[tuple[int, int], int] = defaultdict(lambda: -1)
    sequences = [0] * (AWARE + PINNED)
    highest = [-1] * (AWARE + PINNED)
    sampled, switched, step = 0, False, S // RATE
    for number in range(ops):
        at = 10_000 + number * step
        if at >= sampled:
            yield from _samples(at, fault, back, demoted)
            sampled = at + SAMPLE_US
        if at >= back and not switched:
            switched = True
            yield from (["view", sentinel, at, "redis-1:6379", 1, "master"] for sentinel in range(3, 6))
        hangs, took = fault < at < back, 500 + chance.randrange(500)
        turn = number % 10
        if turn >= 7:
            reader = (turn - 7 + number // 10) % READERS
            writer = chance.randrange(AWARE)
            instance = (0 if at < back else 1) if reader < 2 else reader - 1
            lag = 0 if reader < 2 or chance.random() < 0.95 else 1
            expected, seen = highest[writer], max(-1, highest[writer] - lag)
            if hangs and reader < 2:
                yield ["r", reader, at - took, took, "f", 0, writer, expected, -1, "timeout"]
            else:
                seen = shown[instance, writer] = max(seen, shown[instance, writer])
                yield ["r", reader, at - took, took, "o", instance, writer, expected, seen]
            continue
        pinned = turn >= 5
        writer = AWARE + number // 10 % PINNED if pinned else (number // 10 * 5 + turn) % AWARE
        sequence, sequences[writer] = sequences[writer], sequences[writer] + 1
        if hangs or (pinned and at >= demoted):
            outcome, error = ("i", "timeout") if hangs else ("f", "readonly")
            yield ["w", writer, sequence, at - took, took, outcome, 0, error]
            continue
        highest[writer] = sequence
        if not (pinned and at >= back):  # what the stale primary acknowledges is lost
            kept[writer].append(sequence)
        yield ["w", writer, sequence, at - took, took, "o", 0 if pinned or at < back else 1]
    yield from _sweeps(kept, 10_000 + ops * step)


def _samples(at: int, fault: int, back: int, demoted: int) -> Iterator[list[Any]]:
    old = "unreachable" if fault < at < back else "primary" if at < demoted else "replica"
    new = "replica" if at < back else "primary"
    for seat, says in enumerate((old, new, "replica")):
        primary = "redis-0:6379" if at < back else "redis-1:6379"
        link = {"primary": 2, "replica": "connected"}.get(says)
        detail = {"primary": {}, "replica": primary}.get(says, "timeout")
        yield ["role", seat, at - 800, 800, says, None if says == "unreachable" else at, link, detail]
    if at % S < SAMPLE_US:
        yield ["health", at, 2000, 300_000, 60_000, 0]


def _sweeps(kept: dict[int, list[int]], at: int) -> Iterator[list[Any]]:
    for seat in range(3):
        for writer, sequences in kept.items():
            yield ["kept", seat, writer, _ranges(sequences)]
        yield ["digest", seat, at, 1000, sum(map(len, kept.values())) // 128, "ab" * 16]
        yield ["sweep", seat, at, 1000, "primary" if seat == 1 else "replica", at, True, seat == 1, None]


def _ranges(sequences: Sequence[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for sequence in sequences:
        if ranges and sequence == ranges[-1][1] + 1:
            ranges[-1][1] = sequence
        else:
            ranges.append([sequence, sequence])
    return ranges


def measure(path: Path) -> dict[str, Any]:
    """Load it and ask everything; seconds, and the peak memory of this process in MiB."""
    started = time.perf_counter()
    worked = time.process_time()
    history = History.load(path)
    seconds = {"load": time.perf_counter() - started}
    valid = {}
    for question in QUESTIONS:
        began = time.perf_counter()
        verdict = ask(history, question)
        name = question.checker + ("(read)" if question.arguments else "")
        seconds[name] = time.perf_counter() - began
        valid[name] = verdict.valid
    # VmHWM, for ru_maxrss begins with what the process that started this one had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024
    ops = len(history.writes) + len(history.reads)
    total, cpu = time.perf_counter() - started, time.process_time() - worked
    return {"ops": ops, "seconds": seconds, "total": total, "cpu": cpu, "mib": peak, "valid": valid}


def main() -> int:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkers", description=__doc__)
    parser.add_argument("--ops", nargs="+", type=float, default=[1e6, 3e6, 10e6], help="sizes, such as 1e6")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure)))
        return 0
    sizes = [int(size) for size in given.ops]
    base: float | None = None
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.jsonl"
            make(path, size)
            command = [sys.executable, "-m", "benchmarks.checkers", "--measure", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            each = found["cpu"] / found["ops"]
            if base is None:
                base = each
                print("       ops     MB   total s     CPU s  peak MiB  x linear  " + "  ".join(found["seconds"]))
            shown = "  ".join(f"{found['seconds'][name]:{len(name)}.2f}" for name in found["seconds"])
            megabytes = path.stat().st_size / 1e6
            line = f"{found['ops']:>10,}  {megabytes:5.0f}  {found['total']:8.2f}  {found['cpu']:8.2f}  "
            line += f"{found['mib']:8}  {each / base:8.2f}  "
            print(line + shown, flush=True)
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
