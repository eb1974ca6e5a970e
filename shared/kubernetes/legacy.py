"""What Graphene's generators and scripts leave in manifests → what means the same and works on any cluster.

Known are the hostPath folders for logs and data, node ports written into files by an earlier run (together with the
Service ports that follow them), the pull secret of one marketplace, the empty storage class, and the Jupyter pod that
comes with every model. Each change is a finding; everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.findings import Finding, Findings, quoted, warning
from shared.kubernetes.networking import WEB_UI_PORT_NAME
from shared.kubernetes.orchestrator import PORT_NAME as ORCHESTRATOR_PORT_NAME
from shared.solution import GRPC_PORT, SERVICE_PORT, WEB_UI_PORT

Manifest = Mapping[str, Any]

_HOST_FOLDERS = "/var/acumos/"
_PULL_SECRET = "acumos-registry"  # noqa: S105 - the name of a Secret
_JUPYTER_IMAGE = "jupyter-connect"
_PORTS = {ORCHESTRATOR_PORT_NAME: GRPC_PORT, WEB_UI_PORT_NAME: WEB_UI_PORT}


def normalise(manifests: Sequence[Manifest]) -> tuple[list[dict[str, Any]], Findings]:
    """Return changed copies of the manifests, in order, and a finding for each change."""
    dropped = {app for manifest in manifests if (app := _jupyter_app(manifest))}
    made: list[dict[str, Any]] = []
    findings = [_jupyter_left_out(app) for app in sorted(dropped)]
    for manifest in manifests:
        if _app(manifest) in dropped:
            continue
        changed, changes = _changed(manifest)
        made.append(changed)
        findings.extend(changes)
    return made, Findings() + findings


def _changed(manifest: Manifest) -> tuple[dict[str, Any], list[Finding]]:
    spec = manifest.get("spec")
    change = _CHANGES.get(str(manifest.get("kind")))
    if change is None or not isinstance(spec, dict):
        return dict(manifest), []
    changed, findings = change(spec, _place(manifest))
    return {**manifest, "spec": changed}, findings


def _workload(spec: Manifest, place: str) -> tuple[dict[str, Any], list[Finding]]:
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, dict) else None
    if not isinstance(template, dict) or not isinstance(pod, dict):
        return dict(spec), []
    changed, findings = dict(pod), []
    volumes = _objects(pod.get("volumes"))
    hosts = [volume for volume in volumes if _is_host_folder(volume)]
    if hosts:
        changed["volumes"] = [{"name": v.get("name"), "emptyDir": {}} if v in hosts else v for v in volumes]
        findings += [_host_folder_replaced(place, volume) for volume in hosts]
    secrets = _objects(pod.get("imagePullSecrets"))
    others = [secret for secret in secrets if secret.get("name") != _PULL_SECRET]
    if len(others) < len(secrets):
        changed.pop("imagePullSecrets")
        changed |= {"imagePullSecrets": others} if others else {}
        findings.append(_pull_secret_left_out(place))
    return {**spec, "template": {**template, "spec": changed}}, findings


def _service(spec: Manifest, place: str) -> tuple[dict[str, Any], list[Finding]]:
    ports = _objects(spec.get("ports"))
    fixed = [port for port in ports if "nodePort" in port]
    if not fixed:
        return dict(spec), []
    restored = [_restored(port) if port in fixed else port for port in ports]
    return {**spec, "ports": restored}, [_node_port_left_out(place, port) for port in fixed]


def _restored(port: Manifest) -> dict[str, Any]:
    """Return the port without its node port; where the script made both equal, the Service's own is put back."""
    kept = {key: value for key, value in port.items() if key != "nodePort"}
    if port.get("port") == port["nodePort"]:
        kept["port"] = _PORTS.get(str(port.get("name")), SERVICE_PORT)
    return kept


def _claim(spec: Manifest, place: str) -> tuple[dict[str, Any], list[Finding]]:
    if spec.get("storageClassName", "set") not in (None, ""):
        return dict(spec), []
    changed = {key: value for key, value in spec.items() if key != "storageClassName"}
    return changed, [
        warning(
            "legacy-storage-class",
            f"{place}.spec.storageClassName",
            expected="the name of a storage class, or none for the cluster's default",
            found="an empty one: the default is used",
        )
    ]


_CHANGES: Mapping[str, Callable[[Manifest, str], tuple[dict[str, Any], list[Finding]]]] = {
    "Deployment": _workload,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
}


def _jupyter_app(manifest: Manifest) -> str | None:
    """Return the app of a Jupyter pod's Deployment."""
    template = _object(_object(manifest.get("spec")).get("template"))
    containers = _objects(_object(template.get("spec")).get("containers"))
    images = (str(container.get("image")) for container in containers)
    return _app(manifest) if any(_JUPYTER_IMAGE in image.rpartition("/")[2] for image in images) else None


def _app(manifest: Manifest) -> str | None:
    """Return what a Deployment runs or a Service leads to, by Graphene's label `app`."""
    spec = _object(manifest.get("spec"))
    selector = _object(spec.get("selector"))
    app = _object(selector.get("matchLabels", selector)).get("app")
    return app if isinstance(app, str) else None


def _is_host_folder(volume: Manifest) -> bool:
    return str(_object(volume.get("hostPath")).get("path")).startswith(_HOST_FOLDERS)


def _place(manifest: Manifest) -> str:
    return f"{manifest.get('kind')}/{_object(manifest.get('metadata')).get('name')}"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _host_folder_replaced(place: str, volume: Manifest) -> Finding:
    found = f"the folder {quoted(volume['hostPath']['path'])} of the machine: replaced by an empty one"
    return warning(
        "legacy-host-path", f"{place}.spec.template.spec.volumes", expected="no folder of the machine", found=found
    )


def _pull_secret_left_out(place: str) -> Finding:
    return warning(
        "legacy-pull-secret",
        f"{place}.spec.template.spec.imagePullSecrets",
        expected="a pull secret of the namespace",
        found=f"{_PULL_SECRET}, a secret of one marketplace: left out",
        hint="option imagePullSecrets names your own",
    )


def _node_port_left_out(place: str, port: Manifest) -> Finding:
    return warning(
        "legacy-node-port",
        f"{place}.spec.ports",
        expected="no fixed node port",
        found=f"{quoted(port['nodePort'])}, free on one cluster only: left out",
    )


def _jupyter_left_out(app: str) -> Finding:
    return warning(
        "legacy-jupyter",
        f"Deployment/{app}",
        expected="what the solution consists of",
        found="the Jupyter pod that Graphene adds to a model: left out",
    )
