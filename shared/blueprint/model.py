"""A model: one node, known by name and image alone. Its operations stand in its proto only."""

from __future__ import annotations

from shared import naming
from shared.blueprint import folders, header, images, protos
from shared.blueprint.collector import Collector
from shared.findings import quoted
from shared.solution import Node, Role, Solution, SolutionFiles

UNNAMED = "model"


def read(files: SolutionFiles, image: str, findings: Collector) -> Solution:
    """Return the solution with its one node, or without an image where that is an error."""
    container_name = header.known_name(files.name, findings)
    if not container_name:
        findings.warning("name-missing", "name", expected="the name of the model", found="nothing")
        container_name = UNNAMED
    name = naming.node_names([container_name])[0]
    if name != container_name:
        findings.note(
            "container-renamed", "name", expected=f"a name such as {quoted(name)}", found=quoted(container_name)
        )
    wanted = protos.Wanted(name, container_name, "microservice", is_optional=False)
    node = Node(
        name=name,
        container_name=container_name,
        role=Role.WORKLOAD,
        node_type="MLModel",
        image=images.check(image, "image", findings),
        proto_uri="",
        operations=(),
    )
    return Solution(
        name=container_name,
        version=files.version,
        is_pipeline=False,
        nodes=(node,),
        shared_folders=folders.find([], files.shared_folder_paths, findings).shared,
        protos=protos.match_model(wanted, files.protos, findings),
        ids=files.ids,
        attachments=files.attachments,
    )
