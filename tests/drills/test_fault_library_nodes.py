"""Each fault of pods, nodes, Sentinels and commands once, alone: it bites, it heals, and the deployment is steady."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.faults import Bench, Fault, Faults, needs
from harness.faults.samples import COMMANDS, NODES, PODS, SENTINELS
from harness.report.evidence import Evidence
from harness.report.plugin import ReportPlugin
from harness.sut import Topology
from tests.drills.library import cases

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("case", cases(PODS))
def test_fault_of_pods_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """Pods are taken from their seats, and the seats are as before when that is healed."""
    run(PODS[case], bench, report, evidence)


@pytest.mark.parametrize("case", cases(NODES))
def test_fault_of_a_node_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """A node is taken and given back: its silence is heard from another node, and all is steady again afterwards."""
    capability, fault = NODES[case]
    refusal = needs(bench.provider, capability)
    if refusal:
        pytest.skip(refusal)
    run(fault, bench, report, evidence)


@pytest.mark.parametrize("case", cases(SENTINELS))
def test_fault_of_sentinels_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """Sentinels are taken, crash or forget, and all of them know each other again when that is healed."""
    run(SENTINELS[case], bench, report, evidence)


@pytest.mark.parametrize("case", cases(COMMANDS))
def test_fault_by_command_bites_and_heals(case: str, bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """A command disturbs a healthy deployment, and it is steady again afterwards."""
    run(COMMANDS[case], bench, report, evidence)


def run(make: Callable[[Topology], Fault], bench: Bench, report: ReportPlugin, evidence: Evidence) -> None:
    """Inject and heal one fault between two steady states, and say in the report what it took."""
    faults = Faults(bench, report.run.faults)
    fault = make(bench.sut.steady())
    with faults.felled(fault) as felled:
        pass
    bench.sut.steady()

    assert felled.effect_at is not None, "it was not seen to bite"
    assert felled.healed_at is not None, "it was not seen healed"
    felt, healed = felled.effect_at - felled.injected_at, felled.healed_at - felled.effect_at
    evidence(f"{felled}: felt after {felt:.1f} s, healed {healed:.1f} s later{facts_of(fault)}")


def facts_of(fault: Fault) -> str:
    """Return what a fault noted of its course."""
    names = ("refused", "refusals", "steps", "lasted_s", "hit", "was_elected", "id_before", "id_after")
    noted = {name: value for name in names if (value := getattr(fault, name, None)) not in (None, "", (), {})}
    return "".join(f"; {name}: {value}" for name, value in noted.items())
