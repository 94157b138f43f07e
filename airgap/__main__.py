"""``python3 -m airgap build|engine|engine-stop|status|clean``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time

from airgap import commands, engine, hostpackages
from airgap.bundle import build, build_tools, cache, full_plan, known
from airgap.errors import AirgapError


def main(arguments: list[str]) -> int:
    """Run one command; the exit status is 0, 1 after a failure, 130 after an interrupt."""
    chosen = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        chosen.run(chosen)
    except AirgapError as error:
        print(f"airgap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        commands.stop_all()
        print("airgap: interrupted; finished steps are kept", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airgap", description="Build the test bed from package registries alone.")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    building = verbs.add_parser("build", help="build every image and tool that is not cached")
    building.add_argument("--only", nargs="+", metavar="NAME", choices=known(), help=f"of {', '.join(known())}")
    building.set_defaults(run=_build)
    for name, run, text in (
        ("engine", _engine, "start a Docker engine if none answers"),
        ("engine-stop", _engine_stop, "stop the engine that was started here"),
        ("status", _status, "say what is cached"),
        ("clean", _clean, "remove what is cached for other sources than these, unless a cluster uses it"),
        ("unit-tools", _unit_tools, "install what the unit tests run: Redis, Sentinel, kubectl"),
    ):
        verbs.add_parser(name, help=text).set_defaults(run=run)
    return parser


def _say(text: str) -> None:
    print(f"airgap: {text}", flush=True)


def _build(chosen: argparse.Namespace) -> None:
    began = time.monotonic()
    bundle = build(progress=_say, only=chosen.only)
    took = time.monotonic() - began
    if not bundle.built:
        _say(f"nothing to do: everything is in {cache().root} ({took:.2f} s)")
        return
    _say(f"built {len(bundle.built)} steps in {took:.0f} s")


def _engine(_: argparse.Namespace) -> None:
    found = engine.ensure_engine(progress=_say)
    _say(f"Docker engine at {found.socket}: {'started' if found.started else 'was there'}")


def _engine_stop(_: argparse.Namespace) -> None:
    engine.stop_engine()
    _say("no engine of ours runs")


def _status(_: argparse.Namespace) -> None:
    plan, store = full_plan(), cache()
    for name, key in plan.keys.items():
        _say(f"{'cached ' if store.entry(name, key).is_dir() else 'missing'} {name} {key}")


def _clean(_: argparse.Namespace) -> None:
    plan, store = full_plan(), cache()
    gone = store.discard([store.entry(name, key) for name, key in plan.keys.items()], older=0, seconds=0)
    _say(f"removed {len(gone)} cached steps of other sources")


def _unit_tools(_: argparse.Namespace) -> None:
    of_root = hostpackages.UNIT_TESTS_OF_ROOT if os.geteuid() == 0 else {}
    hostpackages.install(hostpackages.UNIT_TESTS | of_root, _say)
    if shutil.which("kubectl") is None:
        build_tools(progress=_say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
