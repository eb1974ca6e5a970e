"""A bundle in, the objects that may run here out: pure. Nothing passes that is not listed, nothing changes unsaid.

Objects keep what `fields` lists; the namespace is whichever we write to; images come from registries that the operator
allows; pods get no token of the cluster, no Secret and no folder of the machine. What Graphene's bundles are known to
hold is put right, with a finding; everything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from playground.runtime.kubernetes import fields, isolation, pod_rules, reading
from playground.runtime.kubernetes.isolation import Borders
from playground.runtime.kubernetes.reading import Read
from shared import image, naming
from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, error, note, quoted, warning
from shared.finishing.objects import INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER, SOLUTION_LABEL
from shared.kubernetes import legacy
from shared.solution import Ids

Manifest: TypeAlias = dict[str, Any]

MOST_REFUSALS = 50  # told at once
_WORKLOADS = frozenset({"Deployment", "Job"})
_OWN_PREFIX = "slipway-"
"""Names that begin so are ours in every namespace."""
_OWN_ANNOTATIONS = "slipway.dev/"
_OF_OTHER_TOOLS = ("argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "kubectl.kubernetes.io/")
"""Annotations that every bundle has and that mean nothing here."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows."""

    registries: tuple[str, ...]
    """`registry.example.org`, or with the beginning of a path: `ghcr.io/example`."""
    node_ports: bool
    """Services may ask for ports of the machines; else all are within the cluster."""
    borders: Borders
    container_memory: str = "1Gi"
    """What a container may use that says nothing."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may run."""

    objects: tuple[Manifest, ...]
    """Without namespace; the labels by which the runtime finds them are not on them yet."""
    findings: Findings
    registries: frozenset[str]
    """Where the images come from."""

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of the claims."""
        return tuple(each["metadata"]["name"] for each in self.objects if each["kind"] == "PersistentVolumeClaim")

    @property
    def workloads(self) -> tuple[Manifest, ...]:
        """Deployments and Jobs."""
        return tuple(each for each in self.objects if each["kind"] in _WORKLOADS)


def admitted(files: Mapping[str, bytes], solution_name: str, ids: Ids | None, rules: Rules) -> Admitted:
    """Return what of a bundle's files may run.

    Raises:
        InvalidSolutionError: something is refused; with a finding for each.
    """
    read = reading.manifests(files)
    kept, findings = _kept(read)
    refused = list(_refusals(kept, rules))
    if refused:
        raise InvalidSolutionError(Findings(tuple(refused[:MOST_REFUSALS])))
    identity = _identity(solution_name, ids)
    made = [_made(each, rules, identity) for each in kept]
    return Admitted(
        objects=tuple(manifest for manifest, _ in made),
        findings=findings + [finding for _, told in made for finding in told] + list(_node_ports(kept, rules)),
        registries=frozenset(image.parse(text).registry for _, text in _images(kept)),
    )


def _kept(read: Sequence[Read]) -> tuple[list[Read], Findings]:
    """Return what is looked at further: Graphene's legacies put right, Ingresses left out."""
    kept: list[Read] = []
    findings: list[Finding] = []
    # One by one would lose the pairs that `normalise` sees, so the path travels within.
    marked = [{**each.manifest, "_path": each.path} for each in read]
    normal, told = legacy.normalise(marked)
    for manifest in normal:
        path = manifest.pop("_path")
        if manifest.get("kind") == "Ingress":
            expected = "web UIs that are reached through the playground"
            findings.append(warning("ingress-left-out", path, expected=expected, found=_title(manifest)))
        else:
            kept.append(Read(path, manifest))
    return kept, told + findings


def _refusals(kept: Sequence[Read], rules: Rules) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for each in kept:
        problems = list(_form_problems(each.manifest))
        if not problems:
            key = (each.manifest["kind"], each.manifest["metadata"]["name"])
            problems += ["an object of this kind and name twice"] if key in seen else []
            seen.add(key)
            problems += _value_problems(each.manifest)
        for problem in problems:
            yield error(
                "manifest-refused",
                each.path,
                expected="only kinds and fields that this playground runs",
                found=f"{_title(each.manifest)}: {problem}",
            )
        if not problems:
            yield from _image_refusals(each, rules)
    if not any(each.manifest.get("kind") in _WORKLOADS for each in kept):
        yield error("manifest-refused", "deployments/", expected="a Deployment or a Job", found="none")


def _form_problems(manifest: Manifest) -> Iterator[str]:
    """Yield what an object has that none may have."""
    version, kind = manifest.get("apiVersion"), manifest.get("kind")
    form = fields.KINDS.get((version, kind)) if isinstance(version, str) and isinstance(kind, str) else None
    if form is None:
        yield f"kind {quoted(kind)} of {quoted(version)}"
        return
    yield from (f"field {quoted(place)}" for place in fields.excess(manifest, form))
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not naming.is_config_key(name):
        yield "no name"
    elif name.startswith(_OWN_PREFIX):
        yield f"a name that begins with {_OWN_PREFIX}"
    if kind in _WORKLOADS and not isinstance(_pod(manifest), dict):
        yield "no pod"


