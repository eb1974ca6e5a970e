"""Execution data: what ran, as Graphene writes it, to download or to send back to the marketplace it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
import requests
import structlog
from flask import Blueprint, Response, jsonify, request

from playground.runtime.deployment import Deployment
from playground.server import actions
from playground.server.callers import Who
from playground.server.desk import Desk
from shared import blueprint, fault, json_text, solution_folder
from shared.deadline import Deadline
from shared.deadline_adapter import DeadlineAdapter, obeying
from shared.errors import ForbiddenError, InvalidSolutionError, NotFoundError
from shared.findings import Findings, error
from shared.json_text import JsonTextError
from shared.origin import ForeignUriError, Origin

log = structlog.get_logger(__name__)

TYPE = "execution-run/v1"
SYSTEM = "source system"
SEND_SECONDS = 15.0
MAX_BLUEPRINT_BYTES = 4 << 20
_PATH = "set_execution_run_data"
_Word = Annotated[str, msgspec.Meta(max_length=500)]


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `execution-data`; the names are those of the marketplace's API."""

    full_id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] = msgspec.field(name="fullId")
    origin: _Word = ""
    api_token: _Word = msgspec.field(name="apiToken", default="")


class SourceSystems:
    """The marketplaces that execution data may be sent to: where a bundle says that it comes from decides nothing."""

    def __init__(self, origins: Sequence[Origin], *, ca_file: Path | None) -> None:
        """Prepare; nothing is sent yet.

        Args:
            origins: base URLs that the operator allows.
            ca_file: authorities (PEM) that may vouch for them, in place of the public ones.
        """
        self._origins = tuple(origins)
        self._verify: str | bool = str(ca_file) if ca_file else True
        self._adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=4)

    def send(self, url: str, document: bytes, upload: Upload) -> None:
        """Send execution data once, to `url` as a bundle has it.

        Raises:
            ForbiddenError: no allowed marketplace has that URL; nothing was sent.
            UpstreamError: it did not take the data; UpstreamTimeoutError past the deadline.
        """
        query = {"fullId": upload.full_id, "origin": upload.origin, "apiToken": upload.api_token}
        target = f"{self._allowed(url).rstrip('/')}/{_PATH}?{urlencode(query)}"
        headers = {"Content-Type": "application/json", "User-Agent": "slipway", "Accept-Encoding": "identity"}
        prepared = requests.Request("POST", target, headers=headers, data=document).prepare()
        deadline = Deadline.after(SEND_SECONDS)
        try:
            with (
                obeying(deadline),
                self._adapter.send(
                    prepared, stream=True, timeout=(3.0, deadline.remaining), verify=self._verify
                ) as answer,
            ):
                status = answer.status_code
        except fault.HTTP_PROBLEMS as problem:
            raise fault.of_exception(problem).error(SYSTEM) from problem
        if not 200 <= status < 300:  # noqa: PLR2004 - the successes of HTTP
            raise fault.of_status(status, None).error(SYSTEM)

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()

    def _allowed(self, url: str) -> str:
        # A base URL of ours ends with a slash, one in a bundle mostly does not.
        for origin, given in product(self._origins, (f"{url.rstrip('/')}/", url)):
            try:
                if "://" in given:
                    return origin.resolve(given)
            except ForeignUriError:
                continue
        raise ForbiddenError("the operator of this playground does not allow sending data to that source system")


def register(part: Blueprint, desk: Desk, who: Who, systems: SourceSystems, *, name: str) -> None:
    """Add the routes to `part`; `name` is what the playground calls itself in the data."""

    @part.get("/deployments/<deployment_id>/execution_run.json")
    def download(deployment_id: str) -> Response:
        found = desk.deployment(deployment_id, who().principal)
        document = execution_run(found, desk.runtime.files(found.id), name=name)
        response = Response(json.dumps(document, indent=2) + "\n", content_type="application/json")
        response.headers["Content-Disposition"] = 'attachment; filename="execution_run.json"'
        return response

    @part.post("/deployments/<deployment_id>/execution-data")
    def send(deployment_id: str) -> Response:
        principal = who().principal
        upload = actions.read(request, Upload)
        found = desk.changed(deployment_id, principal)
        files = desk.runtime.files(found.id)
        document = json.dumps(execution_run(found, files, name=name)).encode()
        url = _line(files.get(solution_folder.SOURCE_URL, b""))
        if not url:
            raise NotFoundError("the bundle does not say which marketplace it comes from")
        systems.send(url, document, upload)
        log.info("execution_data_sent", deployment=found.id)
        return jsonify(sent=True)


def execution_run(found: Deployment, files: Mapping[str, bytes], *, name: str) -> dict[str, Any]:
    """Return the blueprint with a `checksum` (the image that runs) for each node, what it ran on, and the type.

    Raises:
        NotFoundError: a model has no blueprint.
        InvalidSolutionError: the blueprint cannot be read.
    """
    document = _blueprint(files)
    parsed = blueprint.parse(solution_folder.from_files(files)).solution
    names = {node.container_name: node.name for node in parsed.nodes} if parsed else {}
    running = {node.name: node.image_id or _digest(node.image) for node in found.nodes}
    nodes = [
        {**node, "checksum": running.get(names.get(str(node.get("container_name")), ""), "")}
        for node in document.get("nodes", [])
        if isinstance(node, dict)
    ]
    # What is not known is empty: a cluster has many machines, and which of them has run something is not kept.
    system = {"system_name": name, "fqdn": "", "cpu": "", "gpu": "", "memory": ""}
    return {**document, "nodes": nodes, "system_info": system, "type": TYPE}


def _blueprint(files: Mapping[str, bytes]) -> dict[str, Any]:
    if solution_folder.BLUEPRINT not in files:
        raise NotFoundError("a model has no blueprint, and so no execution data")
    try:
        document = json_text.examine(files[solution_folder.BLUEPRINT], max_bytes=MAX_BLUEPRINT_BYTES).value
    except JsonTextError as problem:
        found = problem.fault
        finding = error(found.code, found.path, expected=found.expected, found=found.found)
        raise InvalidSolutionError(Findings((finding,))) from problem
    nodes = document.get("nodes") if isinstance(document, dict) else None
    if not isinstance(nodes, list):
        finding = error("blueprint-nodes", "$.nodes", expected="a list", found="something else")
        raise InvalidSolutionError(Findings((finding,)))
    return dict(document)


def _digest(image: str) -> str:
    return image.partition("@")[2]


def _line(data: bytes) -> str:
    lines = data.decode("utf-8-sig", errors="replace").strip().splitlines()
    return lines[0].strip() if lines else ""
