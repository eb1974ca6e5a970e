#!/usr/bin/env python3
"""Upload the pipeline of this bundle to Kubeflow, run it, follow it, stop it, remove it.

Needs Python 3.8 or newer, nothing else. Run with --help. Generated from shared/finishing of Slipway.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import random
import re
import signal
import string
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Type
from urllib.parse import quote, urlencode, urlsplit


# --- names: What a person types is checked before kubectl is called at all, so that no value can read as an option. Pure.

# RFC 1123 label and subdomain, RFC 1035 label: what Kubernetes takes as the name of a namespace, a Secret, a Service.
NAMESPACE_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SECRET_PATTERN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
NODE_PATTERN = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class UsageError(ValueError):
    """The command line cannot be meant so; nothing was done."""


def checked_namespace(value: str) -> str:
    """Return the namespace.

    Raises:
        UsageError: it is none.
    """
    return _checked(NAMESPACE_PATTERN, value, what="namespace: lower-case letters, digits and '-', at most 63")


def checked_secret(value: str) -> str:
    """Return the name of a Secret.

    Raises:
        UsageError: it is none.
    """
    return _checked(SECRET_PATTERN, value, what="secret name: lower-case letters, digits, '-' and '.'")


def checked_node(value: str) -> str:
    """Return the name of a node.

    Raises:
        UsageError: it is none.
    """
    return _checked(NODE_PATTERN, value, what="node: lower-case letters, digits and '-', at most 63")


def _checked(pattern: re.Pattern[str], value: str, *, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(f"expected a {what}; found {value!r}")
    return value


# --- speaking: What scripts of workflows share at the terminal: lines that nothing from a cluster can steer, and values as people type them.

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
POLL_SECONDS = 2.0
SUFFIX_LETTERS = 5


def exit_status_of(act: Callable[[], int], *, interrupted: str, failures: Tuple[Type[Exception], ...]) -> int:
    """Return the exit status of what a script does; `failures` are one line, and no traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return act()
    except KeyboardInterrupt:
        warn(interrupted)
        return EXIT_INTERRUPTED
    except failures as problem:
        warn(f"error: {problem}")
        return EXIT_FAILED


def add_everywhere(
    parser: argparse.ArgumentParser,
    verbs: List[argparse.ArgumentParser],
    *flags: str,
    told: str,
    default: Optional[str] = None,
    metavar: Optional[str] = None,
) -> None:
    """Let an option stand before the verb or after it; what stands after it counts."""
    parser.add_argument(*flags, help=told, default=default, metavar=metavar)
    for verb in verbs:
        # With a default of its own, the verb would overwrite what stands before it.
        verb.add_argument(*flags, help=told, default=argparse.SUPPRESS, metavar=metavar)


def name_and_value(text: str) -> Tuple[str, str]:
    """Return both sides of `NAME=VALUE`.

    Raises:
        UsageError: it has no `=`.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--parameter: expected NAME=VALUE, found {text!r}")
    return name, value


def changes_between(before: Dict[str, str], after: Dict[str, str]) -> List[str]:
    """Return a line for each task that has changed."""
    return [f"{name}: {state}" for name, state in sorted(after.items()) if before.get(name) != state]


def suffix() -> str:
    """Return what makes the name of a run its own."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase + string.digits, k=SUFFIX_LETTERS))


def say(text: str) -> None:
    """Print a line of what happens; nothing that comes from the cluster can steer the terminal."""
    print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text), flush=True)


