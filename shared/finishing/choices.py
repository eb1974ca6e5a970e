"""What the person who deploys adds to the manifests: pull policy, pull secret, environment. Never written to disk."""

from __future__ import annotations

import base64
import copy
import re
from typing import Any, Dict, List, Optional

from shared.finishing.objects import (
    INSTANCE_LABEL,
    MANAGED_BY_LABEL,
    MANAGER,
    WORKLOAD_KINDS,
    Manifest,
    pod_spec_of,
)

EnvironmentRule = Dict[str, str]


def with_choices(
    manifest: Manifest, *, pull_policy: Optional[str], pull_secret: Optional[str], rules: List[EnvironmentRule]
) -> Manifest:
    """Return a workload with the choices of the command line; any other manifest unchanged."""
    if manifest.get("kind") not in WORKLOAD_KINDS:
        return manifest
    changed = copy.deepcopy(manifest)
    pod = pod_spec_of(changed)
    for container in pod.get("containers", []) + pod.get("initContainers", []):
        if pull_policy:
            container["imagePullPolicy"] = pull_policy
    for container in pod.get("containers", []):
        for rule in rules:
            _apply_rule(container, rule)
    if pull_secret:
        secrets = pod.setdefault("imagePullSecrets", [])
        if {"name": pull_secret} not in secrets:
            secrets.append({"name": pull_secret})
    return changed


def pull_secret_manifest(name: str, docker_config: str, *, instance: str) -> Manifest:
    """Return the pull secret that holds a docker configuration; labelled, so that `--delete` finds it."""
    labels = {INSTANCE_LABEL: instance, MANAGED_BY_LABEL: MANAGER}
    encoded = base64.b64encode(docker_config.encode("utf-8")).decode("ascii")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": encoded},
    }


def rules_of(config: Any) -> List[EnvironmentRule]:
    """Return the `environment_variables` rules of a Graphene configuration file.

    Raises:
        ValueError: a rule lacks `docker_image_pattern`, `name` or `value`, or its pattern is no regular expression.
    """
    entries = config.get("environment_variables", []) if isinstance(config, dict) else None
    if not isinstance(entries, list):
        raise ValueError("environment_variables: expected a list of rules")  # noqa: TRY004 - the file is at fault
    return [_rule(entry) for entry in entries]


def _rule(entry: Any) -> EnvironmentRule:
    keys = ("docker_image_pattern", "name", "value")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in keys):
        raise ValueError("environment_variables: expected rules with the texts " + ", ".join(keys))
    try:
        re.compile(entry["docker_image_pattern"])
    except re.error as problem:
        raise ValueError(f"docker_image_pattern: expected a regular expression, found {problem}") from problem
    return {key: entry[key] for key in keys}


def _apply_rule(container: Dict[str, Any], rule: EnvironmentRule) -> None:
    if not re.match(rule["docker_image_pattern"], container.get("image", "")):
        return
    others = [variable for variable in container.get("env", []) if variable.get("name") != rule["name"]]
    container["env"] = [*others, {"name": rule["name"], "value": rule["value"]}]
