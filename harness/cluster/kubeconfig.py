"""Reading a kubeconfig: where the API server is and who is asking."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse

import kubernetes.client
import kubernetes.config
import yaml

from harness.errors import ClusterError

LOOPBACK = ("127.0.0.1", "localhost", "0.0.0.0", "::1")  # noqa: S104 - compared, not bound


def configuration_of(kubeconfig: Path, context: str | None) -> Any:
    """Return the package's settings for one context of a kubeconfig; ClusterError in one line if it is unusable."""
    configuration = kubernetes.client.Configuration()
    try:
        cast("Any", kubernetes.config).load_kube_config(
            config_file=str(kubeconfig), context=context, client_configuration=configuration, persist_config=False
        )
    except (kubernetes.config.ConfigException, OSError, ValueError, yaml.YAMLError) as error:
        detail = " ".join(str(error).split())
        named = f" (context {context})" if context else ""
        raise ClusterError(f"kubeconfig {kubeconfig}{named} cannot be used: {detail}") from error
    if urlparse(str(configuration.host)).hostname in LOOPBACK:
        configuration.proxy = None  # a proxy set for the outside world cannot reach this machine's own ports
    return configuration