def warn(text: str) -> None:
    """Print lines of what is wrong."""
    shown = (c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    print("".join(shown), file=sys.stderr, flush=True)


# --- kubeflow_answers: What stands in an answer of Kubeflow's API: what has to be there is, and nothing in it is of another type. Pure.

Answer = Dict[str, Any]
# They become parts of paths.
IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


def identity_of(found: Answer, key: str) -> str:
    """Return the id of an object.

    Raises:
        ValueError: it has none.
    """
    value = found.get(key)
    if not isinstance(value, str) or not IDENTITY.fullmatch(value):
        told = "nothing" if value is None else type(value).__name__ if not isinstance(value, str) else repr(value[:64])
        raise ValueError(f"the API answers without a {key}: found {told}; is --url the address of Kubeflow Pipelines?")
    return value


def text_of(found: Answer, key: str) -> str:
    """Return a text, empty where there is none."""
    value = found.get(key)
    return value if isinstance(value, str) else ""


def part_of(found: Answer, key: str) -> Answer:
    """Return an object within another one, empty where there is none."""
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def parts_of(found: Answer, key: str) -> List[Answer]:
    """Return the objects of a list.

    Raises:
        ValueError: it holds something else.
    """
    value = found.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"the API answers with something else than objects in {key}: is it Kubeflow Pipelines?")
    return value


# --- kubeflow_runs: One run of a pipeline as the API of Kubeflow tells it: its state, its tasks, its parameters. Pure.

RUN_SUCCEEDED, RUN_FAILED = "SUCCEEDED", "FAILED"
ENDED_STATES = (RUN_SUCCEEDED, RUN_FAILED, "SKIPPED", "CANCELED")
# Beside each task stand the one of Kubeflow's driver for it, each try of it, of which the last one counts, and the root.
OTHERS = re.compile(r"-driver$|\([0-9]+\)$|^root$")
TYPES = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "BOOLEAN": bool}


def state_of_run(run: Dict[str, Any]) -> str:
    """Return the state of a run; one that has not begun yet is pending."""
    return text_of(run, "state") or "PENDING"


def is_over(run: Dict[str, Any]) -> bool:
    """Answer whether a run has ended."""
    return state_of_run(run) in ENDED_STATES


def states_of_tasks(run: Dict[str, Any]) -> Dict[str, str]:
    """Return the state of each task by its name, with what Kubeflow says about it."""
    found = {}
    for task in parts_of(part_of(run, "run_details"), "task_details"):
        told = text_of(part_of(task, "error"), "message")
        name = text_of(task, "display_name")
        if name and not OTHERS.search(name):
            found[name] = (text_of(task, "state") or "PENDING") + (f": {told}" if told else "")
    return found


def failure_of(run: Dict[str, Any]) -> str:
    """Return why a run that is over is no success; empty when it is one.

    Some releases of Kubeflow call a run with an exit handler a success even though a task before that has failed.
    """
    if state_of_run(run) != RUN_SUCCEEDED:
        return text_of(part_of(run, "error"), "message") or state_of_run(run)
    failed = sorted(name for name, state in states_of_tasks(run).items() if state.startswith(RUN_FAILED))
    return f"failed: {', '.join(failed)}" if failed else ""


