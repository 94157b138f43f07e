"""How long a failover may take with the configuration that is deployed, and whether one took longer."""

from harness.budget.cautions import Caution, cautions
from harness.budget.configuration import Configuration, Environment
from harness.budget.judging import BudgetVerdict, StepVerdict, judge
from harness.budget.phases import CRASH, PLANNED, REBOOT, SECOND_ATTEMPT, SILENCE, TILT, Budget, Course, Step, budget

__all__ = [
    "CRASH",
    "PLANNED",
    "REBOOT",
    "SECOND_ATTEMPT",
    "SILENCE",
    "TILT",
    "Budget",
    "BudgetVerdict",
    "Caution",
    "Configuration",
    "Course",
    "Environment",
    "Step",
    "StepVerdict",
    "budget",
    "cautions",
    "judge",
]
