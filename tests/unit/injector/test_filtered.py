"""Rules have chains of the fault's own: exactly what is named is dropped, and exactly that is deleted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from injector import faults
from injector.errors import InjectorError
from injector.filtered import deletions, rules
from injector.sweep import sweep
from tests.unit.injector.conftest import MadeUp, soon

Start = Callable[[str, list[str]], "subprocess.Popen[str]"]

ECHO = "import socketserver as s; s.ThreadingTCPServer.allow_reuse_address=True; s.ThreadingTCPServer(('', 6379), \
type('H', (s.BaseRequestHandler,), {'handle': lambda h: [h.request.sendall(b'+PONG') \
for _ in iter(lambda: h.request.recv(99), b'')]})).serve_forever()"
PROJECT = Path(__file__).parents[3]


def test_an_isolation_spares_who_is_named() -> None:
    """RETURN, not ACCEPT: another fault's rules on the same pod still see the packet."""
    plan = {"spare": ["10.42.1.1"], "drop": {"in": [[]], "out": [[]]}}

    assert [" ".join(words) for words in rules("1a2b", plan)] == [
        "-N chaos-1a2b-in",
        "-A chaos-1a2b-in -s 10.42.1.1 -j RETURN",
        "-A chaos-1a2b-in -j DROP",
        "-N chaos-1a2b-out",
        "-A chaos-1a2b-out -d 10.42.1.1 -j RETURN",
        "-A chaos-1a2b-out -j DROP",
        "-I INPUT ! -i lo -m comment --comment chaos-1a2b -j chaos-1a2b-in",
        "-I OUTPUT ! -o lo -m comment --comment chaos-1a2b -j chaos-1a2b-out",
    ]


def test_one_direction_touches_one_hook() -> None:
    """What goes out is left alone when only what comes in is dropped."""
    words = [" ".join(call) for call in rules("1a2b", {"drop": {"in": [["-s", "10.0.0.7"]]}})]

    assert words[1] == "-A chaos-1a2b-in -s 10.0.0.7 -j DROP"
    assert not [call for call in words if "OUTPUT" in call]


@pytest.mark.parametrize("drop", [{}, {"in": []}, {"sideways": [[]]}])
def test_a_plan_that_drops_nothing_is_refused(drop: dict[str, Any], made_up: MadeUp) -> None:
    """It would be a fault that nobody feels."""
    with pytest.raises(InjectorError, match="nothing is to be dropped"):
        faults.inject(made_up.node, made_up.plan("filtered", drop=drop))


def test_jumps_are_deleted_before_what_they_lead_to() -> None:
    """The kernel refuses to delete a chain that is still in use; other rules are not touched."""
    saved = [
        ":chaos-1a2b-in - [0:0]",
        "-A INPUT ! -i lo -m comment --comment chaos-1a2b -j chaos-1a2b-in",
        "-A chaos-1a2b-in -j DROP",
    ]

    assert [" ".join(words) for words in deletions(saved)] == [
        "-D INPUT ! -i lo -m comment --comment chaos-1a2b -j chaos-1a2b-in",
        "-F chaos-1a2b-in",
        "-X chaos-1a2b-in",
    ]


@pytest.fixture
def pod(made_up: MadeUp, networks: tuple[str, str], inside: Start) -> MadeUp:
    """A pod with a server at 10.99.0.2; its peer is at 10.99.0.1."""
    server = inside(networks[1], [sys.executable, "-c", ECHO])
    made_up.holds(server.pid)
    assert soon(lambda: heard(networks[0]))
    return made_up


def heard(network: str) -> bool:
    asks = "import socket; s = socket.create_connection(('10.99.0.2', 6379), 0.3); s.sendall(b'PING\\r\\n'); s.recv(9)"
    argv = ["nsenter", f"--net=/run/netns/{network}", "--", sys.executable, "-c", asks]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def saved(network: str) -> str:
    argv = ["nsenter", f"--net=/run/netns/{network}", "--", "iptables-save"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_pod_is_cut_off_and_back(pod: MadeUp, networks: tuple[str, str]) -> None:
    """New connections time out, the counters rise, and nothing is left afterwards."""
    plan = pod.plan("filtered", drop={"in": [["-s", "10.99.0.1"]], "out": [["-d", "10.99.0.1"]]})

    faults.inject(pod.node, plan)

    assert not heard(networks[0])
    assert faults.look(pod.node, plan["id"])["dropped"]["in"] > 0

    faults.heal(pod.node, plan["id"])
    assert heard(networks[0])
    assert "chaos" not in saved(networks[1])


def test_faults_on_one_pod_do_not_undo_each_other(pod: MadeUp, networks: tuple[str, str]) -> None:
    """The exception of the second one is none of the first one's, and healing one leaves the other."""
    first = pod.plan("filtered", drop={"in": [["-s", "10.99.0.1"]]})
    second = pod.plan("filtered", spare=["10.99.0.1"], drop={"in": [[]], "out": [[]]})
    faults.inject(pod.node, first)
    faults.inject(pod.node, second)

    assert not heard(networks[0]), "spared by the second one, and cut off by the first one all the same"
    faults.heal(pod.node, first["id"])
    assert heard(networks[0])
    assert second["id"] in saved(networks[1])


def test_the_timer_deletes_the_rules(pod: MadeUp, networks: tuple[str, str]) -> None:
    """Nobody heals; the fault ends."""
    faults.inject(pod.node, pod.plan("filtered", seconds=0.5, drop={"in": [[]]}))

    assert soon(lambda: "chaos" not in saved(networks[1]))
    assert heard(networks[0])


def test_a_network_that_is_gone_took_its_rules_along(pod: MadeUp) -> None:
    """A pod that was deleted in mid-fault leaves nothing to undo."""
    plan = pod.plan("filtered", drop={"in": [[]]})
    faults.inject(pod.node, plan)
    record = faults.load(pod.node, plan["id"])
    assert record is not None
    record.facts["network"] = 1
    record.save(pod.node)

    assert faults.heal(pod.node, plan["id"]) == "filtered(redis-0): healed"


def test_rules_that_nobody_has_on_record_are_swept(pod: MadeUp, networks: tuple[str, str]) -> None:
    """The record may be lost; the mark on the rule is not. Somebody else's rules stay."""
    plan = pod.plan("filtered", drop={"in": [[]]})
    faults.inject(pod.node, plan)
    foreign = ["iptables", "-A", "OUTPUT", "-p", "udp", "--dport", "9", "-j", "DROP"]
    subprocess.run(["nsenter", f"--net=/run/netns/{networks[1]}", "--", *foreign], check=True)
    record = faults.load(pod.node, plan["id"])
    assert record is not None
    faults.timer.disarm(pod.node, record.timer)
    record.forget(pod.node)

    lines = sweep(pod.node)

    assert any("stray rule" in line and plan["id"] in line for line in lines), lines
    assert "chaos" not in saved(networks[1])
    assert "--dport 9 " in saved(networks[1])
    assert sweep(pod.node) == []
