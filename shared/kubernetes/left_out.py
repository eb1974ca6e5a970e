"""What the workloads of a Graphene zip say beyond what a bundle is built from, and the option that says it again.

Graphene's script and its users change manifests in place. A bundle is built from the blueprint and the options, so that
such changes would be lost without a word. What Graphene itself writes into every manifest is none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared import image
from shared.findings import Finding, note, quoted, warning
from shared.solution import ORCHESTRATOR

Images = Mapping[str, tuple[str, str]]
"""Name of a workload, folded → the node's name and image in the blueprint."""

_FOLDER_VARIABLE = "SHARED_FOLDER_PATH"
_OF_EACH = "nodes.{}."
_OF_ALL_ALONE = frozenset({"imagePullPolicy", "imagePullSecrets", "nodeSelector", "tolerations"})


def findings(manifests: Sequence[Mapping[str, Any]], images: Images | None) -> list[Finding]:
    """Return a warning for each workload that says more, and one note when the script has set the pull policy.

    Args:
        manifests: after `legacy.normalise`; every scalar may be a text.
        images: of the nodes of a pipeline; None for a model, whose image is the one in its manifest.
    """
    found: list[Finding] = []
    is_always = False
    for manifest in manifests:
        if manifest.get("kind") != "Deployment":
            continue
        name = _text(_object(manifest.get("metadata")).get("name"))
        owner = _owner(name, images)
        if owner is None:
            continue
        spec = _object(manifest.get("spec"))
        pod = _object(_object(spec.get("template")).get("spec"))
        extras = dict(_extras(spec, pod))
        if name == ORCHESTRATOR and images is not None:
            extras.pop("replicas", None)  # it is always one: two would run the pipeline twice
        other_image = _other_image(pod, images.get(name.casefold()) if images else None)
        is_always = is_always or any(_policy(each) == "Always" for each in _containers(pod))
        if extras or other_image:
            found.append(_left_out(name, owner, extras, other_image))
    return [*found, *([_always_left_out()] if is_always else [])]


def _owner(name: str, images: Images | None) -> str | None:
    """Return what the options of a workload begin with; None for what no option is about, such as the probe."""
    if images is None:
        return ""
    if name == ORCHESTRATOR:
        return f"{ORCHESTRATOR}."
    node = images.get(name.casefold())
    return _OF_EACH.format(quoted(node[0]).strip('"')) if node else None


def _extras(spec: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each option that would say it, and what was found."""
    containers = _containers(pod)
    variables = [_text(each.get("name")) for one in containers for each in _objects(one.get("env"))]
    added = [variable for variable in variables if not variable.startswith(_FOLDER_VARIABLE)]
    if added:
        yield "environment", quoted(added)
    if spec.get("replicas") not in (None, "", 1, "1"):
        yield "replicas", quoted(spec["replicas"])
    amounts = [_object(one.get("resources")) for one in containers]
    if any(any(part.values()) for part in amounts):
        yield "resources", quoted(next(part for part in amounts if any(part.values())))
    policies = {policy for one in containers if (policy := _policy(one)) not in {"", "Always", "IfNotPresent"}}
    if policies:
        yield "imagePullPolicy", quoted(min(policies))
    secrets = [_text(each.get("name")) for each in _objects(pod.get("imagePullSecrets"))]
    if secrets:
        yield "imagePullSecrets", quoted(secrets)
    for key in ("nodeSelector", "tolerations"):
        if pod.get(key):
            yield key, quoted(pod[key])


def _other_image(pod: Mapping[str, Any], node: tuple[str, str] | None) -> str:
    """Return the image of the manifest where it is another one than the blueprint's."""
    given = [_text(one.get("image")) for one in _containers(pod)]
    if node is None or not any(given) or _same(node[1]) in map(_same, given):
        return ""
    return given[0]


def _same(reference: str) -> object:
    """Return what two spellings of one image have in common."""
    mended = image.mend(reference)
    try:
        return image.parse(mended)
    except ValueError:
        return mended


def _left_out(name: str, owner: str, extras: Mapping[str, str], other_image: str) -> Finding:
    found = [f"{key} {value}" for key, value in extras.items()]
    hints = []
    if extras:
        of_all = _OF_ALL_ALONE if owner == f"{ORCHESTRATOR}." else frozenset()
        options = ", ".join(key if key in of_all else f"{owner}{key}" for key in extras)
        hints.append(f"to carry it over, set {options}")
    if other_image:
        found.append(f"image {quoted(other_image)}")
        hints.append("the image is the blueprint's: change it there")
    return warning(
        "legacy-left-out",
        f"Deployment/{name}",
        expected="what the blueprint and the options say",
        found=f"{', '.join(found)}: left out",
        hint="; ".join(hints),
    )


def _always_left_out() -> Finding:
    return note(
        "legacy-pull-policy",
        "deployments/",
        expected="imagePullPolicy as the options say",
        found="Always, which Graphene's script sets: left out",
        hint="option imagePullPolicy",
    )


def _policy(container: Mapping[str, Any]) -> str:
    return _text(container.get("imagePullPolicy"))


def _containers(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _objects(pod.get("containers"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