def typed(declared: Dict[str, Any], given: Dict[str, str]) -> Dict[str, Any]:
    """Return the values of parameters in their types.

    Raises:
        ValueError: the pipeline has no such parameter, or a value is of another type.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ValueError(f"--parameter {unknown[0]}: this pipeline has {', '.join(declared) or 'none at all'}")
    return {name: typed_value(name, str(declared[name]["type"]), text) for name, text in given.items()}


def typed_value(name: str, kind: str, text: str) -> Any:
    """Return one value in its type, or raise ValueError."""
    if kind not in TYPES:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if kind == "NUMBER_DOUBLE" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not TYPES[kind] or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"--parameter {name}: expected a value of the type {kind}, found {text!r}")
    return value


def with_seconds(cron: str) -> str:
    """Return a cron expression as Kubeflow reads it: with a field for the seconds before all others."""
    return cron if cron.startswith("@") else f"0 {cron}"


# --- kubeflow_api: The REST API of Kubeflow Pipelines (v2beta1) with the standard library: a token, limits, and calls that are repeated only where that is safe.

API = "/apis/v2beta1"
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0
TIMEOUT_SECONDS = 60.0
LONGEST_ANSWER = 64 * 1024 * 1024  # runs carry the whole pipeline
PART_OF_ANSWER = 1000
PAGE = 100
MOST_PAGES = 1000
LONGEST_PAGE_TOKEN = 10_000
# The server has not done what it was asked for, and says so.
REFUSED_FOR_NOW = (429, 503)
# Somebody in between does not know whether it has.
UNSURE = (500, 502, 504)
NOT_FOUND = 404
BOUNDARY = "slipway-4f1c0f5e1e7d4b0e"
LOCAL = ("localhost", "127.0.0.1", "::1")


class KubeflowError(Exception):
    """The API did not do what it was asked for."""

    def __init__(self, message: str, *, status: int = 0, is_unsure: bool = False) -> None:
        """Keep the status, 0 where there was no answer, and whether it may have been done all the same."""
        super().__init__(message)
        self.status = status
        self.is_unsure = is_unsure


class Kubeflow:
    """One API and one namespace."""

    def __init__(self, url: str, *, namespace: str, token: str) -> None:
        """Remember where and as whom.

        Raises:
            UsageError: the address is none, or would carry the token in the clear.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise UsageError(f"--url: expected http(s)://HOST[:PORT][/PATH], found {url!r}")
        if token and parts.scheme == "http" and parts.hostname not in LOCAL:
            raise UsageError("--url: expected https where a token is sent; http only to this machine")
        if any(ord(c) <= ord(" ") or ord(c) > ord("~") for c in token):
            raise UsageError("expected a token of one line of ASCII")
        self.namespace = namespace
        self._parts = parts
        self._token = token

    def get(self, path: str, **query: str) -> Dict[str, Any]:
        """Return an object; asked again until somebody answers."""
        return self._call("GET", path, query, is_repeatable=True)

    def find(self, path: str, **query: str) -> Optional[Dict[str, Any]]:
        """Return an object, or None when there is none."""
        try:
            return self.get(path, **query)
        except KubeflowError as problem:
            if problem.status == NOT_FOUND:
                return None
            raise

    def all(self, path: str, key: str, **query: str) -> Iterator[Dict[str, Any]]:
        """Yield the objects of all pages.

        Raises:
            KubeflowError: the pages have no end.
        """
        token = ""
        seen = {token}
        while True:
            page = self.get(path, page_size=str(PAGE), page_token=token, **query)
            yield from parts_of(page, key)
            token = text_of(page, "next_page_token")
            if not token:
                return
            if token in seen or len(seen) >= MOST_PAGES or len(token) > LONGEST_PAGE_TOKEN:
                raise KubeflowError(f"GET {path}: expected at most {MOST_PAGES} pages, each of them once")
            seen.add(token)

    def post(self, path: str, body: Dict[str, Any], *, is_repeatable: bool = False) -> Dict[str, Any]:
        """Create an object, or act on one. What may have been done is done again only if that changes nothing."""
        return self._call("POST", path, {}, json.dumps(body).encode(), is_repeatable=is_repeatable)

    def upload(self, path: str, file_name: str, content: bytes, **query: str) -> Dict[str, Any]:
        """Upload a file."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="uploadfile"; filename="{file_name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self._call("POST", path, query, body, f"multipart/form-data; boundary={BOUNDARY}")

    def delete(self, path: str, **query: str) -> bool:
        """Delete an object, and answer whether it was there."""
        try:
            self._call("DELETE", path, query, is_repeatable=True)
        except KubeflowError as problem:
            if problem.status != NOT_FOUND:
                raise
            return False
        return True

    def _call(
        self,
        method: str,
        path: str,
        query: Dict[str, str],
        body: Optional[bytes] = None,
        kind: str = "application/json",
        *,
        is_repeatable: bool = False,
    ) -> Dict[str, Any]:
        given = {name: value for name, value in query.items() if value}
        target = self._parts.path.rstrip("/") + API + path + (f"?{urlencode(given)}" if given else "")
        for attempt in range(ATTEMPTS):
            try:
                return self._once(method, target, body, kind)
            except KubeflowError as problem:
                may_repeat = problem.status in REFUSED_FOR_NOW or (problem.is_unsure and is_repeatable)
                if not may_repeat or attempt == ATTEMPTS - 1:
                    raise
            time.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, method: str, target: str, body: Optional[bytes], kind: str) -> Dict[str, Any]:
        secure = self._parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(str(self._parts.hostname), self._parts.port, timeout=TIMEOUT_SECONDS)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            content = answer.read(LONGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as problem:
            where = f"{self._parts.scheme}://{self._parts.netloc}"
            raise KubeflowError(
                f"{where} did not answer: {str(problem) or type(problem).__name__}", is_unsure=True
            ) from problem
        finally:
            connection.close()
        return read_answer(method, target, answer.status, content)


def read_answer(method: str, target: str, status: int, content: bytes) -> Dict[str, Any]:
    """Return the object that an answer carries.

    Raises:
        KubeflowError: it is no success, or carries none; a page for people means that somebody wants a login.
    """
    path = target.partition("?")[0]
    if status < 200 or status >= 300:  # noqa: PLR2004 - the classes of HTTP
        told = f"{method} {path}: status {status}: {reason_in(content)}"
        if status in (301, 302, 303, 307, 308, 401):
            told += "\nKubeflow wants to know who you are: set KUBEFLOW_TOKEN, or --token-file"
        raise KubeflowError(told, status=status, is_unsure=status in UNSURE)
    if len(content) > LONGEST_ANSWER:
        raise KubeflowError(f"{method} {path}: expected at most {LONGEST_ANSWER} bytes")
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise KubeflowError(f"{method} {path}: expected JSON, found {content[:60]!r}: is --url the address of the API?")
    return found


def reason_in(content: bytes) -> str:
    """Return what an error's body says, shortened."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    told = found.get("error_message") or found.get("message") if isinstance(found, dict) else None
    return (told if isinstance(told, str) else content.decode("utf-8", "replace"))[:PART_OF_ANSWER].strip()


