"""Whether all instances hold the same at the end."""

from __future__ import annotations

from dataclasses import dataclass

from harness.checkers.spans import final_primary
from harness.checkers.verdict import Verdict
from harness.history.history import History
from harness.history.records import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence(Verdict):
    """What each swept instance held: number of keys without a time to live, and digest (empty: not known)."""

    held: dict[str, tuple[int, str]]


def convergence(history: History) -> Convergence:
    """Whether at the end every replica had caught up with the primary over a connected link, and all hold the same.

    A replica that caught up had the offset that the primary had when the writers had stopped; later offsets differ, for
    the primary goes on to send PINGs. Not valid if one had not caught up in the time given for it, or if number of keys
    or digests differ. Unknown without a sweep of at least two instances, one primary, or a digest of each.
    """
    digests = {each.instance: each for each in history.digests}
    held = {
        history.instance_name(sweep.instance): (digests[sweep.instance].keys, digests[sweep.instance].digest)
        for sweep in history.sweeps
        if sweep.instance in digests
    }
    behind = [
        history.instance_name(sweep.instance)
        for sweep in history.sweeps
        if sweep.role == "replica" and not sweep.error and not sweep.caught_up
    ]
    why = _not_judgeable(history, digests)
    known = {digest for _, digest in held.values() if digest}
    counts = {keys for keys, _ in held.values()}
    has_primary = final_primary(history) is not None
    wrong = []
    primaries = [history.instance_name(sweep.instance) for sweep in history.sweeps if sweep.role == "primary"]
    if len(primaries) > 1:
        wrong.append(f"{len(primaries)} say primary: {', '.join(primaries)}")
    if has_primary and behind:
        wrong.append(f"not in step with the primary: {', '.join(behind)}")
    if has_primary and len(counts) > 1:
        wrong.append("the numbers of keys differ")
    elif has_primary and len(known) > 1:
        wrong.append("the contents differ")
    evidence = tuple(
        f"{history.instance_name(sweep.instance)} ({sweep.role}): offset {sweep.offset}, "
        + (f"{digests[sweep.instance].keys} keys, digest {digests[sweep.instance].digest or 'unknown'}"
           if sweep.instance in digests else sweep.error or "no digest")
        for sweep in history.sweeps
    )  # fmt: skip
    return Convergence(
        checker="convergence",
        valid=False if wrong else None if why else True,
        summary="; ".join(wrong) or why or f"{len(held)} instances hold the same {counts.pop()} keys",
        evidence=evidence,
        held=held,
    )


def _not_judgeable(history: History, digests: dict[int, Digest]) -> str:
    if len(history.sweeps) < 2:
        return f"{len(history.sweeps)} instances were swept: there is nothing to compare"
    if not history.is_complete:
        return history.why_incomplete
    unread = [history.instance_name(each.instance) for each in history.sweeps if each.error]
    if unread or final_primary(history) is None:
        return f"could not be read: {', '.join(unread)}" if unread else "no single primary that the Sentinels named"
    lacking = [each for each in history.sweeps if each.instance not in digests or not digests[each.instance].digest]
    if lacking:
        return f"no digest of {', '.join(history.instance_name(each.instance) for each in lacking)}"
    is_empty = not any(each.keys for each in digests.values())
    return "all instances are empty: that they agree proves nothing" if is_empty else ""
