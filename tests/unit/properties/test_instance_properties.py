"""Seeded defects of persistence and exporters."""

from __future__ import annotations

import dataclasses

import pytest

from harness.errors import ObservationError
from harness.properties import exporters
from harness.properties.persistence import State, against_growth, against_persistence
from tests.unit.topologies import host, redis, sentinel

HEALTHY = State(
    seat="redis-1",
    info={"aof_enabled": "1", "rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok", "loading": "0"},
    config={
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "900 1 300 10 60 10000",
        "dir": "/data",
        "dbfilename": "dump.rdb",
        "appenddirname": "appendonlydir",
    },
    files={"dump.rdb": 90, "appendonlydir/appendonly.aof.manifest": 88, "appendonlydir/appendonly.aof.1.incr.aof": 10},
)


@pytest.mark.parametrize(
    ("field", "change", "expected"),
    [
        ("config", {"appendonly": "no"}, "runs with appendonly 'no', promised is 'yes'"),
        ("config", {"save": ""}, "runs with save ''"),
        ("config", {"appendfsync": "no"}, "runs with appendfsync 'no'"),
        ("info", {"rdb_last_bgsave_status": "err"}, "the last snapshot failed"),
        ("info", {"aof_last_write_status": "err"}, "the last write to the AOF failed"),
        ("info", {"aof_enabled": "0"}, "has its AOF off"),
        ("files", {"dump.rdb": 0}, "has no snapshot dump.rdb in /data"),
    ],
)
def test_persistence_that_is_not_as_promised_is_found(field: str, change: dict[str, str], expected: str) -> None:
    """Settings in force, last attempts and files of each instance are looked at."""
    assert not list(against_persistence(HEALTHY))

    broken = dataclasses.replace(HEALTHY, **{field: {**getattr(HEALTHY, field), **change}})

    assert any(expected in finding for finding in against_persistence(broken))


def test_an_aof_that_does_not_grow_is_found() -> None:
    """A write that reached the instance but not its file is lost with the process."""
    assert "its AOF did not grow" in next(against_growth(HEALTHY, HEALTHY))


def page(**changed: object) -> str:
    """Return what an exporter tells of redis-0, a primary with two replicas."""
    values = {"up": 1, "run_id": "run-redis-0", "role": "master", "slaves": 2, "aof": 1, **changed}
    return (
        f"redis_up {values['up']}\n"
        f'redis_exporter_last_scrape_error{{err="dial tcp 127.0.0.1:1: connection refused"}} 1\n'
        f'redis_instance_info{{role="{values["role"]}",run_id="{values["run_id"]}"}} 1\n'
        f"redis_connected_slaves {values['slaves']}\nredis_aof_enabled {values['aof']}\n"
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"up": 0}, "does not reach the instance (redis_up is not 1): dial tcp 127.0.0.1:1: connection refused"),
        ({"run_id": "another"}, "its exporter speaks of another process"),
        ({"role": "slave"}, "redis-0 is primary, its exporter says slave"),
        ({"aof": 0}, "its exporter says 0 for redis_aof_enabled, the instance itself 1"),
        ({"slaves": 1}, "its exporter says 1 for redis_connected_slaves, the instance itself 2"),
    ],
)
def test_an_exporter_that_lies_is_found(changed: dict[str, object], expected: str) -> None:
    """A page that answers is not enough: its numbers are the instance's, or it is named."""
    assert not list(exporters.against_redis_exporter(redis("redis-0"), exporters.parse("redis-0", page())))

    samples = exporters.parse("redis-0", page(**changed))

    assert any(expected in finding for finding in exporters.against_redis_exporter(redis("redis-0"), samples))


SENTINEL_PAGE = """redis_up 1
redis_instance_info{run_id="run-redis-sentinel-0"} 1
redis_sentinel_masters 1
redis_sentinel_tilt 0
redis_sentinel_master_sentinels{master_name="mymaster"} 3
redis_sentinel_master_ok_sentinels{master_name="mymaster"} 3
redis_sentinel_master_slaves{master_name="mymaster"} 2
redis_sentinel_master_ckquorum_status{master_name="mymaster",message="OK 3 usable Sentinels"} 1
redis_sentinel_master_status{master_name="mymaster",master_address="@:6379"} 1
""".replace("@", host("redis-0"))


def test_a_sentinel_exporter_is_compared_with_its_sentinel() -> None:
    """Counts, quorum and the address watched are the Sentinel's own, or each difference is named."""
    view = sentinel("redis-sentinel-0")
    honest = exporters.parse("redis-sentinel-0", SENTINEL_PAGE)
    stale = exporters.parse(
        "redis-sentinel-0",
        SENTINEL_PAGE.replace('ok_sentinels{master_name="mymaster"} 3', "ok_sentinels{} 1").replace(
            "redis-0.", "redis-2."
        ),
    )

    assert not list(exporters.against_sentinel_exporter(view, honest))
    findings = list(exporters.against_sentinel_exporter(view, stale))
    assert any("1 for redis_sentinel_master_ok_sentinels, the instance itself 3" in finding for finding in findings)
    assert any("its exporter says redis-2." in finding for finding in findings)


def test_a_page_of_another_kind_is_an_error() -> None:
    """What cannot be parsed is not silently empty."""
    with pytest.raises(ObservationError, match="not in the exposition format"):
        exporters.parse("redis-0", "<html> 404 </html>")
