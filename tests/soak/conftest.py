"""What a soak needs: its schedule, drawn or read, and a drill of its own for each leg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.clients import Clients, usual_clients
from harness.errors import HarnessError
from harness.faults import Bench, Faults
from harness.fixtures import ending_the_run
from harness.nemesis import MENU, Leg, Schedule, Soak, Step, draw, load
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


@dataclass(frozen=True, slots=True)
class Paper:
    """Where a soak says what it does: on the terminal, in the report, beside its test."""

    test: pytest.Item
    progress: Progress
    report: ReportPlugin


@pytest.fixture
def paper(request: pytest.FixtureRequest, progress: Progress, report: ReportPlugin) -> Paper:
    """Where this soak says what it does."""
    return Paper(request.node, progress, report)


@pytest.fixture
def left_out(schedule: Schedule, tools: Tools, paper: Paper) -> dict[Step, str]:
    """The steps that this cluster's provider cannot do, with the reason: the seed's schedule stays what it is."""
    found = {step: why for step in schedule.steps if (why := MENU.refusal(step, tools.bench.provider))}
    if len(found) == len(schedule.steps):
        pytest.skip(f"nothing of the schedule can be done: {', '.join(sorted(set(found.values())))}")
    for step, why in found.items():
        paper.report.evidence(paper.test, f"left out: {step}: {why}")
    return found


@pytest.fixture
def soak(schedule: Schedule, left_out: dict[Step, str], new_leg: NewLeg, paper: Paper) -> Soak:
    """A soak over the schedule; every leg is shown in the report."""

    def show(leg: Leg) -> None:
        paper.report.attach(paper.test, leg.record())
        leg.keep_verdicts()

    def save_state() -> None:
        if paper.report.on_failure is None:
            return
        try:
            paper.report.on_failure(paper.report.run.logs / "soak-as-it-failed")
        except HarnessError as error:  # evidence beside the verdict: its want must not end the search
            paper.progress(f"the state could not be saved: {error}")

    return Soak(
        schedule,
        new_leg,
        paper.report.run,
        paper.progress,
        after_leg=show,
        on_failure=save_state,
        left_out=left_out,
    )
