"""The finishing script of the Kubeflow deployer: uploads the pipeline that it lies beside, runs it, follows it, removes it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

from shared.finishing.kubeflow_answers import IDENTITY, Answer, identity_of, text_of
from shared.finishing.kubeflow_api import Kubeflow, KubeflowError, named, path_of
from shared.finishing.kubeflow_pipeline import (
    about_pipeline,
    asked_for,
    create_run,
    found_pipeline,
    runs_of,
    schedules_of,
    uploaded,
)
from shared.finishing.kubeflow_runs import (
    failure_of,
    is_over,
    state_of_run,
    states_of_tasks,
    typed,
    with_seconds,
)
from shared.finishing.names import UsageError, checked_namespace
from shared.finishing.speaking import (
    EXIT_DONE,
    EXIT_FAILED,
    POLL_SECONDS,
    add_everywhere,
    changes_between,
    exit_status_of,
    name_and_value,
    say,
    suffix,
)

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
