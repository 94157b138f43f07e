"""What a soak needs: its schedule, drawn or read, and a drill of its own for each leg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.clients import Clients, usual_clients
from harness.errors import HarnessError
from harness.faults import Bench, Faults
from harness.fixtures import ending_the_run
from harness.nemesis import MENU, Leg, Schedule, Soak, draw, load
from harness.nemesis.soak import NewLeg
from harness.progress import Progress
from harness.report.plugin import ReportPlugin
from harness.settings import Settings
from harness.workload import Workload


@dataclass(frozen=True, slots=True)
class Tools:
    """The deployment and what breaks it, the clients, and the ledger of faults."""

    bench: Bench
    workload: Workload
    clients: Clients
    ledger: Path


@pytest.fixture(scope="session")
def schedule(settings: Settings, report: ReportPlugin) -> Schedule:
    """The schedule of this run; whatever is wrong with it is known before there is a cluster."""
    with ending_the_run(report):
        if settings.schedule is not None:
            return MENU.check(load(settings.schedule))
        if settings.soak_minutes is None:
            raise HarnessError("how long is the soak to be? Give --soak-minutes N, or --schedule FILE to replay one")
        return draw(settings.chaos_seed, settings.soak_minutes, MENU)


@pytest.fixture
def tools(bench: Bench, workload: Workload, settings: Settings, report: ReportPlugin) -> Tools:
    """What every leg works with."""
    return Tools(bench, workload, usual_clients(settings.namespace), report.run.faults)


@pytest.fixture
def new_leg(request: pytest.FixtureRequest, schedule: Schedule, tools: Tools, progress: Progress) -> NewLeg:
    """How a leg begins: as a drill of its own, from a steady state."""
    promise = (request.function.__doc__ or request.node.name).strip().splitlines()[0]

    def new(name: str, begins_s: int) -> Leg:
        return Leg(
            name,
            f"{promise} ({name})",
            tools.bench.sut,
            Faults(tools.bench, tools.ledger),
            workload=tools.workload,
            clients=tools.clients,
            seed=schedule.seed,
            menu=MENU,
            say=progress,
            begins_s=begins_s,
        )

    return new


@pytest.fixture
def soak(
    request: pytest.FixtureRequest, schedule: Schedule, new_leg: NewLeg, progress: Progress, report: ReportPlugin
) -> Soak:
    """A soak over the schedule; every leg is shown in the report."""

    def show(leg: Leg) -> None:
        report.attach(request.node, leg.record())
        leg.keep_verdicts()

    def save_state() -> None:
        if report.on_failure is None:
            return
        try:
            report.on_failure(report.run.logs / "soak-as-it-failed")
        except HarnessError as error:  # evidence beside the verdict: its want must not end the search
            progress(f"the state could not be saved: {error}")

    return Soak(
        schedule,
        new_leg,
        report.run,
        progress,
        after_leg=show,
        on_failure=save_state,
    )
