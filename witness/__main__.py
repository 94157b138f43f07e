"""``python -m witness [--port 8080] [--bind 0.0.0.0] [--journal-dir /journal]``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from witness.server import Witness


def main() -> int:
    """Serve until SIGTERM or SIGINT, then end all journals. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="witness", description="Records what clients of Redis experience.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--bind", default="0.0.0.0", help="address to listen on")  # noqa: S104 - it is a pod's server
    parser.add_argument("--journal-dir", type=Path, default=Path("/journal"))
    options = parser.parse_args()
    try:
        options.journal_dir.mkdir(parents=True, exist_ok=True)
        (options.journal_dir / ".writable").touch()
    except OSError as exc:
        print(f"witness: journal directory {options.journal_dir} is not writable: {exc.strerror}", file=sys.stderr)
        return 1
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    web.run_app(
        Witness(options.journal_dir).app(),
        host=options.bind,
        port=options.port,
        loop=uvloop.new_event_loop(),
        access_log=None,
        shutdown_timeout=2.0,
        print=lambda text: print(text, flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