def path_of(*parts: str) -> str:
    """Return a path; no part can leave its place."""
    return "".join("/" + quote(part, safe=":") for part in parts)


def named(found: Iterator[Dict[str, Any]], name: str) -> List[Dict[str, Any]]:
    """Return the objects with this name for people, oldest first."""
    same = [each for each in found if each.get("display_name") == name]
    return sorted(same, key=lambda each: text_of(each, "created_at"))


# --- kubeflow_pipeline: The pipeline of this bundle in Kubeflow: found there with what belongs to it, or put there.

FOLDER = "kubeflow"
CREATIONS = 3


def about_pipeline() -> Dict[str, Any]:
    """Return what the bundle says about its pipeline.

    Raises:
        ValueError: this script lies beside none.
    """
    try:
        found = json.loads((folder() / "run.json").read_text(encoding="utf-8"))
    except OSError as problem:
        raise ValueError(f"no pipeline in {folder()}: is this an unpacked bundle?") from problem
    return dict(found)


def folder() -> Path:
    """Return the folder of the bundle that holds the pipeline."""
    return Path(__file__).resolve().parent / FOLDER


def uploaded(kubeflow: Kubeflow, about: Dict[str, Any]) -> Dict[str, str]:
    """Return the ids of pipeline and version, both there from now on."""
    pipeline = found_pipeline(kubeflow, about)
    if pipeline is None:
        body = {"display_name": about["pipeline"]}
        if kubeflow.namespace:
            body["namespace"] = kubeflow.namespace
        pipeline = kubeflow.post(path_of("pipelines"), body)
    identity = identity_of(pipeline, "pipeline_id")
    there = named(kubeflow.all(path_of("pipelines", identity, "versions"), "pipeline_versions"), about["version"])
    if there:
        say(f"uploaded already: {about['version']}")
    else:
        content = (folder() / "pipeline.yaml").read_bytes()
        asked = {"name": about["version"], "pipelineid": identity}
        there = [kubeflow.upload(path_of("pipelines", "upload_version"), "pipeline.yaml", content, **asked)]
        say(f"uploaded: {about['version']}")
    return {"pipeline_id": identity, "pipeline_version_id": identity_of(there[0], "pipeline_version_id")}


