"""Operations per stretch of time, added up until a picture of them stays small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from harness.report.record import OpsBucket


def merged(buckets: Sequence[OpsBucket], zero: float, width_s: float) -> list[OpsBucket]:
    """Add up buckets to stretches of `width_s`, counted from `zero`; windows are drawn from their own exact bounds."""

    def slot(bucket: OpsBucket) -> int:
        return int((bucket.t - zero) / width_s + 1000.0 / width_s)

    found = []
    for _, group in groupby(sorted(buckets, key=lambda bucket: bucket.t), key=slot):
        some = list(group)
        found.append(
            OpsBucket(some[0].t, sum(b.ok for b in some), sum(b.fail for b in some), sum(b.info for b in some))
        )
    return found
