"""``make up``: a cluster with the deployment in it, kept until ``make down``."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from dataclasses import replace
from types import FrameType

from harness.cluster import Cluster
from harness.deploy import deploy, render
from harness.errors import HarnessError
from harness.images import choose, substitute
from harness.providers import K3dProvider
from harness.settings import Settings, add_arguments, read_settings
from harness.wait import set_patience_scale


def main() -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m harness.up", description=__doc__)
    add_arguments(parser)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        settings = read_settings(vars(parser.parse_args()).get, os.environ)
        if settings.provider != "k3d":
            print("up is for --provider k3d: a cluster of your own is up already, and nothing is deployed to it")
            return 2
        _up(replace(settings, keep_cluster=True))
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _up(settings: Settings) -> None:
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", flush=True)

    set_patience_scale(settings.patience_scale)
    images = choose(settings.images, say)
    kubectl = images.tools["kubectl"]
    objects = substitute(render(settings.overlay, settings.namespace, kubectl), images)
    provider = K3dProvider(settings, images)
    access = provider.obtain(say)
    try:
        deploy(Cluster.connect(access.kubeconfig, access.context, settings.namespace), objects, say)
    finally:
        provider.release()
    print("\nUse it with:")
    print(f"  export KUBECONFIG={shlex.quote(str(access.kubeconfig))}")
    print(f"  {shlex.quote(str(kubectl))} --namespace {settings.namespace} get pods")


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    """Take SIGTERM for Ctrl-C, so that what is half made is removed."""
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