def found_pipeline(kubeflow: Kubeflow, about: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the pipeline, or None when it was not uploaded yet."""
    return kubeflow.find(path_of("pipelines", "names", about["pipeline"]), namespace=kubeflow.namespace)


def asked_for(kubeflow: Kubeflow, about: Dict[str, Any], experiment: str) -> Dict[str, Any]:
    """Return what a run and a recurring run have in common."""
    reference = uploaded(kubeflow, about)
    experiments = kubeflow.all(path_of("experiments"), "experiments", namespace=kubeflow.namespace)
    found = named(experiments, experiment)
    if not found:
        body = {"display_name": experiment}
        if kubeflow.namespace:
            body["namespace"] = kubeflow.namespace
        found = [kubeflow.post(path_of("experiments"), body)]
    return {
        "experiment_id": identity_of(found[0], "experiment_id"),
        "pipeline_version_reference": reference,
        "service_account": about["serviceAccount"],
    }


def create_run(kubeflow: Kubeflow, body: Dict[str, Any]) -> Dict[str, Any]:
    """Create a run once: where nobody knows whether it was created, its name tells."""
    for attempt in range(CREATIONS):
        try:
            return kubeflow.post(path_of("runs"), body)
        except KubeflowError as problem:
            if not problem.is_unsure or attempt == CREATIONS - 1:
                raise
        query = {"experiment_id": body["experiment_id"], "namespace": kubeflow.namespace}
        there = named(kubeflow.all(path_of("runs"), "runs", **query), body["display_name"])
        if there:
            return there[0]
    raise AssertionError("the last attempt returns or raises")


def runs_of(kubeflow: Kubeflow, pipeline: str, **query: str) -> List[Answer]:
    """Return the runs of the pipeline, whoever has started them; in the whole namespace, or as `query` says."""
    return of_pipeline(kubeflow.all(path_of("runs"), "runs", namespace=kubeflow.namespace, **query), pipeline)


def schedules_of(kubeflow: Kubeflow, pipeline: str) -> List[Answer]:
    """Return the recurring runs of the pipeline."""
    found = kubeflow.all(path_of("recurringruns"), "recurringRuns", namespace=kubeflow.namespace)
    return of_pipeline(found, pipeline)


def of_pipeline(found: Iterator[Answer], pipeline: str) -> List[Answer]:
    """Return what refers to the pipeline."""
    return [each for each in found if part_of(each, "pipeline_version_reference").get("pipeline_id") == pipeline]


# --- kubeflow: The finishing script of the Kubeflow deployer: uploads the pipeline that it lies beside, runs it, follows it, removes it.

EXPERIMENT = "slipway"
TOKEN_VARIABLE = "KUBEFLOW_TOKEN"  # noqa: S105 - its name, not the token


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the script and return its exit status."""
    chosen = read_command_line(sys.argv[1:] if arguments is None else arguments)
    return exit_status_of(
        lambda: int(chosen.action(chosen.kubeflow, chosen)),
        interrupted="stopped here; what runs in Kubeflow goes on",
        failures=(KubeflowError, OSError, ValueError),
    )


def read_command_line(arguments: List[str]) -> argparse.Namespace:
    """Read the command line; what cannot be meant ends the program with status 2 before anything is asked."""
    parser = argparse.ArgumentParser(
        description="Upload this pipeline to Kubeflow Pipelines, run it, follow it, stop it, remove it.",
        epilog=f"The token that Kubeflow asks for stands in {TOKEN_VARIABLE} or a file. Exit status: 0 done, and a run "
        "that was followed has succeeded; 1 failed, in words; 2 wrong usage; 130 interrupted.",
    )
    actions = parser.add_subparsers(dest="verb", required=True)
    uploads = actions.add_parser("upload", help="upload the pipeline; done twice, it changes nothing")
    runs = actions.add_parser("run", help="upload it where it is not, and start a run")
    runs.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of this run")
    runs.add_argument("--watch", action="store_true", help="then follow it")
    watches = actions.add_parser("watch", help="follow a run to its end")
    stops = actions.add_parser("stop", help="terminate a run; Kubeflow runs no exit handler then")
    stops.add_argument("--remove", action="store_true", help="and delete it: what it has deployed goes with its pods")
    for each in (watches, stops):
        each.add_argument("run", nargs="?", default="", help="id of a run; without it the one that was started last")
    schedules = actions.add_parser("schedule", help="let it run by itself, as the bundle says")
    deletes = actions.add_parser("delete", help="remove schedule, runs and pipeline from Kubeflow")
    acts = ((uploads, upload), (runs, run), (watches, watch), (stops, stop), (schedules, schedule), (deletes, delete))
    for each, action in acts:
        each.set_defaults(action=action)
    add_where_and_who(parser, [each for each, _ in acts])
    chosen = parser.parse_args(arguments)
    if chosen.url is None:
        parser.error("the following arguments are required: --url")
    try:
        checked(chosen)
    except (UsageError, OSError) as problem:
        parser.error(str(problem))
    return chosen


def add_where_and_who(parser: argparse.ArgumentParser, verbs: List[argparse.ArgumentParser]) -> None:
    """Add the options that all verbs have."""
    url = "required: where the API is: https://HOST, or with /pipeline at the end"
    add_everywhere(parser, verbs, "--url", told=url)
    add_everywhere(
        parser, verbs, "-n", "--namespace", default="", told="your profile; only where Kubeflow has several users"
    )
    add_everywhere(parser, verbs, "--token-file", metavar="FILE", told=f"instead of {TOKEN_VARIABLE}")
    add_everywhere(
        parser, verbs, "--experiment", default=EXPERIMENT, told=f"that runs belong to; default: {EXPERIMENT}"
    )


def checked(chosen: argparse.Namespace) -> None:
    """Check the command line, and add to it what follows from it.

    Raises:
        UsageError: with what cannot be meant.
        OSError: the file with the token cannot be read.
    """
    if chosen.namespace:
        checked_namespace(chosen.namespace)
    if getattr(chosen, "run", "") and not IDENTITY.fullmatch(chosen.run):
        raise UsageError(f"expected the id of a run, found {chosen.run!r}")
    chosen.parameters = dict(map(name_and_value, getattr(chosen, "parameter", [])))
    token = os.environ.get(TOKEN_VARIABLE, "")
    if chosen.token_file:
        token = Path(chosen.token_file).read_text(encoding="utf-8")
    chosen.kubeflow = Kubeflow(chosen.url, namespace=chosen.namespace, token=token.strip())


def upload(kubeflow: Kubeflow, _: argparse.Namespace) -> int:
    """Upload the pipeline."""
    uploaded(kubeflow, about_pipeline())
    return EXIT_DONE


def run(kubeflow: Kubeflow, chosen: argparse.Namespace) -> int:
    """Start a run."""
    about = about_pipeline()
    given = typed(about["parameters"], chosen.parameters)
    asked = {**asked_for(kubeflow, about, chosen.experiment), "display_name": f"{about['pipeline']}-{suffix()}"}
    started = create_run(kubeflow, {**asked, "runtime_config": {"parameters": given}})
    name = identity_of(started, "run_id")
    say(f"started: {asked['display_name']} ({name})")
    return follow_run(kubeflow, name) if chosen.watch else EXIT_DONE


def watch(kubeflow: Kubeflow, chosen: argparse.Namespace) -> int:
    """Follow a run."""
    return follow_run(kubeflow, chosen.run or latest_run(kubeflow, chosen))


def stop(kubeflow: Kubeflow, chosen: argparse.Namespace) -> int:
    """Terminate a run."""
    name = chosen.run or latest_run(kubeflow, chosen)
    terminate(kubeflow, name)
    if chosen.remove:
        remove_run(kubeflow, name)
    else:
        say("what it had deployed stays until the run is deleted: stop --remove")
    return EXIT_DONE


def schedule(kubeflow: Kubeflow, chosen: argparse.Namespace) -> int:
    """Create one recurring run for each cron expression; those of an older version go."""
    about = about_pipeline()
    wanted = about.get("schedule")
    if not wanted:
        raise ValueError("this bundle has no schedule: option schedule of the build gives it one")
    asked = asked_for(kubeflow, about, chosen.experiment)
    old = schedules_of(kubeflow, asked["pipeline_version_reference"]["pipeline_id"])
    for number, cron in enumerate(wanted["cron"], start=1):
        body = {
            **asked,
            "display_name": f"{about['pipeline']}-{number}",
            "max_concurrency": wanted["maxConcurrency"],
            "no_catchup": True,
            "mode": "DISABLE" if wanted["suspended"] else "ENABLE",
            "trigger": {"cron_schedule": {"cron": with_seconds(cron)}},
            "runtime_config": {"parameters": {}},
        }
        kubeflow.post(path_of("recurringruns"), body)
        say(f"scheduled: {cron}")
    for each in old:
        kubeflow.delete(path_of("recurringruns", identity_of(each, "recurring_run_id")))
    return EXIT_DONE


def delete(kubeflow: Kubeflow, _: argparse.Namespace) -> int:
    """Remove what belongs to this pipeline. Done twice, it finds nothing the second time."""
    about = about_pipeline()
    pipeline = found_pipeline(kubeflow, about)
    if pipeline is None:
        say("0 pipelines deleted")
        return EXIT_DONE
    identity = identity_of(pipeline, "pipeline_id")
    for each in schedules_of(kubeflow, identity):
        kubeflow.delete(path_of("recurringruns", identity_of(each, "recurring_run_id")))
    for each in runs_of(kubeflow, identity):
        if not is_over(each):
            terminate(kubeflow, identity_of(each, "run_id"))
        remove_run(kubeflow, identity_of(each, "run_id"))
    for version in list(kubeflow.all(path_of("pipelines", identity, "versions"), "pipeline_versions")):
        kubeflow.delete(path_of("pipelines", identity, "versions", identity_of(version, "pipeline_version_id")))
    kubeflow.delete(path_of("pipelines", identity))
    say("1 pipeline deleted; ConfigMaps, claims and rights stay: kubectl delete -k . removes those")
    return EXIT_DONE


def follow_run(kubeflow: Kubeflow, name: str) -> int:
    """Tell what happens to a run until it is over, and return whether it succeeded as an exit status."""
    shown: Dict[str, str] = {}
    while True:
        found = kubeflow.find(path_of("runs", name))
        if found is None:
            raise ValueError(f"there is no run {name}")
        identity_of(found, "run_id")
        now = states_of_tasks(found)
        for line in changes_between(shown, now):
            say(f"  {line}")
        shown = now
        if is_over(found):
            failure = failure_of(found)
            say(f"{name}: {state_of_run(found)}{f': {failure}' if failure else ''}")
            return EXIT_FAILED if failure else EXIT_DONE
        time.sleep(POLL_SECONDS)


def terminate(kubeflow: Kubeflow, name: str) -> None:
    """Tell a run that goes on to end; it takes Kubeflow a moment."""
    found = kubeflow.get(path_of("runs", name))
    identity_of(found, "run_id")
    if is_over(found):
        say(f"{name} has ended already: {state_of_run(found)}")
        return
    kubeflow.post(path_of("runs", f"{name}:terminate"), {}, is_repeatable=True)
    say(f"{name} is told to end")


def remove_run(kubeflow: Kubeflow, name: str) -> None:
    """Delete a run, and with it its pods and what belongs to them."""
    kubeflow.delete(path_of("runs", name))
    say(f"{name} is deleted")


def latest_run(kubeflow: Kubeflow, chosen: argparse.Namespace) -> str:
    """Return the id of the run that was started last in the experiment."""
    pipeline = found_pipeline(kubeflow, about_pipeline())
    found: List[Answer] = []
    if pipeline is not None:
        experiments = kubeflow.all(path_of("experiments"), "experiments", namespace=kubeflow.namespace)
        for each in named(experiments, chosen.experiment):
            experiment = identity_of(each, "experiment_id")
            found += runs_of(kubeflow, identity_of(pipeline, "pipeline_id"), experiment_id=experiment)
    if not found:
        raise ValueError("no run of this pipeline is there: start one")
    return identity_of(max(found, key=lambda each: text_of(each, "created_at")), "run_id")


if __name__ == "__main__":
    sys.exit(main())
