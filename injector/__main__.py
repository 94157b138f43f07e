"""`python3 -m injector`: one verb, its answer on stdout as JSON, a complaint in one line on stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from injector import faults
from injector.cgroups import Cgroups
from injector.errors import InjectorError
from injector.filtered import network
from injector.node import ROOT, Node, run
from injector.records import Record, everything
from injector.sweep import sweep

LOOKUP_S = 20.0


def main() -> int:
    """Run the program; return its exit status: 0 done, 1 not done, 2 not understood."""
    parser = argparse.ArgumentParser(prog="python3 -m injector", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the node's root directory, as seen from here")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("inject", help="inject a fault under its timer").add_argument("plan", type=json.loads)
    verbs.add_parser("heal", help="undo a fault").add_argument("id")
    verbs.add_parser("look", help="observe a fault").add_argument("id")
    verbs.add_parser("find", help="find the main process of a container").add_argument("plan", type=json.loads)
    verbs.add_parser("lookup", help="ask a name server from a pod's network").add_argument("plan", type=json.loads)
    verbs.add_parser("repair", help="repair a damaged append-only file as documented").add_argument("id")
    verbs.add_parser("list", help="list the faults on record")
    verbs.add_parser("sweep", help="undo everything of ours")
    verbs.add_parser("serve", help="arm lost timers again, then stand by: what the pod runs")
    given = parser.parse_args()
    node = Node(root=given.root)
    try:
        answer = _done(node, given)
    except (InjectorError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyError, TypeError, ValueError) as error:
        print(f"{given.verb}: not understood: {error!r}", file=sys.stderr)
        return 2
    print(json.dumps(answer), flush=True)
    return 0


def _done(node: Node, given: argparse.Namespace) -> Any:
    verbs: dict[str, Callable[[], Any]] = {
        "inject": lambda: faults.inject(node, given.plan),
        "heal": lambda: {"healed": faults.heal(node, given.id)},
        "look": lambda: faults.look(node, given.id),
        "find": lambda: _find(node, given.plan),
        "lookup": lambda: _lookup(node, given.plan),
        "repair": lambda: {"said": faults.repair(node, given.id)},
        "list": lambda: [faults.told(node, record) for record in everything(node)],
        "sweep": lambda: sweep(node),
        "serve": lambda: _serve(node),
    }
    return verbs[given.verb]()


def _find(node: Node, plan: dict[str, Any]) -> dict[str, int]:
    process = Cgroups(node).main_process(plan["pod"], plan["container"])
    return {"pid": process.pid, "started": process.started}


def _lookup(node: Node, plan: dict[str, Any]) -> Any:
    pid, _ = network(node, Record("lookup", "lookup", "lookup", plan, 0.0))
    argv = [sys.executable, "-m", "injector.lookup", "--server", plan["server"], "--name", plan["name"]]
    return json.loads(run(node.in_network(pid, [*argv, "--patience-ms", str(plan["patience_ms"])]), seconds=LOOKUP_S))


def _serve(node: Node) -> list[str]:
    for line in faults.rearm(node):
        print(line, flush=True)
    os.execvp("sleep", ["sleep", "infinity"])  # noqa: S606 - the pod's process has nothing else to do


if __name__ == "__main__":
    sys.exit(main())
