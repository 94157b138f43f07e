"""What holds for all unit tests: they need neither a cluster nor Docker, so a Docker engine that runs must not help."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's clients find no engine, as on the fresh machine where `make test` comes first."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
