"""``make down``: remove the cluster that the suite made, and nothing else."""

from __future__ import annotations

import argparse
import os
import sys

from harness.errors import HarnessError
from harness.providers.k3d_removal import remove_cluster
from harness.settings import add_arguments, read_settings


def main() -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m harness.down", description=__doc__)
    add_arguments(parser)
    try:
        settings = read_settings(vars(parser.parse_args()).get, os.environ)
        print(remove_cluster(settings))
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
