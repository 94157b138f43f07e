"""Every shared fixture: one acquisition and its release each; what they do is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.clients import usual_clients
from harness.cluster import Cluster, Object
from harness.deploy import deploy, render
from harness.drill import Drill
from harness.errors import HarnessError, WaitTimeout
from harness.faults import Bench, Faults
from harness.faults.injector import Injector
from harness.faults.sweep import sweep
from harness.images import ImageSet, choose, substitute
from harness.plugin import REPORT, SETTINGS
from harness.progress import Progress
from harness.providers import Provider, provider_of
from harness.report.dump import dump
from harness.report.evidence import Evidence
from harness.report.head import describe_deployment
from harness.report.plugin import ReportPlugin
from harness.settings import Settings
from harness.sut import Sut
from harness.witness_pod import rescue_journals, witness_objects, witnessed
from harness.workload import Workload


@contextmanager
def ending_the_run(report: ReportPlugin) -> Iterator[None]:
    """What cannot be had ends the whole run with its one line, instead of felling every test with a traceback."""
    try:
        yield
    except HarnessError as error:
        report.problems.append(str(error))
        pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)


@pytest.fixture(scope="session")
def settings(pytestconfig: pytest.Config) -> Settings:
    """What the user asked for."""
    return pytestconfig.stash[SETTINGS]


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> ReportPlugin:
    """The report of this run."""
    return pytestconfig.stash[REPORT]


@pytest.fixture(scope="session")
def progress(pytestconfig: pytest.Config) -> Progress:
    """Where long work says how far it is."""
    return Progress(pytestconfig)


@pytest.fixture(scope="session")
def images(settings: Settings, progress: Progress, report: ReportPlugin) -> ImageSet | None:
    """The images of this run; None on a cluster of the user's own, whose images are its own business."""
    if settings.provider == "context":
        return None
    with ending_the_run(report):
        chosen = choose(settings.images, progress)
    report.head["images"] = chosen.describe()
    return chosen


@pytest.fixture(scope="session")
def manifests(settings: Settings, images: ImageSet | None, report: ReportPlugin) -> list[Object] | None:
    """The rendered objects with this run's images, looked at before a cluster is made for them."""
    if images is None:
        return None
    with ending_the_run(report):
        return substitute(render(settings.overlay, settings.namespace, images.tools["kubectl"]), images)


@pytest.fixture(scope="session")
def provider(settings: Settings, images: ImageSet | None, report: ReportPlugin) -> Iterator[Provider]:
    """Who gives the cluster; takes it back at the end unless it is to be kept."""
    provider = provider_of(settings, images)
    report.head["provider"] = {"name": provider.name}
    try:
        yield provider
    finally:
        try:
            provider.release()
        except HarnessError as error:  # the run is over; what is left behind makes it not green
            report.problems.append(str(error))


@pytest.fixture(scope="session")
def cluster(
    manifests: list[Object] | None,
    provider: Provider,
    settings: Settings,
    progress: Progress,
    report: ReportPlugin,
) -> Iterator[Cluster]:
    """The cluster, seen from the deployment's namespace, with no fault of an earlier run left in it."""
    del manifests  # asked for first: what does not render needs no cluster
    with ending_the_run(report):
        access = provider.obtain(progress)
    report.head["provider"] = provider.describe()
    cluster = Cluster.connect(access.kubeconfig, access.context, settings.namespace)
    if settings.provider != "context":
        with ending_the_run(report):
            for healed in sweep(cluster, provider):
                progress(healed)
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def sut(
    cluster: Cluster,
    manifests: list[Object] | None,
    images: ImageSet | None,
    progress: Progress,
    report: ReportPlugin,
) -> Iterator[Sut]:
    """Redis and its Sentinels, deployed and rolled out (an existing deployment of the user's is taken as it is)."""
    sut = Sut(cluster)
    report.on_failure = lambda directory: dump(cluster, sut, directory)
    try:
        if images is not None and manifests is not None:
            with ending_the_run(report):
                for line in rescue_journals(cluster, report.run.history):
                    progress(line)
                _deploy(cluster, [*manifests, *witness_objects(cluster, images)], progress, report)
        with ending_the_run(report):
            describe_deployment(report.head, sut)
        yield sut
    finally:
        sut.close()


def _deploy(cluster: Cluster, objects: list[Object], progress: Progress, report: ReportPlugin) -> None:
    """Deploy; if it does not roll out, the product is broken: the checks say where, and the run is not green."""
    try:
        deploy(cluster, objects, progress)
    except WaitTimeout as error:
        report.problems.append(f"the deployment did not roll out: {error}")
        progress(str(error))


@pytest.fixture
def evidence(request: pytest.FixtureRequest, report: ReportPlugin) -> Evidence:
    """Says in the report what a check saw."""

    def say(text: str) -> None:
        report.evidence(request.node, text)

    return say


@pytest.fixture(scope="session")
def breakable(provider: Provider, settings: Settings, images: ImageSet | None) -> ImageSet:
    """Permission to break things, and the images to do it with; drills are skipped where they are not to be had."""
    refusal = provider.may_inject(settings.namespace)
    if images is None:
        refusal = refusal or "drills on a cluster that the suite did not make are not built yet"
    if refusal or images is None:
        pytest.skip(f"no drills: {refusal}")
    return images


@pytest.fixture(scope="session")
def bench(breakable: ImageSet, sut: Sut, provider: Provider, report: ReportPlugin) -> Iterator[Bench]:
    """The tools that faults use, deployed on every node; what drills leave behind is undone, and the run not green."""
    injector = Injector.deployed(sut.cluster, breakable)
    try:
        yield Bench(sut, injector, provider)
    finally:
        injector.close()
        try:
            left = [f"a drill left this behind: {line}" for line in sweep(sut.cluster, provider)]
        except HarnessError as error:
            left = [f"what drills left behind could not be undone: {error}"]
        report.problems += left


@pytest.fixture(scope="session")
def workload(breakable: ImageSet, sut: Sut, report: ReportPlugin) -> Workload:
    """The witness inside the cluster, ready to write, read and listen."""
    del breakable  # asked for first: where nothing may be broken there is no witness either
    return witnessed(sut, report.run.history)


@pytest.fixture
def drill(
    request: pytest.FixtureRequest, bench: Bench, workload: Workload, settings: Settings, report: ReportPlugin
) -> Iterator[Drill]:
    """A drill: steady state before it and after it, faults and workload on one clock, and its record in the report."""
    faults = Faults(bench, report.run.faults)
    promise = (request.function.__doc__ or request.node.name).strip().splitlines()[0]
    clients = usual_clients(settings.namespace)
    name, seed = request.node.name, settings.chaos_seed
    drill = Drill(name, promise, bench.sut, faults, workload=workload, clients=clients, seed=seed)
    try:
        yield drill
        if not report.is_interrupted:  # nobody waits for it then, and the sweep comes after
            drill.await_steady()
    finally:
        report.attach(request.node, drill.record())
        drill.keep_verdicts()
