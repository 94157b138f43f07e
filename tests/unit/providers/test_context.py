from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cluster import connection
from harness.errors import ProviderError
from harness.providers import ContextProvider, StopsNodes
from harness.settings import Settings
from tests.unit.api_server import Say, ScriptedApi, scripted_api, status

REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    """Return a scripted API server that answers with its version."""
    monkeypatch.setattr(connection, "RETRY_S", 0.1)
    with scripted_api(tmp_path) as running:
        running.on("GET /version", Say({"gitVersion": "v1.34.2"}))
        yield running


@pytest.fixture
def settings(api: ScriptedApi, tmp_path: Path) -> Settings:
    """Return settings that name the scripted server's context."""
    return Settings(
        provider="context",
        context="x",
        kubeconfig=api.kubeconfig,
        namespace="shop",
        overlay="default",
        images="auto",
        keep_cluster=False,
        cluster_name="e2e",
        patience_scale=1.0,
        chaos_seed=1,
        consent=None,
        report_dir=tmp_path,
        state_dir=tmp_path,
    )


def test_given_cluster_is_handed_out_and_never_changed(api: ScriptedApi, settings: Settings) -> None:
    """Obtaining and releasing a cluster of the user's own only asks it questions."""
    api.on(REVIEW, Say({"status": {"allowed": True}}))
    provider = ContextProvider(settings)

    access = provider.obtain(print)
    provider.release()
    provider.release()

    assert (access.kubeconfig, access.context, access.origin) == (api.kubeconfig, "x", "given")
    assert provider.describe() == {"provider": "context", "context": "x", "kubernetes": "v1.34.2"}
    assert set(api.asked) == {"GET /version", REVIEW}
    assert not isinstance(provider, StopsNodes)


def test_missing_permissions_are_listed_in_one_line(api: ScriptedApi, settings: Settings) -> None:
    """A user that may not do what the checks do is told all of it before anything runs."""
    api.on(REVIEW, Say({"status": {"allowed": False}}))

    with pytest.raises(ProviderError, match=r"^context x: its user may not list Node, .*create Pod/exec in shop$"):
        ContextProvider(settings).obtain(print)


def test_cluster_that_does_not_answer_is_one_line(api: ScriptedApi, settings: Settings) -> None:
    """An API server in trouble is named with its context."""
    api.on("GET /version", status(401, "Unauthorized", "token expired"))

    with pytest.raises(ProviderError, match=r"^context x: GET /version: 401 Unauthorized: token expired$"):
        ContextProvider(settings).obtain(print)


@pytest.mark.parametrize(
    ("labels", "consent", "refused"),
    [
        ({}, None, "is not the suite's own; --i-understand-this-breaks-things shop allows it"),
        ({"e2e.redis/owner": "redis-e2e"}, None, None),
        ({}, "shop", None),
    ],
)
def test_faults_need_our_label_or_the_users_word(
    labels: dict[str, str], consent: str | None, refused: str | None, api: ScriptedApi, settings: Settings
) -> None:
    """Nothing is broken in a namespace that is neither ours nor named by the user for that."""
    api.on("GET /api/v1/namespaces/shop", Say({"metadata": {"name": "shop", "labels": labels}}))

    answer = ContextProvider(replace(settings, consent=consent)).may_inject("shop")

    if refused is None:
        assert answer is None
    else:
        assert refused in str(answer)


def test_faults_need_a_namespace_that_exists(settings: Settings) -> None:
    """A namespace that is not there cannot be broken."""
    assert ContextProvider(settings).may_inject("shop") == "namespace shop does not exist"
