"""What the user asked for, read once from options and environment, checked before anything is started.

An option wins over its variable (``--cluster-name`` over ``E2E_CLUSTER_NAME``), which wins over the default. Nothing
else in the harness reads options or their variables. Every complaint is one line: what is wrong, what would be right.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from harness.errors import SettingsError
from harness.values import (
    LARGEST_SEED,
    cluster_name,
    dead_man,
    dns_label,
    existing_file,
    minutes,
    one_of,
    scale,
    seed,
    some_text,
    switch,
)

PROJECT = Path(__file__).resolve().parent.parent
OVERLAYS = PROJECT / "manifests" / "overlays"
PROVIDERS = ("k3d", "context")
IMAGES = ("auto", "upstream", "airgap")
DRILL_CONSENT = "--i-understand-this-breaks-things"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run; every value is valid and fits the others."""

    provider: str
    context: str | None
    kubeconfig: Path | None  # where the context is from; None with a provider that writes its own
    namespace: str
    overlay: str
    images: str
    keep_cluster: bool
    cluster_name: str
    patience_scale: float
    chaos_seed: int
    consent: str | None  # namespace in which the user allows faults although it is not the suite's
    report_dir: Path
    state_dir: Path  # what outlives a run: which clusters are ours, their kubeconfigs and ledgers
    soak_minutes: int | None = None  # how long a schedule to draw for a soak
    schedule: Path | None = None  # the schedule to go through instead
    dead_man_s: int = 180  # after how long a fault heals by itself at the latest, when its run was killed


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its flag, its text for the help, its default, and how a text becomes a value."""

    flag: str
    read: Callable[[str], Any]
    default: str | None
    help: str
    metavar: str | None = None
    switch: bool = False

    @property
    def dest(self) -> str:
        """Its name among parsed options, prefixed so that no other plugin's option is met."""
        return "e2e_" + self.flag.strip("-").replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that stands in for it."""
        return self.dest.upper()

    @property
    def described(self) -> str:
        """The help text with the variable and the default."""
        told = "" if self.default is None or self.switch else f", default {self.default}"
        return f"{self.help} [{self.variable}{told}]"


class TakesOptions(Protocol):
    """An argparse parser, or pytest's option group through its adapter."""

    def add_argument(self, *names: str, **how: Any) -> Any:
        """Register one option."""


def _overlay(text: str) -> str:
    there = sorted(path.parent.name for path in OVERLAYS.glob("*/kustomization.yaml"))
    if text not in there:
        raise ValueError(f"is no overlay of manifests/overlays (there are: {', '.join(there) or 'none'})")
    return text


OPTIONS = (
    Option("--provider", one_of(*PROVIDERS), "k3d", "who gives the cluster: k3d creates one, context uses yours"),
    Option("--context", some_text, None, "name of your kube-context, with --provider context", "NAME"),
    Option("--kubeconfig", existing_file, None, "file that holds the context; default: kubectl's own", "PATH"),
    Option("--namespace", dns_label, "jewelry-shop", "namespace to deploy to and to look at", "NAME"),
    Option("--overlay", _overlay, "default", "which of manifests/overlays to deploy", "NAME"),
    Option("--images", one_of(*IMAGES), "auto", "upstream: public images, airgap: built here, auto: what is possible"),
    Option("--keep-cluster", switch, "0", "leave the cluster running for the next run", switch=True),
    Option("--cluster-name", cluster_name, "redis-e2e", "name of the k3d cluster", "NAME"),
    Option("--patience-scale", scale, "1", "stretch waits on a slow machine; limits that are asserted stay", "FACTOR"),
    Option("--chaos-seed", seed, None, "seed of everything random; default: drawn, and printed", "NUMBER"),
    Option("--dead-man", dead_man, "180", "how long a fault may outlive a run that was killed", "SECONDS"),
    Option("--soak-minutes", minutes, None, "how long a soak (tests/soak) is to be", "NUMBER"),
    Option("--schedule", existing_file, None, "a schedule.json for the soak to go through, exactly", "PATH"),
    Option(DRILL_CONSENT, dns_label, None, "allow faults in this namespace of a cluster of yours", "NAMESPACE"),
    Option("--report-dir", some_text, "reports", "folder of the reports", "PATH"),
)


def add_options(parser: Any) -> None:
    """Register the options with pytest, in a group of their own."""
    group = parser.getgroup("redis-e2e", "end-to-end tests of Redis with Sentinel")
    for option in OPTIONS:
        group.addoption(option.flag, **_registration(option))


