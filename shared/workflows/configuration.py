"""What travels in ConfigMaps: the pipeline for the driver and, for mode `persistent`, the manifests. No engine reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from shared import blueprint, yamldump
from shared.deployer import Assets
from shared.findings import Finding, error, quoted
from shared.kubernetes import configuration, generator
from shared.kubernetes.dockerinfo import dockerinfo
from shared.kubernetes.grammar import text
from shared.kubernetes.options import Options
from shared.orchestration import pipeline_files as pieces
from shared.orchestration.pipeline_files import Data
from shared.solution import GRPC_PORT, Role, Solution
from shared.workflows import described as travelling
from shared.workflows import texts, turns
from shared.workflows.described import Described
from shared.workflows.nodes import NodePlan
from shared.workflows.policy import Policy

_DIGEST_DIGITS = 8
_MANIFESTS = ("deployments/", "policies/")
_ORCHESTRATOR = ("deployments.orchestrator_", "policies.networkpolicy-orchestrator")
_PIPELINE = ("policies.configmap-pipeline-",)


def pipeline_files(solution: Solution, described: Described, protos: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files by name; the protos themselves only where there are no descriptors of them."""
    if not solution.is_pipeline:
        return {}
    ports = {node.name: GRPC_PORT for node in solution.workloads}
    files = {pieces.BLUEPRINT: blueprint.emit(solution), pieces.DOCKERINFO: dockerinfo(ports)}
    return files | ({travelling.FILE: described.content} if described.content else dict(protos))


def bundle_files(
    solution: Solution,
    options: Options,
    assets: Assets,
    chosen: Policy,
    nodes: Sequence[NodePlan],
    *,
    first: Sequence[str],
    orchestrated: bool,
) -> dict[str, bytes]:
    """Return the manifests of the Kubernetes bundle, all in one folder: a key of a ConfigMap has no `/`.

    Parameters of the workflow become variables with their defaults: manifests are the same for every run. Without the
    orchestrator where the workflow itself moves the messages. `first` are the nodes that run to completion before the
    others, in order.
    """
    fixed = {name: text(value) for name, value in chosen.parameters.items()}
    told = msgspec.structs.replace(options, environment={**options.environment, **fixed})
    made = generator.generate(solution, told, assets, deployer="kubernetes-client").files
    files = {path.replace("/", "."): content for path, content in made.items() if path.startswith(_MANIFESTS)}
    # Graphene's probe reads the same ConfigMaps as the orchestrator.
    is_probed = any(node.role is Role.PROBE for node in solution.nodes)
    left_out = () if orchestrated else (*_ORCHESTRATOR, *(() if is_probed else _PIPELINE))
    own = {f"deployments.{node.node.name}_{kind}.yaml": node for node in nodes for kind in ("deployment", "job")}
    own |= {f"deployments.{kind}.yaml": nodes[0] for kind in ("deployment", "job") if not solution.is_pipeline}
    turn_of = {name: turn for turn, name in enumerate(first, start=1)}
    return {
        name: _with_own(content, own[name], turn_of.get(own[name].node.name)) if name in own else content
        for name, content in files.items()
        if not name.startswith(left_out)
    }


def _with_own(content: bytes, node: NodePlan, turn: int | None) -> bytes:
    """Return the manifest of a node with what only workflows know: its command, variables from Secrets, a job's turn."""
    if not (node.command or node.secrets or turn):
        return content
    manifest: dict[str, Any] = yaml.load(content, Loader=yaml.CSafeLoader)
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container |= {"command": list(node.command), "args": list(node.args)} if node.command else {}
    secrets = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret.secret, "key": secret.key}}}
        for name, secret in node.secrets.items()
    ]
    if secrets:
        container["env"] = [*container.get("env", ()), *secrets]
    return yamldump.dump(turns.annotated(manifest, turn) if turn else manifest)


def named(stem: str, files: Mapping[str, bytes]) -> str:
    """Return what the names of ConfigMaps with this content begin with."""
    return f"{stem}-{configuration.digest(files).partition(':')[2][:_DIGEST_DIGITS]}"


def maps(name: str, files: Mapping[str, bytes]) -> tuple[tuple[str, Data], ...]:
    """Return name and data of as few ConfigMaps as hold the files."""
    if not files:
        return ()
    return tuple((f"{name}-{number}", data) for number, data in enumerate(pieces.split(files), start=1))


def text_map(stem: str, held: Mapping[str, str]) -> tuple[str, Data]:
    """Return name and data of the ConfigMap with the variables of a node that cannot stand inline."""
    data = {name: value.encode("utf-8", "surrogatepass") for name, value in held.items()}
    return f"{named(stem, data)}-variables", data


def findings(solution: Solution) -> Iterator[Finding]:
    """Yield an error for each path that no workflow can hold: it has to stand inline."""
    for folder in solution.shared_folders:
        if texts.is_live(folder.mount_path):
            yield error(
                "mount-path-live",
                "$.nodes",
                expected="a mount path without '{{', which workflow engines take for their own syntax",
                found=quoted(folder.mount_path),
                hint="call the folder otherwise, or use a deployer that emits no workflow",
            )
