"""Lost writes after a crash: those within the lag pass, an older one, another's or a later one does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.checkers import CrashLosses, Question, ask, crash_losses
from tests.unit.history.made import NUMBER, Row, S, address, history, named, stands, swept, write

OLD, NEW, THIRD = "redis-0", "redis-1", "redis-2"
FELL: Row = ["fault", "killed(redis-0)", "inject", 5 * S, 5 * S + 1000, 100]
FELT: Row = ["fault", "killed(redis-0)", "effect", round(5.2 * S), round(5.2 * S), 100]


def samples(primary: str, replica: str, begin: float, end: float, *, behind: float = 0.0) -> list[Row]:
    """A primary that is 100 further every 100 ms, and a replica that stands where it stood `behind` seconds before."""
    steps = range(round((end - begin) * 10) + 1)
    late = round(behind * 10)
    return [
        row
        for n in steps
        for row in (
            stands(primary, begin + n / 10, 100 * n),
            stands(replica, begin + n / 10 + 0.002, 100 * max(0, n - late), of=primary),
        )
    ]


def crashed(
    *more: Row,
    lost: Sequence[int] = (),
    behind: float = 0.0,
    marks: Sequence[Row] = (FELL, FELT),
    promotion: Sequence[Row] | None = None,
    said: Sequence[Row] | None = None,
) -> CrashLosses:
    """The verdict on a write every 10 ms before the crash at 5 s and 100 by the successor; those lost are not kept."""
    writes = [write(n, 1 + n / 100) for n in range(400)] + [write(400 + n, 8 + n / 100, by=NEW) for n in range(100)]
    rows = [
        *sorted([*writes, *(row for row in more if row[0] == "w")], key=lambda row: row[3] + row[4]),
        *(samples(OLD, NEW, 1, 4.9, behind=behind) if said is None else said),
        *(named(NEW, 7) if promotion is None else promotion),
        *marks,
        *swept({0: [[n, n] for n in range(500) if n not in lost]}, primary=NEW),
    ]
    return crash_losses(history(rows))


def test_crash_that_loses_nothing_holds_with_its_limit() -> None:
    verdict = crashed()

    assert verdict.valid is True, verdict.explain()
    assert verdict.lost == 0
    assert verdict.crashes[0].limit == pytest.approx(0.1, abs=0.001)
    assert verdict.oldest == (0.0,)


def test_loss_of_what_the_replica_had_not_got_holds_with_its_age() -> None:
    """The replica stood where the primary had stood at 3.9 s, so 4.0 s is within, 1 s before the fault."""
    verdict = crashed(lost=range(300, 400), behind=1.0)

    assert verdict.valid is True, verdict.explain()
    assert (verdict.lost, verdict.unexplained) == (100, 0)
    assert verdict.oldest == (pytest.approx(1.0),)
    assert verdict.crashes[0].limit == pytest.approx(1.1, abs=0.001)
    assert "stood at 4.903 s where redis-0 had stood 0.901 to 1.003 s before" in verdict.explain()
    assert "lost by it: 100, acknowledged 4.000..4.990 s by redis-0: 0.300 (4.000 s)" in verdict.explain()


def test_write_that_the_replica_had_may_not_be_lost() -> None:
    """Acknowledged a moment before the one that is within the lag."""
    verdict = crashed(lost=[288, 300], behind=1.0)

    assert verdict.valid is False
    assert verdict.unexplained == 1
    assert verdict.oldest[0] > verdict.crashes[0].limit
    assert "not by a crash: 1, acknowledged 3.880..3.880 s by redis-0: 0.288 (3.880 s)" in verdict.explain()


def test_same_losses_bark_where_the_replica_was_in_step() -> None:
    assert crashed(lost=range(300, 400)).valid is False


def test_write_that_the_successor_took_is_not_lost_by_the_crash() -> None:
    """Neither one after the promotion, nor one that it took in the time of the crash."""
    verdict = crashed(lost=[450])

    assert verdict.valid is False
    assert "not by a crash: 1, acknowledged 8.500..8.500 s by redis-1" in verdict.explain()
    assert crashed(write(600, 5.1, by=NEW)).valid is False


def test_what_the_old_primary_took_after_the_crash_was_felt_is_not_lost_by_it() -> None:
    """It was not dead; that is another harm, with another bound."""
    assert crashed(write(600, 5.1)).valid is True
    assert crashed(write(600, 5.3)).valid is False


def test_successor_that_nobody_could_ask_is_known_by_its_primary() -> None:
    """The primary listed at 4.9 s that it has what the primary had at 4.8 s."""
    said = [[*stands(OLD, 1 + n / 10, 100 * n)[:7], {address(NEW): 100 * (n - 1)}] for n in range(40)]

    verdict = crashed(lost=[385], said=said)
    assert verdict.valid is True, verdict.explain()
    assert verdict.crashes[0].begin == round(4.8 * S)
    assert crashed(lost=[375], said=said).valid is False


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"marks": ()}, "no mark of such a fault"),
        ({"promotion": ()}, "nobody was promoted; how far it lay behind is not known"),
        ({"said": ()}, "redis-1 took over; how far it lay behind is not known"),
        ({"said": [stands(OLD, 1 + n / 10, 100 * n) for n in range(30)]}, "how far it lay behind is not known"),
        ({"said": [stands(NEW, 1 + n / 10, 100 * n, of=OLD) for n in range(30)]}, "how far it lay behind is not known"),
        ({"marks": [[*FELL[:3], S // 2, S // 2, 100]]}, "no write was acknowledged before a fault"),
    ],
)
def test_what_is_not_known_is_no_pass(change: dict[str, list[Row]], why: str) -> None:
    verdict = crashed(**change)  # type: ignore[arg-type]

    assert verdict.valid is None
    assert why in verdict.explain()


def test_losses_that_are_not_known_are_no_pass() -> None:
    """No sweep, or a recording that broke off."""
    rows = [*(write(n, 1 + n / 100) for n in range(100)), *samples(OLD, NEW, 1, 4.9), *named(NEW, 7), FELL]

    assert crash_losses(history(rows)).valid is None
    assert crash_losses(history([*rows, *swept({0: [[0, 99]]}, primary=NEW)], ended=None)).valid is None
    assert crash_losses(history([*rows, *swept({0: [[0, 99]]}, primary=NEW)])).valid is True


def in_place(lost: Sequence[int], unsynced: float) -> CrashLosses:
    """The verdict on a primary that is killed and comes back in its place."""
    writes = [write(n, 1 + n / 100) for n in range(400)]
    kept = swept({0: [[n, n] for n in range(400) if n not in lost]})
    return crash_losses(history([*writes, *samples(OLD, NEW, 1, 4.9), FELL, FELT, *kept]), unsynced=unsynced)


def test_primary_back_from_its_file_may_lack_what_that_lacks() -> None:
    """Two seconds before the fault are within, a little more is not; without a file nobody took over."""
    assert in_place(range(201, 400), 2.0).valid is True
    assert in_place(range(201, 400), 2.0).oldest == (pytest.approx(1.99),)
    assert in_place(range(199, 400), 2.0).valid is False
    assert in_place([], 2.0).valid is True
    assert in_place([], 0.0).valid is None


def test_replica_back_from_its_file_lacks_what_that_lacks_and_its_lag() -> None:
    """It stood at 3 s where the primary had stood at 2 s."""
    writes = [write(n, 1 + n / 100) for n in range(400)]
    rows = [*writes, *samples(OLD, NEW, 1, 4.9, behind=1.0), *named(NEW, 7), FELL, FELT]

    def lost_from(first: int) -> bool | None:
        return crash_losses(history([*rows, *swept({0: [[0, first - 1]]}, primary=NEW)]), unsynced=2.0).valid

    assert lost_from(100) is True
    assert lost_from(85) is False


def twice(lost: Sequence[int], after: str | None) -> CrashLosses:
    """The verdict on two crashes, of redis-0 at 5 s and of redis-1 at 15 s; both replicas were 0.5 s behind."""
    second: list[Row] = [["fault", "killed(redis-1)", "inject", 15 * S, 15 * S + 1000, 100]]
    writes = [write(n, 1 + n / 100) for n in range(400)] + [write(400 + n, 11 + n / 100, by=NEW) for n in range(400)]
    views = [["view", NUMBER[f"sentinel-{n}"], 17 * S, address(THIRD), 2, "master"] for n in range(3)]
    rows = [
        *writes,
        *samples(OLD, NEW, 1, 4.9, behind=0.5),
        *samples(NEW, THIRD, 11, 14.9, behind=0.5),
        *named(NEW, 7),
        *views,
        FELL,
        FELT,
        *second,
        *swept({0: [[n, n] for n in range(800) if n not in lost]}, primary=THIRD),
    ]
    arguments = {} if after is None else {"after": after}
    found = ask(history(rows), Question("crash_losses", arguments))
    assert isinstance(found, CrashLosses)
    return found


def test_each_crash_has_its_own_limit() -> None:
    """What the second one lost is not the first one's to explain, and the other way about."""
    both = twice([*range(360, 400), *range(760, 800)], "")

    assert both.valid is True, both.explain()
    assert both.oldest == (pytest.approx(0.4), pytest.approx(0.4))
    assert [crash.promoted for crash in both.crashes] == [NEW, THIRD]
    assert twice(range(760, 800), None).valid is False
    assert twice(range(760, 800), "killed(redis-1)").valid is True
    assert twice(range(360, 400), "killed(redis-1)").valid is False
    assert twice([500], "").valid is False
    assert twice([], "paused").valid is None
