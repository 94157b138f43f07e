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
    rows = [test for test in tests if test["beyond_s"] is not None and test["outcome"] in {"passed", "failed"}]
    if not rows:
        print(f"error: {path} holds no drill that ended", file=sys.stderr)
        return 2
    print(f"{'whole':>8} {'fault':>8} {'beyond':>8}  drill (seconds)")
    for test in rows:
        whole, beyond = test["seconds"], test["beyond_s"]
        print(f"{whole:8.1f} {whole - beyond:8.1f} {beyond:8.1f}  {test['test'].rpartition('::')[2]}")
    beyond_all = [test["beyond_s"] for test in rows]
    print(f"whole: {sum(test['seconds'] for test in rows):.0f} s, {len(rows)} drills")
    print(f"beyond the fault: median {statistics.median(beyond_all):.1f} s, most {max(beyond_all):.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
