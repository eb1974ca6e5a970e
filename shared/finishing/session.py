"""What every action works with: the command line, the cluster, the bundle's objects, and where words go."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import List

from shared.finishing.applying import ensure_namespace
from shared.finishing.bundle_files import docker_config, environment_rules, has_login, manifests_text
from shared.finishing.choices import pull_secret_manifest, with_choices
from shared.finishing.kubectl import Kubectl, KubectlError
from shared.finishing.objects import (
    REVISION_LABEL,
    WORKLOAD_KINDS,
    Manifest,
    instance_of,
    label_of,
    of_kinds,
    selector_of,
)
from shared.finishing.report import Report
from shared.finishing.terminal import Terminal


class Session:
    """One run of the script. Making one reads the bundle; kubectl parses it, and nothing is written."""

    def __init__(self, chosen: argparse.Namespace, report: Report, terminal: Terminal) -> None:
        self.chosen = chosen
        self.report = report
        self.terminal = terminal
        self.base = Path(chosen.base_path).resolve()
        self.rules = environment_rules(chosen.config_file)
        self.login = self._docker_config(chosen.path_docker_secret) if chosen.path_docker_secret else ""
        text = manifests_text(self.base)
        self.kubectl = Kubectl(chosen.namespace, warn=terminal.warn)
        self.manifests = self._read(text)
        self.instance = instance_of(self.manifests)
        self.selector = selector_of(self.instance)
        report.instance = self.instance
        report.revision = next((r for m in self.manifests if (r := label_of(m, REVISION_LABEL))), "")

    @property
    def workloads(self) -> List[Manifest]:
        """The Deployments and Jobs of the bundle."""
        return of_kinds(self.manifests, *WORKLOAD_KINDS)

    def doing(self, what: str) -> None:
        """Note what a run that is stopped now was stopped at."""
        self.report.doing = what

    def pull_secret(self) -> List[Manifest]:
        """Return the pull secret that the command line asks for, if it does."""
        if not self.login:
            return []
        return [pull_secret_manifest(self.chosen.secret_name, self.login, instance=self.instance)]

    def ensure_namespace(self) -> bool:
        """Make sure that the namespace is there, and answer whether it is new."""
        return ensure_namespace(self.kubectl, create=not self.chosen.no_create_namespace, say=self.terminal.say)

    def _docker_config(self, path: str) -> str:
        text = docker_config(path)
        if not has_login(text):
            self.terminal.warn(
                f"{path}: there is no login in it, so the secret will open no registry. Where docker keeps logins in a "
                "keychain, make the secret with `kubectl create secret docker-registry`"
            )
        return text

    def _read(self, text: str) -> List[Manifest]:
        try:
            found = self.kubectl.read_manifests(text)
        except KubectlError as problem:
            if not problem.told or "STDIN" not in problem.told:
                raise
            raise KubectlError(f"the manifests in {self.base} cannot be read: {problem}", problem.told) from problem
        chosen = self.chosen
        return [
            with_choices(m, pull_policy=chosen.image_pull_policy, pull_secret=chosen.secret_name, rules=self.rules)
            for m in found
        ]
