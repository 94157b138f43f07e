from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cluster import Cluster, Refused, Unreachable, connection
from harness.errors import ClusterError, ManifestError, NotFound
from tests.unit.api_server import Say, ScriptedApi, scripted_api, status

POD = "/api/v1/namespaces/shop/pods/redis-0"
BUSY = status(503, "ServiceUnavailable", "try later")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    """Return a scripted API server; transient errors are retried for half a second only."""
    monkeypatch.setattr(connection, "RETRY_S", 0.5)
    with scripted_api(tmp_path) as running:
        yield running


def test_missing_object_is_not_found(api: ScriptedApi) -> None:
    """A 404 is NotFound, with the API's own words."""
    api.on(f"GET {POD}", status(404, "NotFound", 'pods "redis-0" not found'))

    with pytest.raises(NotFound, match=r'404 NotFound: pods "redis-0" not found'):
        api.cluster().get("Pod", "redis-0")


def test_refusal_carries_reason_and_message(api: ScriptedApi) -> None:
    """A refused request says why, and is not tried again."""
    api.on(f"GET {POD}", status(403, "Forbidden", "user may not"))

    with pytest.raises(Refused, match="403 Forbidden: user may not") as caught:
        api.cluster().get("Pod", "redis-0")

    assert (caught.value.status, caught.value.reason) == (403, "Forbidden")
    assert api.count(f"GET {POD}") == 1


@pytest.mark.parametrize("hiccup", [BUSY, status(429, "TooManyRequests", "slow down"), Say(hang_up=True)])
def test_transient_errors_of_a_read_are_outlived(hiccup: Say, api: ScriptedApi) -> None:
    """A read survives an API server that is busy or drops the connection."""
    api.on(f"GET {POD}", hiccup, hiccup, Say({"kind": "Pod"}))

    assert api.cluster().get("Pod", "redis-0") == {"kind": "Pod"}
    assert api.count(f"GET {POD}") == 3


def test_retries_are_bounded(api: ScriptedApi) -> None:
    """An API server that stays busy is given up on."""
    api.on(f"GET {POD}", BUSY)

    with pytest.raises(Refused, match="503 ServiceUnavailable"):
        api.cluster().get("Pod", "redis-0")


def test_deletion_that_may_have_arrived_is_not_repeated(api: ScriptedApi) -> None:
    """Deleting a seat's pod twice would hit its replacement."""
    api.on(f"DELETE {POD}", Say(hang_up=True), Say())

    with pytest.raises(Unreachable) as caught:
        api.cluster().delete("Pod", "redis-0")

    assert caught.value.sent
    assert api.count(f"DELETE {POD}") == 1


def test_deletion_by_uid_is_repeated(api: ScriptedApi) -> None:
    """With a uid nothing else can be hit, so the deletion is tried until it is answered."""
    api.on(f"DELETE {POD}", Say(hang_up=True), Say())

    api.cluster().delete("Pod", "redis-0", uid="abc", grace_s=0)

    assert api.count(f"DELETE {POD}") == 2
    assert api.bodies[-1]["preconditions"] == {"uid": "abc"}
    assert api.bodies[-1]["gracePeriodSeconds"] == 0


def test_deletion_by_uid_of_a_replaced_pod_is_not_found(api: ScriptedApi) -> None:
    """The name has gone to another pod: the one meant is gone."""
    api.on(f"DELETE {POD}", status(409, "Conflict", "the UID in the precondition does not match"))

    with pytest.raises(NotFound, match="belongs to another"):
        api.cluster().delete("Pod", "redis-0", uid="abc")
    api.cluster().delete("Pod", "redis-0", uid="abc", missing_ok=True)


def test_eviction_forbidden_by_a_budget_is_an_answer(api: ScriptedApi) -> None:
    """The disruption budget's 429 is told at once, not retried until it gives in."""
    api.on(f"POST {POD}/eviction", status(429, "TooManyRequests", "would violate the pod's disruption budget"))

    with pytest.raises(Refused, match="disruption budget"):
        api.cluster().evict("redis-0")

    assert api.count(f"POST {POD}/eviction") == 1


