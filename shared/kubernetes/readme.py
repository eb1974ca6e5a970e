"""The part of `deployment-readme.txt` that depends on the solution. What is the same for all is a static file."""

from __future__ import annotations

from collections.abc import Iterator

from shared.findings import quoted
from shared.kubernetes import volumes
from shared.kubernetes.plan import Plan
from shared.solution import GRPC_PORT, ORCHESTRATOR, SERVICE_PORT, WEB_UI_PORT


def readme(plan: Plan) -> str:
    """Return the text: plain, at most 120 columns where names allow, foreign text escaped."""
    lines = [*_title(plan), "", *_nodes(plan), "", *_addresses(plan), *_jobs(plan), *_folders(plan)]
    return "\n".join(lines) + "\n"


def _title(plan: Plan) -> Iterator[str]:
    solution = plan.solution
    kind = "pipeline" if solution.is_pipeline else "model"
    version = f", version {quoted(solution.version)}" if solution.version else ""
    title = f"The {kind} {quoted(solution.name)}{version}, for Kubernetes"
    yield title
    yield "=" * len(title)
    if solution.ids:
        yield f"solution {solution.ids.solution_id}, revision {solution.ids.revision_id}"


def _nodes(plan: Plan) -> Iterator[str]:
    yield "Nodes"
    yield "-----"
    for node in plan.solution.workloads:
        origin = f" ({quoted(node.container_name)} in the blueprint)" if node.container_name != node.name else ""
        job = ", runs to completion" if plan.choices[node.name].is_job else ""
        yield f"  {node.name}{origin}: {node.image}{job}"
    if plan.probe:
        yield f"  {plan.probe.name}: {plan.probe.image}, shows the messages"
    if plan.solution.is_pipeline:
        yield f"  {ORCHESTRATOR}: {plan.orchestrator_image}, moves the messages along the edges"


def _addresses(plan: Plan) -> Iterator[str]:
    yield "Addresses within the namespace"
    yield "------------------------------"
    for node in plan.solution.workloads:
        choice = plan.choices[node.name]
        web_ui = f", web UI {node.name}webui:{WEB_UI_PORT}" if choice.webui else ""
        ingress = f", from outside {choice.webui_ingress.host}" if choice.webui_ingress else ""
        yield f"  {node.name}:{SERVICE_PORT}{web_ui}{ingress}"
    if plan.solution.is_pipeline:
        yield f"  {ORCHESTRATOR}:{GRPC_PORT}"


def _jobs(plan: Plan) -> Iterator[str]:
    jobs = [name for name, choice in plan.choices.items() if choice.is_job]
    if not jobs:
        return
    yield ""
    yield "Jobs"
    yield "----"
    yield "A Job cannot be changed. The script makes a changed one anew; before you apply another version by hand, delete it:"
    yield f"  kubectl delete job {' '.join(jobs)} --ignore-not-found -n NAMESPACE"


def _folders(plan: Plan) -> Iterator[str]:
    if not plan.solution.shared_folders:
        return
    yield ""
    yield "Shared folders"
    yield "--------------"
    for folder in plan.solution.shared_folders:
        yield f"  {folder.mount_path} (claim {folder.claim}, variable {folder.variable})"
    yield "Every node mounts them, so the cluster needs a storage class that offers ReadWriteMany (NFS, CephFS,"
    yield f"a cloud's file service). The nodes belong to group {volumes.SHARED_GROUP}, which must be able to write there."
    yield "Deleting the deployment does not delete the claims: that takes the script's --delete-data, or you, on purpose."
