"""Calls `kubectl`: argument lists only, a timeout on every call, patience with a cluster that is away for a moment."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import Any, Callable, Dict, List, Optional
from urllib.parse import urlsplit

from shared.finishing.connection import (
    in_words,
    is_forbidden,
    is_passing,
    is_terminating,
    is_too_large_to_copy,
    knows_no_cluster,
    wants_login,
)
from shared.finishing.objects import MANAGED_BY_LABEL, MANAGER, Manifest

CALL_SECONDS = 300
REQUEST_SECONDS = 20
# A pod has 30 s to end, and whatever waits for it goes after it.
DELETE_SECONDS = 180
# A cluster that never answered is probably the wrong one; one that did comes back.
FIRST_ABSENCE_SECONDS = 10.0
ABSENCE_SECONDS = 120.0
LONGEST_PAUSE_SECONDS = 5.0


class KubectlError(Exception):
    """`kubectl` is missing, failed or took too long; the text is for the person at the terminal."""

    def __init__(self, words: str, told: str = "") -> None:
        super().__init__(words)
        self.told = told
        """All that kubectl wrote to stderr."""


class Kubectl:
    """The cluster that the current kubeconfig names, in one namespace that was checked before."""

    def __init__(self, namespace: str, *, warn: Callable[[str], None]) -> None:
        program = shutil.which("kubectl")
        if program is None:
            raise KubectlError("kubectl is not on the PATH: see https://kubernetes.io/docs/tasks/tools/")
        self.program = program
        self.namespace = namespace
        self._warn = warn
        self._has_answered = False
        self._server_side = True

    def run(self, *arguments: str, given: Optional[str] = None, asks: bool = True) -> str:
        """Run kubectl and return its output; repeat it for a while when the cluster does not answer.

        `asks`: the call asks the cluster, so that its success shows that the cluster is there.

        Raises:
            KubectlError: with kubectl's own words.
        """
        began, pause, warned = time.monotonic(), 1.0, False
        while True:
            try:
                output = self._once(arguments, given)
            except KubectlError as problem:
                # A kubeconfig that was there a moment ago is being written anew, by a login for example.
                is_rewritten = self._has_answered and knows_no_cluster(problem.told)
                if not is_passing(problem.told) and not is_rewritten:
                    self._has_answered = self._has_answered or asks
                    raise
                patience = ABSENCE_SECONDS if self._has_answered else FIRST_ABSENCE_SECONDS
                if time.monotonic() + pause > began + patience:
                    raise KubectlError(f"the cluster did not answer for {patience:.0f} s: {problem}") from problem
                if not warned:
                    last = in_words(problem.told).splitlines()[-1]
                    self._warn(f"the cluster does not answer, trying again for {patience:.0f} s: {last}")
                    warned = True
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self._has_answered = self._has_answered or asks
                return output

    def read_manifests(self, text: str) -> List[Manifest]:
        """Return the objects in YAML. kubectl parses it, since the standard library knows no YAML; nothing is sent."""
        rest = ("--validate=false", "-o", "json", "-n", self.namespace, "-f", "-")
        try:
            return objects_in(self.run("create", "--dry-run=client", *rest, given=text, asks=False))
        except KubectlError as problem:
            if 'invalid argument "client"' not in problem.told:  # kubectl before 1.18
                raise
        return objects_in(self.run("create", "--dry-run", *rest, given=text, asks=False))

    def apply(self, manifests: List[Manifest], *, dry_run: bool = False) -> List[Manifest]:
        """Apply objects in one call and return them as they then are; `dry_run`: as they would be.

        Server-side with our field manager; by kubectl itself where it is too old for that.
        """
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        common = [*(["--dry-run=server"] if dry_run else []), "-n", self.namespace, "-o", "json", "-f", "-"]
        if self._server_side:
            managed = ("--server-side", "--force-conflicts", "--field-manager", MANAGER)
            try:
                return objects_in(self.run("apply", *managed, *common, given=document))
            except KubectlError as problem:
                if "unknown flag" not in problem.told:
                    raise
            self._server_side = False
            self._warn("this kubectl is old and cannot apply on the server's side; it applies by itself")
        try:
            return objects_in(self.run("apply", *common, given=document))
        except KubectlError as problem:
            if not is_too_large_to_copy(problem.told):
                raise
            words = (
                f"{problem}\nthis kubectl keeps a copy of each object in an annotation, and one is too large for that: "
            )
            raise KubectlError(
                f"{words}kubectl 1.18 or newer applies it on the server's side", problem.told
            ) from problem

    def get(self, kinds: str, selector: str = "") -> List[Manifest]:
        """Return the objects of some kinds (`deployments,jobs`) in the namespace."""
        chosen = ("-l", selector) if selector else ()
        return objects_in(self.run("get", kinds, "-n", self.namespace, "-o", "json", *chosen))

    def find(self, kind: str, name: str) -> Optional[Manifest]:
        """Return one object, or None when it is not there."""
        found = self.run("get", kind, name, "-n", self.namespace, "--ignore-not-found", "-o", "json")
        return next(iter(objects_in(found)), None)

    def delete(self, manifests: List[Manifest]) -> None:
        """Delete objects and wait until they are gone; what is gone already is no error.

        Raises:
            KubectlError: also when something is still there after `DELETE_SECONDS`: see `is_still_there`.
        """
        names = [
            {"apiVersion": m["apiVersion"], "kind": m["kind"], "metadata": {"name": m["metadata"]["name"]}}
            for m in manifests
        ]
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": names})
        options = ("--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
        self.run("delete", *options, "-n", self.namespace, "-f", "-", given=document)

    def create_namespace(self) -> str:
        """Create the namespace, labelled as ours: only such a one may ever be deleted again.

        Returns `created`, `there`, `terminating`, or `forbidden` to somebody who may not create namespaces.
        """
        metadata = {"name": self.namespace, "labels": {MANAGED_BY_LABEL: MANAGER}}
        document = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        try:
            self.run("create", "-f", "-", given=document)
        except KubectlError as problem:
            if is_terminating(problem.told):
                return "terminating"
            if "AlreadyExists" in problem.told:
                return "there"
            if is_forbidden(problem.told):
                return "forbidden"
            raise
        return "created"

    def host(self) -> Optional[str]:
        """Return the host name of the API server: on many small clusters node ports answer there."""
        url = self.run("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        return urlsplit(url.strip()).hostname

    def attend(self, *arguments: str) -> int:
        """Run kubectl for the person at the terminal until it ends or they end it; return its exit status."""
        return subprocess.run([self.program, *arguments, "-n", self.namespace], check=False).returncode

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start kubectl for something that goes on; the caller reads its output and ends it."""
        return subprocess.Popen(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )

    def _once(self, arguments: tuple[str, ...], given: Optional[str]) -> str:
        verb = arguments[0]
        command = [self.program, *arguments, f"--request-timeout={REQUEST_SECONDS}s"]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            words = f"kubectl {verb}: no answer within {CALL_SECONDS} s"
            raise KubectlError(words, "connection timed out") from late
        if done.returncode:
            raise KubectlError(_explained_failure(verb, done.stderr), done.stderr)
        return done.stdout


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


def _flat(value: Dict[str, Any]) -> List[Manifest]:
    return list(value["items"]) if value.get("kind", "").endswith("List") else [value]


def _explained_failure(verb: str, told: str) -> str:
    if knows_no_cluster(told):
        return "kubectl knows no cluster: set KUBECONFIG to the file that you got for yours, or see `kubectl config`"
    if wants_login(told):
        return "the cluster does not know you: log in again with the program of whoever runs it, then run this again"
    return f"kubectl {verb} failed: {in_words(told)}"
