"""What tests know about the recorded solutions, solutions made for tests, and a persistence on either."""

from __future__ import annotations

import json

from support.cds_server import PASSWORD, USER, CdsServer

from shared.outbound import Limits, Upstream
from shared.persistence.access import Access
from shared.persistence.acumos import AcumosPersistence
from shared.principal import Principal
from shared.settings import Secret
from shared.solution import Ids

SUDOKU = Ids.parse("00aff3ab-94cb-4969-93c3-a95be53c05d2", "2f7c7ef1-262c-4a73-8393-aef1ded7cad3")
NEWS_TRAINING = Ids.parse("b979dabb-b461-47ae-8459-37b3f4be8851", "efe8ef3d-0d79-4347-abd7-c675411e9b50")
ENTITY_RECOGNIZER = Ids.parse("e3794e16-0225-4bf1-a99c-b99638a22232", "7220ac2a-a908-46df-a58d-bad87bbbad23")

SUDOKU_OWNER = Principal("sudoku@example.org", user_id="f0e94d3e-a3f2-4df8-8c78-d4b3fb753525")
NEWS_OWNER = Principal("news@example.org", user_id="d9e01c89-520f-42ef-8d83-00bf2cbf13ba")
ENTITY_OWNER = Principal("ner@example.org", user_id="6d000a76-a811-4182-9992-5328661f4933")
STRANGER = Principal("stranger@example.org", user_id="00000000-1111-2222-3333-444444444444")

ENTITY_PROTO_PATH = (
    "/nexus/org/acumos/e3794e16-0225-4bf1-a99c-b99638a22232/entityrecognizer/1.0.2/entityrecognizer-1.0.2.proto"
)
MADE_ENTITY_PROTO = b"""// Made for tests: the recordings lack the body of this artifact.
syntax = "proto3";

message Text {
  string text = 1;
}

message Entities {
  repeated string names = 1;
}

service EntityRecognizer {
  rpc recognize(Text) returns (Entities);
}
"""

IMPATIENT = Limits(first_pause=0.01)


def open_acumos(server: CdsServer, *, access: Access = "check", limits: Limits = IMPATIENT) -> AcumosPersistence:
    """Return a persistence on the server; the caller closes it."""
    return open_acumos_at(server.url, access=access, limits=limits)


def open_acumos_at(url: str, *, access: Access = "check", limits: Limits = IMPATIENT) -> AcumosPersistence:
    """Return a persistence on the server at `url`, which may be another process's; the caller closes it."""
    credentials = (USER, Secret(PASSWORD))
    cds = Upstream("cds", f"{url}/ccds", credentials=credentials, limits=limits)
    nexus = Upstream("nexus", f"{url}/nexus", credentials=credentials, limits=limits)
    return AcumosPersistence(cds, nexus, access=access)


def blueprint(*proto_uris: str) -> bytes:
    """Return the blueprint of a chain with one node for each proto."""
    nodes = [
        {
            "container_name": f"node{index}",
            "node_type": "MLModel",
            "image": f"registry.example.org/node:{index}",
            "proto_uri": uri,
            "operation_signature_list": [],
        }
        for index, uri in enumerate(proto_uris)
    ]
    return json.dumps({"name": "chain", "version": "1", "nodes": nodes}).encode()


def publish_pipeline(server: CdsServer, ids: Ids, *proto_uris: str, owner: str = "") -> None:
    """Publish a pipeline with one node for each proto; those whose uri is a plain path exist."""
    uri = f"org/acumos/{ids.solution_id}/{ids.revision_id}/BLUEPRINT/1/BLUEPRINT-1.json"
    server.publish(ids.solution_id, ids.revision_id, [("BP", "BluePrint", uri)], name="a chain", owner=owner)
    server.add(f"/nexus/{uri}", blueprint(*proto_uris), content_type="application/json")
    for proto_uri in proto_uris:
        if proto_uri.startswith("org/"):
            server.add(f"/nexus/{proto_uri}", f"// {proto_uri}".encode())
