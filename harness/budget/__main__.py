"""``make budget``: what the deployed configuration allows a failover to take. Looks only, breaks nothing."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from harness.budget.page import page
from harness.budget.phases import budget
from harness.budget.reading import configuration_of
from harness.cluster import Cluster
from harness.errors import HarnessError, ProviderError
from harness.leftovers import Place
from harness.settings import Settings, add_arguments, read_settings
from harness.sut import Sut
from harness.sut.names import PROMISED_FAILOVER_S

FITS, DOES_NOT_FIT, NOT_REACHED = 0, 1, 2


def main() -> int:
    """Run the program; return its exit status: 0 the totals fit the promise, 1 they do not, 2 nothing was read."""
    parser = argparse.ArgumentParser(prog="python -m harness.budget", description=__doc__)
    add_arguments(parser)
    try:
        settings = read_settings(vars(parser.parse_args()).get, os.environ)
        with standing(settings) as sut:
            return show(sut, print)
    except HarnessError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return NOT_REACHED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def show(sut: Sut, say: Callable[[str], object]) -> int:
    """Read the configuration, say the page, return the exit status."""
    found = budget(configuration_of(sut))
    for line in page(found, PROMISED_FAILOVER_S):
        say(line)
    return FITS if found.fits(PROMISED_FAILOVER_S) else DOES_NOT_FIT


@contextmanager
def standing(settings: Settings) -> Iterator[Sut]:
    """The deployment in the cluster that stands: the named context's, or the suite's own. None is made.

    Raises ProviderError when the suite has no cluster of that name.
    """
    kubeconfig, context = settings.kubeconfig, settings.context
    if kubeconfig is None or context is None:
        kubeconfig = Place(settings.state_dir, settings.cluster_name).kubeconfig
        context = f"k3d-{settings.cluster_name}"
        if not kubeconfig.is_file():
            raise ProviderError(
                f"no cluster {settings.cluster_name} stands: make up makes one, "
                "--provider context --context NAME looks at yours"
            )
    with closing(Cluster.connect(kubeconfig, context, settings.namespace)) as cluster, closing(Sut(cluster)) as sut:
        yield sut


if __name__ == "__main__":
    sys.exit(main())
