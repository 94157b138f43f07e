"""Progress of long work, shown while pytest captures output: one line per step, with the time since the start."""

from __future__ import annotations

import time

import pytest


class Progress:
    """Writes lines to the terminal of a pytest run, past the capturing of test output. Call it with the line."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter = config.pluginmanager.getplugin("terminalreporter")
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        """Write `line` after the seconds since this object was made."""
        if self._reporter is None:
            return
        with self._capture.global_and_fixture_disabled():
            self._reporter.ensure_newline()
            self._reporter.write_line(f"  {time.monotonic() - self._started:6.1f} s  {line}")
