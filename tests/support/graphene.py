"""What Graphene's finishing script and playground do with an unpacked bundle, as far as files show it.

Our own rendering of the behaviour that its public sources show; nothing is applied anywhere. Node ports are counted up
as a cluster might allot them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

WEB_UI_PORT = 8062
_FIRST_NODE_PORT = 31000


@dataclass
class Script:
    """One run of the script: `files` are changed in place, as it does; `applied` is what kubectl got, in order."""

    files: dict[str, bytes]
    pull_policy: str = "Always"
    applied: list[dict[str, Any]] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Apply what is in `deployments/`, then write the node ports into `dockerinfo.json`."""
        for path in deployment_files(self.files):
            if path.endswith("webui.yaml"):
                continue
            manifest = self._read(path)
            if manifest["kind"] == "Service":
                self._apply_service(self._web_ui(path, manifest))
                self._apply_service(path)
            else:
                self._apply_other(path, manifest)
        if "dockerinfo.json" in self.files:
            self._rewrite_dockerinfo()

    def _web_ui(self, path: str, manifest: dict[str, Any]) -> str:
        manifest["metadata"]["name"] += "webui"
        manifest["spec"]["ports"][0] |= {"name": "webui", "targetPort": WEB_UI_PORT}
        derived = path.removesuffix(".yaml") + "_webui.yaml"
        self._write(derived, manifest)
        return derived

    def _apply_service(self, path: str) -> None:
        manifest = self._read(path)
        node_port = _FIRST_NODE_PORT + len(self.ports)
        manifest["spec"]["ports"][0] |= {"nodePort": node_port, "port": node_port}
        self.ports[manifest["metadata"]["name"]] = node_port
        self._write(path, manifest)
        self.applied.append(manifest)

    def _apply_other(self, path: str, manifest: dict[str, Any]) -> None:
        pod = manifest.get("spec", {}).get("template", {}).get("spec")
        for container in pod["containers"] if pod else ():
            container["imagePullPolicy"] = self.pull_policy
            container.setdefault("env", []).append({"name": "ADDED", "value": "by a rule"})
        self._write(path, manifest)
        self.applied.append(manifest)

    def _rewrite_dockerinfo(self) -> None:
        document = json.loads(self.files["dockerinfo.json"])
        for entry in document["docker_info_list"]:
            entry["container_name"] = entry["container_name"].lower()
            entry["ip_address"] = entry["ip_address"].lower()
            entry["port"] = self.ports[entry["container_name"]]
        self.files["dockerinfo.json"] = json.dumps(document).encode()

    def _read(self, path: str) -> dict[str, Any]:
        return load(self.files[path])

    def _write(self, path: str, manifest: dict[str, Any]) -> None:
        self.files[path] = yaml.dump(manifest, Dumper=yaml.CSafeDumper).encode()


def load(data: bytes) -> dict[str, Any]:
    """Read one manifest, as the script does."""
    manifest: dict[str, Any] = yaml.load(data, Loader=yaml.CSafeLoader)
    return manifest


def deployment_files(files: Mapping[str, bytes]) -> list[str]:
    """Return what the tools look at: the YAML files directly in `deployments/`."""
    return [path for path in files if path.startswith("deployments/") and path.endswith(".yaml")]


def is_model(files: Mapping[str, bytes]) -> bool:
    """Tell what the playground takes the bundle for."""
    return len(deployment_files(files)) < 5


def pulled_images(files: Mapping[str, bytes]) -> list[str]:
    """Return what the playground passes to `docker pull`: one image for each file of a Deployment."""
    images = []
    for path in deployment_files(files):
        if path.endswith("deployment.yaml"):
            words = files[path].decode().split(" ")
            (image,) = shlex.split(words[words.index("image:") + 1].rstrip("\n"))
            images.append(image)
    return images


def shared_folder_path(files: Mapping[str, bytes]) -> str | None:
    """Return the folder that the playground shows, as the first container of some workload knows it."""
    for path in deployment_files(files):
        template = load(files[path]).get("spec", {}).get("template", {})
        for variable in template.get("spec", {}).get("containers", [{}])[0].get("env", []):
            if variable["name"] == "SHARED_FOLDER_PATH":
                return str(variable["value"])
    return None
