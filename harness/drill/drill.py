"""The drill as tests use it, and what it hands to the report."""

from __future__ import annotations

from harness.budget import cautions
from harness.drill.losing import Losing
from harness.drill.returning import Returning
from harness.drill.steadfast import Steadfast
from harness.drill_record import Left, record_of
from harness.report.record import DrillRecord
from harness.sut.names import PROMISED_FAILOVER_S


class Drill(Steadfast, Losing, Returning):
    """One drill of a test: what it does (`course`), waits for (`waiting`) and asserts (`judging` and its kin)."""

    @property
    def done_in_words(self) -> str:
        """What was done, where the list of the faults would not say it well; empty: that list."""
        return ""

    def record(self) -> DrillRecord:
        """Return what the report shows of this drill: what was asserted, and the rest for information."""
        has_history = self._history is not None
        return record_of(
            Left(
                self._promise,
                outcome=self.kind_in_words,
                primaries=(self.primary, self.now.primaries[0] if self.now.primaries else None),
                faults=self._faults.injected,
                asserted=self._judgement.asserted,
                limits=self._limits,
                history=self._history,
                anatomy=self.anatomy if has_history else None,
                budget=self.budget_verdict if has_history else None,
                cautions=[each.text for each in cautions(self.budget, PROMISED_FAILOVER_S)] if has_history else (),
                for_information=self._judgement.for_information(self.history) if has_history else (),
                done=self.done_in_words,
            )
        )

    def keep_verdicts(self) -> None:
        """Keep beside the history what was asked of it, after `record`, so that it can be asked again from disk."""
        if self._history is not None:
            self._judgement.save(self._history)
