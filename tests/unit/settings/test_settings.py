from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from harness import settings as subject
from harness.errors import SettingsError
from harness.settings import OPTIONS, Settings, add_arguments, read_settings

KUBECONFIG = """
contexts:
- {name: blue, context: {cluster: c}}
- {name: green, context: {cluster: c}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Return a kubeconfig with two contexts."""
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    return path


@pytest.fixture(autouse=True)
def _overlays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("default", "secure"):
        (tmp_path / "overlays" / name).mkdir(parents=True)
        (tmp_path / "overlays" / name / "kustomization.yaml").touch()
    monkeypatch.setattr(subject, "OVERLAYS", tmp_path / "overlays")


def read(*arguments: str, **environ: str) -> Settings:
    """Return the settings of a command line and an environment."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return read_settings(vars(parser.parse_args(arguments)).get, environ)


def test_settings_without_options_are_the_documented_defaults() -> None:
    """Nothing given means the report's names, a k3d cluster of our own and a drawn seed."""
    got = read()

    assert (got.provider, got.context, got.kubeconfig) == ("k3d", None, None)
    assert (got.namespace, got.overlay, got.images) == ("jewelry-shop", "default", "auto")
    assert (got.keep_cluster, got.cluster_name, got.patience_scale) == (False, "redis-e2e", 1.0)
    assert (got.consent, got.report_dir) == (None, Path("reports"))
    assert 0 <= got.chaos_seed < 2**32
    assert read().chaos_seed != got.chaos_seed or read().chaos_seed != got.chaos_seed


@pytest.mark.parametrize(
    ("arguments", "environ", "field", "expected"),
    [
        (["--namespace", "shop"], {}, "namespace", "shop"),
        ([], {"E2E_NAMESPACE": "shop"}, "namespace", "shop"),
        (["--namespace", "a"], {"E2E_NAMESPACE": "b"}, "namespace", "a"),
        ([], {"E2E_NAMESPACE": ""}, "namespace", "jewelry-shop"),
        (["--keep-cluster"], {}, "keep_cluster", True),
        ([], {"E2E_KEEP_CLUSTER": "yes"}, "keep_cluster", True),
        ([], {"E2E_KEEP_CLUSTER": "0"}, "keep_cluster", False),
        (["--overlay", "secure"], {}, "overlay", "secure"),
        (["--images", "airgap"], {}, "images", "airgap"),
        (["--patience-scale", "2.5"], {}, "patience_scale", 2.5),
        (["--chaos-seed", "0"], {}, "chaos_seed", 0),
        (["--soak-minutes", "30"], {}, "soak_minutes", 30),
        ([], {}, "dead_man_s", 180),
        (["--dead-man", "20"], {}, "dead_man_s", 20),
        ([], {}, "schedule", None),
        ([], {"E2E_CHAOS_SEED": "4294967295"}, "chaos_seed", 4294967295),
        (["--i-understand-this-breaks-things", "jewelry-shop"], {}, "consent", "jewelry-shop"),
    ],
)
def test_option_wins_over_variable_wins_over_default(
    arguments: list[str], environ: dict[str, str], field: str, expected: object
) -> None:
    """Each setting is taken from its option, else its variable, else its default."""
    assert getattr(read(*arguments, **environ), field) == expected


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--provider", "minikube"], "--provider 'minikube': is none of k3d, context"),
        (["--images", "none"], "--images 'none': is none of auto, upstream, airgap"),
        (["--namespace", "Jewelry_Shop"], "--namespace 'Jewelry_Shop': is no DNS label"),
        (["--namespace", "a" * 64], "is no DNS label"),
        (["--namespace", "-a"], "is no DNS label"),
        (["--cluster-name", "x" * 33], "longer than the 32 characters"),
        (["--overlay", "nope"], "--overlay 'nope': is no overlay of manifests/overlays (there are: default, secure)"),
        (["--patience-scale", "0"], "--patience-scale '0': is no number above 0 and up to 20"),
        (["--patience-scale", "21"], "is no number above 0"),
        (["--patience-scale", "nan"], "is no number above 0"),
        (["--chaos-seed", "-1"], "is no whole number from 0 to 4294967295"),
        (["--chaos-seed", "4294967296"], "is no whole number"),
        (["--soak-minutes", "0"], "--soak-minutes '0': is no whole number of minutes from 1 to 1440"),
        (["--soak-minutes", "1.5"], "is no whole number of minutes"),
        (["--dead-man", "9"], "--dead-man '9': is no whole number of seconds from 10 to 180"),
        (["--dead-man", "181"], "is no whole number of seconds"),
        (["--schedule", "not-there"], "--schedule 'not-there': is no file"),
        (["--report-dir", " "], "is empty"),
        (["--kubeconfig", "not-there"], "--kubeconfig 'not-there': is no file"),
        (["--context", "blue"], "--context blue: only --provider context uses it"),
        (["--i-understand-this-breaks-things", "other"], "this run is about namespace jewelry-shop, name that one"),
    ],
)
def test_unusable_value_is_one_line_naming_option_and_remedy(arguments: list[str], complaint: str) -> None:
    """A bad value is refused before anything starts, in one line that says what would be right."""
    with pytest.raises(SettingsError) as caught:
        # argparse takes a value that begins with a dash for an option unless it is joined to its flag
        read(f"{arguments[0]}={arguments[1]}")

    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_schedule_is_as_long_as_it_is(tmp_path: Path) -> None:
    """A length beside a schedule would say something else than the schedule."""
    (tmp_path / "schedule.json").touch()

    assert read("--schedule", str(tmp_path / "schedule.json")).schedule == tmp_path / "schedule.json"
    with pytest.raises(SettingsError, match="a schedule has its own length; give one of the two"):
        read("--schedule", str(tmp_path / "schedule.json"), "--soak-minutes", "5")


