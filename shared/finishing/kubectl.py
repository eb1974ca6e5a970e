"""Calls `kubectl`: argument lists only, a timeout on every call, errors in words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any, List, Optional
from urllib.parse import urlsplit

from shared.finishing.stages import Manifest

FIELD_MANAGER = "slipway"
CALL_SECONDS = 120

# A Kubernetes namespace: an RFC 1123 label. Checked before any call, so that no value can read as an option.
NAMESPACE_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class KubectlError(Exception):
    """`kubectl` is missing, failed or took too long; the text is for the person at the terminal."""


class Kubectl:
    """The cluster that the current kubeconfig names, in one namespace."""

    def __init__(self, namespace: str) -> None:
        if not NAMESPACE_PATTERN.fullmatch(namespace):
            raise KubectlError("namespace: expected lower-case letters, digits and '-', found " + repr(namespace))
        program = shutil.which("kubectl")
        if program is None:
            raise KubectlError("kubectl is not on the PATH: see https://kubernetes.io/docs/tasks/tools/")
        self.program = program
        self.namespace = namespace

    def run(self, *arguments: str, given: Optional[str] = None) -> str:
        """Run kubectl and return its output.

        Raises:
            KubectlError: with the end of kubectl's own words.
        """
        command = [self.program, *arguments]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                universal_newlines=True,
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise KubectlError("kubectl {}: no answer within {} s".format(arguments[0], CALL_SECONDS)) from late
        if done.returncode:
            raise KubectlError("kubectl {} failed: {}".format(arguments[0], done.stderr.strip()[-2000:]))
        return done.stdout

    def read_manifests(self, files: List[str]) -> List[Manifest]:
        """Return the objects in YAML files. kubectl parses them, since the standard library knows no YAML."""
        given = [argument for file in files for argument in ("-f", file)]
        create = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-n", self.namespace)
        return objects_in(self.run(*create, *given))

    def apply(self, manifests: List[Manifest]) -> str:
        """Apply objects server-side with our field manager, in one call."""
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        options = ("--server-side", "--force-conflicts", "--field-manager", FIELD_MANAGER, "-n", self.namespace)
        return self.run("apply", *options, "-f", "-", given=document)

    def get(self, kinds: str, selector: str = "") -> List[Manifest]:
        """Return the objects of some kinds (`deployments,jobs`) in the namespace."""
        chosen = ("-l", selector) if selector else ()
        return objects_in(self.run("get", kinds, "-n", self.namespace, "-o", "json", *chosen))

    def namespace_exists(self) -> bool:
        """Answer whether the namespace is there."""
        return bool(self.run("get", "namespace", self.namespace, "--ignore-not-found", "-o", "name").strip())

    def create_namespace(self) -> None:
        """Create the namespace, labelled as ours: only such a one may ever be deleted again."""
        labels = {"app.kubernetes.io/managed-by": FIELD_MANAGER}
        metadata = {"name": self.namespace, "labels": labels}
        self.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])

    def host(self) -> Optional[str]:
        """Return the host name of the API server: on most small clusters node ports answer there too."""
        url = self.run("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        return urlsplit(url.strip()).hostname


def objects_in(text: str) -> List[Manifest]:
    """Return the objects in kubectl's JSON output: one, a List, or several behind each other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        found.extend(_flat(value))
    return found


def _flat(value: Any) -> List[Manifest]:
    return list(value["items"]) if value.get("kind", "").endswith("List") else [value]
