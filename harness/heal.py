"""``make heal``: undo whatever faults a run that was killed left in the cluster, and nothing else."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from harness.cluster import Cluster
from harness.errors import ClusterError, HarnessError, ProviderError
from harness.faults.sweep import left_on_ledger, note_swept, sweep
from harness.leftovers import Place
from harness.providers import ContextProvider
from harness.providers.k3d_nodes import K3dNodes
from harness.settings import Settings, add_arguments, read_settings

HEALED, NOT_HEALED, NO_CLUSTER = 0, 1, 2


def main() -> int:
    """Run the program; return its exit status: 0 healed or nothing to heal, 1 something is left, 2 no cluster."""
    parser = argparse.ArgumentParser(prog="python -m harness.heal", description=__doc__)
    add_arguments(parser)
    try:
        settings = read_settings(vars(parser.parse_args()).get, os.environ)
        mended: list[str] = []
        with _cluster(settings, mended) as cluster:
            if cluster is None:
                return NO_CLUSTER
            lines = [*mended, *sweep(cluster)]
        for ledger in ledgers(settings.report_dir):
            note_swept(ledger, left_on_ledger(ledger))
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return NOT_HEALED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print("\n".join(lines or ["nothing to heal"]))
    return HEALED


def ledgers(reports: Path) -> list[Path]:
    """Return the ledgers of all runs whose reports are still there, oldest first."""
    return sorted(path for path in reports.glob("*/faults.jsonl") if not path.parent.is_symlink())


@contextmanager
def _cluster(settings: Settings, mended: list[str]) -> Iterator[Cluster | None]:
    """Yield the cluster that the settings name, held so that no run uses it meanwhile; None where there is none.

    Its nodes are given back before, with a line in `mended` for each that needed it: a stopped one may be the one that
    answers for the cluster. Only those of the suite's own cluster are ever stopped by it.
    """
    if settings.provider == "context":
        with _context(settings) as cluster:
            yield cluster
        return
    place = Place(settings.state_dir, settings.cluster_name)
    if place.read() is None:
        _say_unknown(place)
        yield None
        return
    place.claim()
    try:
        mended += K3dNodes(settings.cluster_name, place.folder / "timers").mend_nodes()
        if not place.kubeconfig.is_file():
            _say_unknown(place)
            yield None
            return
        with closing(Cluster.connect(place.kubeconfig, None, settings.namespace)) as cluster:
            yield cluster if _answers(cluster, f"cluster {place.name}") else None
    finally:
        place.yield_up()


def _say_unknown(place: Place) -> None:
    print(f"no cluster {place.name} is known: there is nothing that could be healed", file=sys.stderr)


@contextmanager
def _context(settings: Settings) -> Iterator[Cluster | None]:
    provider = ContextProvider(settings)
    access = provider.obtain(lambda _: None)
    try:
        refusal = provider.may_inject(settings.namespace)
        if refusal:
            raise ProviderError(f"context {settings.context}: nothing of ours can be there: {refusal}")
        with closing(Cluster.connect(access.kubeconfig, access.context, settings.namespace)) as cluster:
            yield cluster
    finally:
        provider.release()


def _answers(cluster: Cluster, name: str) -> bool:
    try:
        cluster.version()
    except ClusterError as error:
        print(f"{name} does not answer: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