def _value_problems(manifest: Manifest) -> list[str]:
    kind = manifest["kind"]
    if kind in _WORKLOADS:
        return list(pod_rules.problems(_pod(manifest) or {}))
    if kind == "Service":
        type_ = (manifest.get("spec") or {}).get("type", "ClusterIP")
        return [] if type_ in {"ClusterIP", "NodePort"} else [f"type {quoted(type_)}"]
    return []


def _image_refusals(each: Read, rules: Rules) -> Iterator[Finding]:
    for container, text in _images([each]):
        what = f"{quoted(text, limit=200)} of container {quoted(container)} in {_title(each.manifest)}"
        try:
            is_allowed = _is_allowed(image.parse(text), rules.registries)
            hint = "ask whoever runs the playground to allow its registry"
        except ValueError as problem:
            is_allowed, hint = False, str(problem)
        if not is_allowed:
            shown = ", ".join(rules.registries) or "none is allowed yet"
            yield error(
                "image-refused",
                each.path,
                expected=f"an image from a registry that is allowed here ({shown})",
                found=what,
                hint=hint,
            )


def _is_allowed(reference: image.Reference, registries: Sequence[str]) -> bool:
    name = f"{reference.registry}/{reference.path}"
    return any(name.startswith(f"{allowed}/") or name == allowed for allowed in registries)


def _images(kept: Sequence[Read]) -> Iterator[tuple[str, str]]:
    for each in kept:
        for container in pod_rules.containers(_pod(each.manifest) or {}):
            yield str(container.get("name")), str(container.get("image"))


def _made(each: Read, rules: Rules, identity: Mapping[str, str]) -> tuple[Manifest, list[Finding]]:
    """Return the object as it is applied, and what was changed."""
    findings: list[Finding] = []
    place = f"{each.path} {_title(each.manifest)}"
    metadata, told = _metadata(each.manifest["metadata"], identity, place)
    findings += told
    manifest = {**each.manifest, "metadata": metadata}
    kind = manifest["kind"]
    if kind in _WORKLOADS:
        template = manifest["spec"]["template"]
        template_metadata, told = _metadata(template.get("metadata") or {}, {}, place)
        pod, changes = pod_rules.made(template["spec"], place, memory=rules.container_memory)
        findings += [*told, *changes]
        template = {"metadata": {**template_metadata}, "spec": pod}
        manifest["spec"] = {**manifest["spec"], "template": template}
    elif kind == "Service" and not rules.node_ports and (manifest.get("spec") or {}).get("type") == "NodePort":
        manifest["spec"] = {**manifest["spec"], "type": "ClusterIP"}
    elif kind == "ServiceAccount":
        manifest["automountServiceAccountToken"] = False
    elif kind == "NetworkPolicy":
        manifest, narrowing = isolation.narrowed(manifest, rules.borders, place)
        findings += narrowing
    return manifest, findings


def _node_ports(kept: Sequence[Read], rules: Rules) -> Iterator[Finding]:
    """Yield one note for all Services together: every bundle has two for each node."""
    count = sum((each.manifest.get("spec") or {}).get("type") == "NodePort" for each in kept)
    if count and not rules.node_ports:
        found = f"type NodePort of {count} Services"
        yield note("node-port-left-out", "deployments/", expected="Services within the cluster", found=found)


def _identity(solution_name: str, ids: Ids | None) -> dict[str, str]:
    """Return the labels that pruning goes by, for bundles that do not set them themselves."""
    labels = {INSTANCE_LABEL: naming.instance(solution_name, ids.solution_id if ids else None)}
    solution = naming.label_value(ids.solution_id) if ids else None
    return labels | {MANAGED_BY_LABEL: MANAGER} | ({SOLUTION_LABEL: solution} if solution else {})


def _metadata(metadata: Manifest, identity: Mapping[str, str], place: str) -> tuple[Manifest, list[Finding]]:
    given = metadata.get("annotations") or {}
    kept = {key: str(value) for key, value in given.items() if key.startswith(_OWN_ANNOTATIONS)}
    lost = [key for key in given if key not in kept and not key.startswith(_OF_OTHER_TOOLS)]
    expected = "no annotations: some are commands to what runs in the cluster"
    findings = [warning("annotation-left-out", place, expected=expected, found=quoted(key)) for key in lost]
    labels = {**identity, **{key: str(value) for key, value in (metadata.get("labels") or {}).items()}}
    made: Manifest = {key: metadata[key] for key in ("name",) if key in metadata}
    made |= {"labels": labels} if labels else {}
    return made | ({"annotations": kept} if kept else {}), findings


def has_policies(objects: Sequence[Manifest]) -> bool:
    """Tell whether a bundle says itself who may speak with whom."""
    return any(each["kind"] == "NetworkPolicy" for each in objects)


def _pod(manifest: Manifest) -> Manifest | None:
    spec = manifest.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    pod = template.get("spec") if isinstance(template, dict) else None
    return pod if isinstance(pod, dict) else None


def _title(manifest: Manifest) -> str:
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{_word(manifest.get('kind'))}/{_word(name)}"


def _word(value: Any) -> str:
    return quoted(value if value is not None else "?").strip('"')