def test_bad_variable_is_named_as_the_source() -> None:
    """A value from the environment is blamed on the variable, not on an option nobody gave."""
    with pytest.raises(SettingsError, match=r"^E2E_IMAGES 'docker'"):
        read(E2E_IMAGES="docker")


def test_context_is_found_in_the_file_that_has_it(kubeconfig: Path, tmp_path: Path) -> None:
    """The context is looked up in the given file, or in every file of $KUBECONFIG, or in kubectl's default."""
    other = tmp_path / "other"
    other.write_text("contexts: [{name: red}]")
    home = tmp_path / "home" / ".kube" / "config"
    home.parent.mkdir(parents=True)
    home.write_text(KUBECONFIG)

    assert read("--provider=context", "--context=blue", f"--kubeconfig={kubeconfig}").kubeconfig == kubeconfig
    assert read("--provider=context", "--context=blue", KUBECONFIG=f"{other}:{kubeconfig}").kubeconfig == kubeconfig
    assert read("--provider=context", "--context=blue", HOME=str(tmp_path / "home")).kubeconfig == home


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--provider context needs --context NAME: the contexts of {path} are: blue, green"),
        (["--context=red"], "--context 'red' is unknown: the contexts of {path} are: blue, green"),
    ],
)
def test_missing_or_unknown_context_is_answered_with_those_there_are(
    arguments: list[str], complaint: str, kubeconfig: Path
) -> None:
    """Whoever mistypes a context is told which ones the kubeconfig has."""
    with pytest.raises(SettingsError) as caught:
        read("--provider=context", f"--kubeconfig={kubeconfig}", *arguments)

    assert str(caught.value) == complaint.format(path=kubeconfig)


@pytest.mark.parametrize("content", ["", "[]", "a: {", "contexts: 5"])
def test_broken_kubeconfig_is_one_line(content: str, kubeconfig: Path) -> None:
    """A file that is no kubeconfig is named as such."""
    kubeconfig.write_text(content)

    with pytest.raises(SettingsError, match=r"is no kubeconfig: [^\n]*$"):
        read("--provider=context", "--context=blue", f"--kubeconfig={kubeconfig}")


def test_every_option_says_its_variable_and_default_in_the_help() -> None:
    """The help of each option names the variable that stands in for it."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    text = " ".join(parser.format_help().split())

    for option in OPTIONS:
        assert option.flag in text
        assert f"[{option.variable}" in text
