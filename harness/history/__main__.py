"""``python -m harness.history``: what can be done with recorded histories from the command line."""

from __future__ import annotations

import sys

from harness.replay import main

if __name__ == "__main__":
    sys.exit(main())
