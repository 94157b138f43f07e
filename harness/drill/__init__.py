"""A drill: faults and workload on one clock between two steady states, and what the history says afterwards."""

from harness.drill.dataset import DATASET_KEYS, Dataset
from harness.drill.drill import Drill
from harness.drill.losing import EVERY_FAULT

__all__ = ["DATASET_KEYS", "EVERY_FAULT", "Dataset", "Drill"]
