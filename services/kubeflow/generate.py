"""A solution becomes a pipeline of Kubeflow: plan, translate, lint. Nothing else of this package knows how a bundle is laid out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.kubeflow import defaults, deployed, ir, limits, package
from services.kubeflow.files import load_files
from services.kubeflow.options import Options
from services.kubeflow.package import Package
from shared import yamldump
from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.findings import Findings
from shared.kubernetes import labels
from shared.kubernetes.kustomization import kustomization
from shared.kubernetes.order import in_order
from shared.solution import Solution
from shared.workflows import objects, packaging, plan, rights
from shared.workflows.lint import kubeflow as lint
from shared.workflows.lint import kubeflow_releases as releases
from shared.workflows.modes import Mode
from shared.workflows.plan import WorkflowPlan

NAME = "kubeflow"
TITLE = "Kubeflow Pipelines"
FOLDER = "kubeflow"
NATIVE = f"{FOLDER}/native"
PIPELINE = f"{FOLDER}/pipeline.yaml"
RUN = f"{FOLDER}/run.json"
_RELEASE = b"{release}"
# The driver's pod knows itself, and not the run that it belongs to.
_SEES_ITS_RUN = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


def generate(solution: Solution, options: Options, assets: Assets) -> Bundle:
    """Return the bundle.

    Raises:
        InvalidOptionsError: the options do not fit the solution, or what Kubeflow can do.
    """
    planned, made = translate(solution, options, assets)
    needed = {f"{FOLDER}/{name}": manifest for name, manifest in _needed(planned, options).items()}
    resources = package.resources(planned, made)
    native = {f"{NATIVE}/{name}": manifest for name, manifest in resources.items()}
    findings = planned.findings + Findings(tuple(limits.findings(planned, options)))
    documents: dict[str, Mapping[str, Any]] = {
        **needed,
        f"{NATIVE}/kustomization.yaml": kustomization(sorted(path.removeprefix(f"{NATIVE}/") for path in native)),
        "kustomization.yaml": kustomization(in_order(needed)),
    }
    files = {path: yamldump.dump(document) for path, document in documents.items()}
    files |= {f"{NATIVE}/{name}": content for name, content in package.files(resources, made).items()}
    return packaging.bundle(
        NAME,
        TITLE,
        planned,
        options,
        _naming(assets, made),
        emitted={**files, PIPELINE: made.content, RUN: _run(planned, options, made)},
        findings=findings + lint.check(made.pipeline, made.platform, {**needed, **native}, release=options.for_release),
    )


def translate(solution: Solution, options: Options, assets: Assets) -> tuple[WorkflowPlan, Package]:
    """Return the plan, and what Kubeflow takes of it. Raises as `generate` does."""
    planned = plan.make(
        solution,
        options,
        assets,
        engine=NAME,
        reserved=deployed.RESERVED,
        lacking=limits.lacking(options),
        deployed=frozenset({Mode.SERVICES, Mode.PERSISTENT}),
    )
    limits.refuse(planned)
    inlined = defaults.inlined(planned)
    return inlined, package.make(inlined, options.for_release)


def _naming(assets: Assets, made: Package) -> Assets:
    """Return the static files, with the release that the package needs in the readme."""
    text = assets.files.get(packaging.README, b"").replace(_RELEASE, releases.shown(made.needed).encode())
    return replace(assets, files={**assets.files, packaging.README: text})


def _needed(planned: WorkflowPlan, options: Options) -> objects.Objects:
    """Return what must be in the namespace before a run: Kubeflow itself only takes the pipeline."""
    found = objects.config_maps(planned) | objects.claims(planned)
    rules = list(rights.rules(planned))
    if rules:
        name = f"{planned.stem}-deployer"
        found |= rights.granted(planned, name, options.service_account, [*rules, _SEES_ITS_RUN], "deployer")
    if planned.is_deployed and options.profile == "restricted":
        found["networkpolicy-driver.yaml"] = _open(planned)
    return found


def _open(planned: WorkflowPlan) -> dict[str, Any]:
    """Return the policy that lets the driver's pod reach Kubeflow: what is deployed may only reach itself."""
    pod = {labels.INSTANCE: planned.identity.instance, labels.COMPONENT: labels.ORCHESTRATOR}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": objects.metadata(planned, f"{planned.stem}-driver"),
        "spec": {"podSelector": {"matchLabels": pod}, "policyTypes": ["Egress"], "egress": [{}]},
    }


def _run(planned: WorkflowPlan, options: Options, made: Package) -> bytes:
    """Return what the script knows about the pipeline: it reads no YAML."""
    parameters = {
        name: {"type": ir.parameter_type(value), "default": value} for name, value in planned.parameters.items()
    }
    about: dict[str, Any] = {
        "pipeline": planned.identity.instance,
        "version": package.version_name(planned, made),
        "serviceAccount": options.service_account,
        "parameters": parameters,
    }
    if options.schedule:
        about["schedule"] = {
            "cron": list(options.schedule.cron),
            "suspended": options.schedule.suspended,
            "maxConcurrency": "10" if options.schedule.concurrency == "Allow" else "1",
        }
    return (json.dumps(about, indent=2) + "\n").encode()


DEPLOYER = Deployer(
    name=NAME,
    title=TITLE,
    summary="A pipeline of Kubeflow Pipelines v2: nodes deployed for a run and removed after it, or as jobs, or as steps.",
    options=Options,
    generate=generate,
    load_files=load_files,
)
