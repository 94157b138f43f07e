"""A data set of every type that is there before a drill, to be compared after it."""

from __future__ import annotations

from harness import wait
from harness.checkers import Verdict
from harness.report.wording import DATA_SET
from harness.workload import CATCH_UP_S, DatasetVerdict, Workload

DATASET_KEYS = 2000


class Dataset:
    """A data set written before a drill, to be compared key by key on every instance after it."""

    def __init__(self, workload: Workload, seed: int, verdicts: list[Verdict]) -> None:
        self._workload = workload
        self._seed = seed
        self._verdicts = verdicts
        self._seen: DatasetVerdict | None = None

    def is_whole(self) -> bool:
        """Whether every key is on every instance with its value and time to live, and no other key of the set.

        Raises WaitTimeout when an instance cannot be read for CATCH_UP_S: what it holds is then not known.
        """
        self._seen = wait.eventually(
            lambda: self._workload.verify_dataset(keys=DATASET_KEYS, seed=self._seed),
            lambda seen: seen.is_readable,
            seconds=CATCH_UP_S,
            what="the data set of every instance",
        )
        summary = self._seen.explain()
        self._verdicts.append(Verdict(checker=DATA_SET, valid=self._seen.is_whole, summary=summary))
        return self._seen.is_whole

    def explain(self) -> str:
        """Return what is missing where."""
        return self._seen.explain() if self._seen else "the data set was not compared yet"