def test_nobody_listening_is_unreachable(api: ScriptedApi) -> None:
    """An API server that is not there is told as such, in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    text = api.kubeconfig.read_text()
    here = text.split("http://127.0.0.1:")[1].split('"')[0]
    api.kubeconfig.write_text(text.replace(here, str(port)))

    with pytest.raises(Unreachable, match="does not answer") as caught:
        api.cluster().version()
    assert not caught.value.sent
    assert "\n" not in str(caught.value)

    with pytest.raises(Unreachable, match="does not answer"):
        api.cluster().execute("redis-0", "redis", ["true"])


def test_refused_exec_is_mapped_like_any_request(api: ScriptedApi) -> None:
    """A pod that does not exist is NotFound for exec too."""
    api.on(f"GET {POD}/exec", status(404, "NotFound", 'pods "redis-0" not found'))

    with pytest.raises(NotFound, match="not found"):
        api.cluster().execute("redis-0", "redis", ["true"])


def test_answer_that_is_no_json_is_an_error(api: ScriptedApi) -> None:
    """A gateway's HTML page is not taken for an object."""
    api.on("GET /version", Say(b"<html>hello</html>"))

    with pytest.raises(ClusterError, match="not JSON"):
        api.cluster().version()


def test_refused_manifest_names_object_and_reason(api: ScriptedApi) -> None:
    """Of many objects the one that is refused is named."""
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "redis"}, "spec": {}}
    api.on(
        "PATCH /api/v1/namespaces/shop/services/redis",
        status(422, "Invalid", "spec.ports: Required value"),
    )

    with pytest.raises(ManifestError, match=r"^Service redis is refused: .*spec\.ports: Required value"):
        api.cluster().apply([item])


def test_applied_objects_carry_the_owner_label_and_come_in_order(api: ScriptedApi) -> None:
    """The namespace comes before what lies in it, and both say whose they are."""
    paths = ["/api/v1/namespaces/shop", "/api/v1/namespaces/shop/configmaps/c"]
    for path in paths:
        api.on(f"PATCH {path}", Say())
    labels = {"a": "b"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": labels}}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}

    api.cluster().apply([config, namespace])

    assert api.asked == [f"PATCH {path}" for path in paths]
    assert api.bodies[1]["metadata"]["labels"] == {"a": "b", "e2e.redis/owner": "redis-e2e"}
    assert labels == {"a": "b"}, "what was handed in is not changed"


def test_program_in_a_pod_speaks_for_itself(api: ScriptedApi) -> None:
    """An error page of the proxied program comes out as ClusterError with its words; its 5xx is not retried."""
    path = "/api/v1/namespaces/shop/pods/witness:8080/proxy/sweep"
    api.on(f"POST {path}", Say(b"prefix is missing", 400))
    api.on(f"GET {path}", Say(b"broken", 500))
    request = api.cluster().pod_http("witness", 8080)

    with pytest.raises(Refused, match="400: prefix is missing"):
        request("POST", "/sweep", b"{}")
    with pytest.raises(Refused, match="500: broken"):
        request("GET", "/sweep")

    assert api.count(f"GET {path}") == 1


def test_side_by_side_calls_all_end_before_the_first_error_is_raised(api: ScriptedApi) -> None:
    """No call is left running behind the caller's back; nested calls do not wait for their own pool."""
    cluster = api.cluster()
    ended: list[str] = []

    def fails() -> None:
        raise ClusterError("first")

    def ends() -> None:
        cluster.gather([lambda: ended.append("nested")] * 100)
        ended.append("outer")

    with pytest.raises(ClusterError, match="first"):
        cluster.gather([fails, *[ends] * 50])

    assert ended.count("outer") == 50
    assert ended.count("nested") == 5000


@pytest.mark.parametrize("content", [None, "", "a: {", "kind: Config", "contexts: []"])
def test_unusable_kubeconfig_is_one_line(content: str | None, tmp_path: Path) -> None:
    """A missing or broken kubeconfig is named."""
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ClusterError, match=r"kubeconfig .*config cannot be used: [^\n]*$"):
        Cluster.connect(path, None, "shop")


def test_unknown_kind_says_where_to_add_it(api: ScriptedApi) -> None:
    """The table of kinds is short on purpose."""
    with pytest.raises(ClusterError, match=r"kinds\.py"):
        api.cluster().get("Widget", "w")
