"""Decides once, before any object is built, what a bundle contains; and finds what it cannot contain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared import naming
from shared.deployer import Images
from shared.findings import Finding, Findings, quoted, warning
from shared.kubernetes import labels, orchestrator, probe, volumes
from shared.kubernetes.choices import Choice, choose, choose_for_orchestrator, choose_for_probe
from shared.kubernetes.labels import Identity
from shared.kubernetes.options import Options
from shared.solution import Role, Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Graphene's probe as the bundle has it."""

    name: str
    choice: Choice
    image: str
    nginx: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the builders of objects need to know."""

    solution: Solution
    options: Options
    identity: Identity
    choices: Mapping[str, Choice]
    """By the name of each workload."""
    orchestrator: Choice
    orchestrator_image: str
    preparation: Mapping[str, Any] | None
    """The init container that makes shared folders writable; None where there is nothing to prepare."""
    probe: Probe | None
    """Graphene's probe, where the bundle has one."""
    protos: Mapping[str, bytes]
    """File name → text, of all protos whose names can be files of a bundle and keys of a ConfigMap."""
    findings: Findings

    @property
    def component(self) -> str:
        """What the nodes are: nodes of a pipeline, or a model that everybody may call."""
        return labels.NODE if self.solution.is_pipeline else labels.MODEL

    @property
    def account(self) -> str | None:
        """Name of the ServiceAccount of the pods; None: the namespace's default, whose token they do not get."""
        return self.identity.instance if self.options.profile == "restricted" else None

    @property
    def collector(self) -> str | None:
        """Where the orchestrator sends its traces; None: it makes none."""
        return self.options.orchestrator.trace_collector or None


def make(solution: Solution, options: Options, images: Images) -> Plan:
    """Return the plan.

    Raises:
        InvalidOptionsError: the options do not fit the solution.
    """
    protos, proto_findings = _usable_protos(solution)
    found, probe_findings = _probe(solution, options, images)
    image = images.orchestrator or orchestrator.DEFAULT_IMAGE
    return Plan(
        solution=solution,
        options=options,
        identity=Identity.of(solution),
        choices=choose(solution, options),
        orchestrator=choose_for_orchestrator(solution, options),
        orchestrator_image=image,
        preparation=_preparation(solution, options, image),
        probe=found,
        protos=protos,
        findings=Findings()
        + _image_findings(solution, options, images)
        + _folder_findings(solution, options)
        + probe_findings
        + proto_findings,
    )


def _prepares(solution: Solution, options: Options) -> bool:
    wanted = options.shared_folder.prepare == "auto" and options.profile != "restricted"
    return wanted and bool(solution.shared_folders)


def _preparation(solution: Solution, options: Options, image: str) -> dict[str, Any] | None:
    if not _prepares(solution, options):
        return None
    return volumes.preparation(solution.shared_folders, image=image, pull_policy=options.image_pull_policy)


def _image_findings(solution: Solution, options: Options, images: Images) -> Iterator[Finding]:
    if images.orchestrator is None and (solution.is_pipeline or _prepares(solution, options)):
        yield warning(
            "orchestrator-image-missing",
            "settings",
            expected="the operator's setting for the orchestrator's image",
            found=f"none: the bundle names {orchestrator.DEFAULT_IMAGE}",
            hint="push the image that `make images` builds to a registry of the cluster, and set its reference",
        )


def _folder_findings(solution: Solution, options: Options) -> Iterator[Finding]:
    if solution.shared_folders and options.profile == "restricted" and options.shared_folder.prepare == "auto":
        yield warning(
            "shared-folder-not-prepared",
            "$.nodes",
            expected="shared folders made writable before the nodes start",
            found="profile restricted, which allows no container that runs as root",
            hint=f"use a storage class whose volumes are writable for group {volumes.SHARED_GROUP} (fsGroup)",
        )


def _probe(solution: Solution, options: Options, images: Images) -> tuple[Probe | None, list[Finding]]:
    """Return the probe, or why the bundle lacks the probe that the author asked for."""
    own = next((node.name for node in solution.nodes if node.role is Role.PROBE), None)
    if not solution.is_pipeline or not (own or solution.probe):
        return None, []
    taken = {node.name for node in solution.nodes if node.role is not Role.PROBE}
    if not images.probe or not images.nginx:
        missing = "no image configured for it" if not images.probe else "no image configured for its nginx"
        return None, [_left_out(own, missing, "the operator can set both images")]
    if options.profile == "restricted":
        return None, [_left_out(own, "profile restricted: its nginx runs as root", "use profile default")]
    if own is None and probe.NAME in taken:
        return None, [_left_out(own, f"a node that is called {probe.NAME} itself", "rename that node")]
    name = own or probe.NAME
    return Probe(name=name, choice=choose_for_probe(options), image=images.probe, nginx=images.nginx), []


def _left_out(name: str | None, found: str, hint: str) -> Finding:
    path = "$.nodes" if name else "$.probeIndicator"
    return warning("probe-left-out", path, expected="the probe", found=found, hint=hint)


def _usable_protos(solution: Solution) -> tuple[dict[str, bytes], list[Finding]]:
    """Return the protos by file name; names that differ only in case overwrite each other on some file systems."""
    files: dict[str, bytes] = {}
    findings = []
    seen: set[str] = set()
    nodes = {node.name for node in solution.nodes}
    for stem, content in sorted(solution.protos.items(), key=lambda proto: (proto[0] not in nodes, proto[0])):
        name = f"{stem}.proto"
        if not naming.is_config_key(name) or name.casefold() in seen:
            findings.append(
                warning(
                    "proto-left-out",
                    "microservice",
                    expected="a file name of letters, digits, '-', '_' and '.', once regardless of case",
                    found=quoted(name),
                    hint="rename the file and what imports it",
                )
            )
            continue
        seen.add(name.casefold())
        files[name] = content
    return files, findings
