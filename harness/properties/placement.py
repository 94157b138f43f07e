"""Every pod runs, and no node holds two instances of a kind: by rule, not by the scheduler's luck."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.properties import require_something
from harness.sut.names import kind_of
from harness.sut.topology import Pod

HOST = "kubernetes.io/hostname"


def against_pods(
    pods: Sequence[Pod], objects: Mapping[str, Mapping[str, Any]], last_words: Mapping[str, str]
) -> Iterator[str]:
    """Yield what keeps a pod from running and which nodes hold two instances of a kind.

    `last_words` has, by seat, the last line that a container wrote which does not stay up.
    """
    require_something(pods, "pod of Redis or Sentinel")
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pod in pods:
        if pod.phase != "Running" or not pod.ready or pod.terminating:
            said = f"; its last words: {last_words[pod.seat]}" if pod.seat in last_words else ""
            yield f"{pod.seat} is {_state(pod, objects[pod.seat])}{said}"
        holders[kind_of(pod.seat).stateful_set, pod.node].append(pod.seat)
    for (_, node), seats in holders.items():
        if node and len(seats) > 1:
            yield f"{' and '.join(seats)} share node {node}: one node lost takes {len(seats)} of them"


def _state(pod: Pod, found: Mapping[str, Any]) -> str:
    if pod.terminating:
        return "being deleted"
    for status in found.get("status", {}).get("containerStatuses", []):
        for state in status.get("state", {}).values():
            if "reason" in state:
                detail = f": {state['message']}" if state.get("message") else ""
                return f"{pod.phase}, container {status['name']} {state['reason']}{detail}"
    scheduled = [c for c in found.get("status", {}).get("conditions", []) if c.get("reason") == "Unschedulable"]
    return f"{pod.phase}, {scheduled[0]['message']}" if scheduled else f"{pod.phase} but not Ready"


def against_placement_rule(stateful_set: Mapping[str, Any]) -> Iterator[str]:
    """Yield why the scheduler would be free to put two pods of this StatefulSet on one node."""
    name = stateful_set["metadata"]["name"]
    template = stateful_set["spec"]["template"]
    labels = template["metadata"].get("labels", {})
    rules = (
        template["spec"]
        .get("affinity", {})
        .get("podAntiAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", [])
    )
    if not any(rule.get("topologyKey") == HOST and _selects(rule, labels) for rule in rules):
        yield (
            f"StatefulSet {name} has no required anti-affinity against its own pods on {HOST}: "
            "that they are apart now is the scheduler's luck"
        )


def _selects(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    selector = rule.get("labelSelector", {})
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    if not wanted and not expressions:
        return False
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        each["operator"] == "In" and labels.get(each["key"]) in each["values"] for each in expressions
    )