def add_arguments(parser: TakesOptions) -> None:
    """Register the same options with an argparse parser."""
    for option in OPTIONS:
        parser.add_argument(option.flag, **_registration(option))


def read_settings(getoption: Callable[[str], Any], environ: Mapping[str, str]) -> Settings:
    """Return the run's settings. `getoption` returns an option's text by its dest, None when it was not given.

    Raises SettingsError, one line, for a value that cannot be used and for values that do not fit together.
    """
    values = {option.flag: _value(option, getoption(option.dest), environ) for option in OPTIONS}
    kubeconfig = _context_source(values, environ)
    if values[DRILL_CONSENT] not in (None, values["--namespace"]):
        about = values["--namespace"]
        raise SettingsError(
            f"{DRILL_CONSENT} {values[DRILL_CONSENT]}: this run is about namespace {about}, name that one"
        )
    if values["--schedule"] is not None and values["--soak-minutes"] is not None:
        raise SettingsError("--soak-minutes and --schedule: a schedule has its own length; give one of the two")
    chosen_seed = values["--chaos-seed"]
    return Settings(
        provider=values["--provider"],
        context=values["--context"],
        kubeconfig=kubeconfig,
        namespace=values["--namespace"],
        overlay=values["--overlay"],
        images=values["--images"],
        keep_cluster=values["--keep-cluster"],
        cluster_name=values["--cluster-name"],
        patience_scale=values["--patience-scale"],
        chaos_seed=secrets.randbelow(LARGEST_SEED + 1) if chosen_seed is None else chosen_seed,
        consent=values[DRILL_CONSENT],
        report_dir=Path(values["--report-dir"]),
        state_dir=_state_dir(environ),
        soak_minutes=values["--soak-minutes"],
        schedule=values["--schedule"],
        dead_man_s=values["--dead-man"],
    )


def _state_dir(environ: Mapping[str, str]) -> Path:
    """Return $E2E_STATE_DIR, else the place that the XDG base directory specification gives to state."""
    if environ.get("E2E_STATE_DIR"):
        return Path(environ["E2E_STATE_DIR"]).expanduser()
    home = environ.get("HOME", "~")
    return Path(environ.get("XDG_STATE_HOME") or f"{home}/.local/state").expanduser() / "redis-sentinel-e2e"


def _registration(option: Option) -> dict[str, Any]:
    # No default and no choices here: whether it was given must be seen, and the complaint is ours.
    how: dict[str, Any] = {"dest": option.dest, "default": None, "help": option.described}
    return {**how, "action": "store_const", "const": "1"} if option.switch else {**how, "metavar": option.metavar}


def _value(option: Option, given: str | None, environ: Mapping[str, str]) -> Any:
    set_to = environ.get(option.variable)  # an empty variable is one that was not set
    source, text = (option.flag, given) if given is not None or not set_to else (option.variable, set_to)
    if text is None:
        text = option.default
    try:
        # A default is checked like a given value: a broken checkout may lack the default overlay.
        return None if text is None else option.read(text)
    except ValueError as error:
        raise SettingsError(f"{source} {text!r}: {error}") from None


def _context_source(values: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    """Return the kubeconfig that has the context asked for; None for a provider that makes its own."""
    context, given = values["--context"], values["--kubeconfig"]
    if values["--provider"] != "context":
        for flag in ("--context", "--kubeconfig"):
            if values[flag] is not None:
                raise SettingsError(f"{flag} {values[flag]}: only --provider context uses it")
        return None
    files = [given] if given is not None else _usual_kubeconfigs(environ)
    there = {path: _contexts(path) for path in files if path.is_file()}
    for path, contexts in there.items():
        if context in contexts:
            return path
    known = ", ".join(name for contexts in there.values() for name in contexts) or "none"
    where = " and ".join(map(str, there)) or f"{files[0]} (which does not exist)"
    trouble = "--provider context needs --context NAME" if context is None else f"--context {context!r} is unknown"
    raise SettingsError(f"{trouble}: the contexts of {where} are: {known}")


def _usual_kubeconfigs(environ: Mapping[str, str]) -> list[Path]:
    # As kubectl does: $KUBECONFIG is a list of files, all of which count.
    listed = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return listed or [Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"]


def _contexts(kubeconfig: Path) -> list[str]:
    try:
        content = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        return [str(context["name"]) for context in content["contexts"] or []]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(f"{kubeconfig} is no kubeconfig: {' '.join(str(error).split())}") from None
