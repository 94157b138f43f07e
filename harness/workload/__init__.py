"""Workloads: what clients inside the cluster do while a drill runs, steered through the witness."""

from harness.workload.client import DatasetVerdict, DatasetWritten, SeatData, Status, Transport, WitnessClient
from harness.workload.deployment import Deployment, Readers, Writers
from harness.workload.rescue import rescued
from harness.workload.running import CATCH_UP_S, Recording, Workload

__all__ = [
    "CATCH_UP_S",
    "DatasetVerdict",
    "DatasetWritten",
    "Deployment",
    "Readers",
    "Recording",
    "SeatData",
    "Status",
    "Transport",
    "WitnessClient",
    "Workload",
    "Writers",
    "rescued",
]
