"""How long drills take beyond what they wait for: ``python -m benchmarks.drills [reports/latest]``.

For each drill of a finished run: its whole time, the course of its fault (from the order to the last phase: healed, or
the last replica linked again), and the difference, which is what steady states, look-ups, sweeps and verdicts cost.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drills", description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, default=Path("reports/latest"), help="a run's directory")
    path = parser.parse_args().run / "run.json"
    try:
        tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"error: {path} is no run.json: {error}", file=sys.stderr)
        return 2
    rows = [row for test in tests if (row := _row(test)) is not None]
    if not rows:
        print(f"error: {path} holds no drill that ended", file=sys.stderr)
        return 2
    print(f"{'whole':>8} {'fault':>8} {'beyond':>8}  drill (seconds)")
    for whole, course, name in rows:
        print(f"{whole:8.1f} {course:8.1f} {whole - course:8.1f}  {name}")
    beyond = [whole - course for whole, course, _ in rows]
    print(f"beyond the fault: median {statistics.median(beyond):.1f} s, most {max(beyond):.1f} s, {len(rows)} drills")
    return 0


def _row(test: dict[str, Any]) -> tuple[float, float, str] | None:
    ends = [_end_s(drill) for drill in test["drills"]]
    if test["outcome"] not in {"passed", "failed"} or not ends:
        return None
    return test["seconds"], sum(ends), test["test"].rpartition("::")[2]


def _end_s(drill: dict[str, Any]) -> float:
    """Seconds from the first fault's order to the last thing that it set in motion."""
    zero = min((fault["injected_at"] for fault in drill["faults"]), default=0.0)
    phases = [phase["at_s"] for phase in drill["phases"]]
    healed = [fault["healed_at"] - zero for fault in drill["faults"] if fault["healed_at"] is not None]
    return float(max([*phases, *healed], default=0.0))


if __name__ == "__main__":
    sys.exit(main())
