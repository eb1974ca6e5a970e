"""The JSON objects of CDS, with every key that the real service sends; what the catalog does not know is null or zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.catalog import claims
from services.catalog.claims import SolutionClaim
from services.catalog.revision import Artifact, Revision
from shared.persistence.record import Record

PUBLIC_CATALOG = "public"
PUBLIC_ACCESS = "PB"
COMPOSITE = "CP"
MODEL = "MN"  # any code but CP; AI4EU uses it for a model of no special toolkit
EPOCH = "1970-01-01T00:00:00Z"  # for files that an operator has laid without saying when


def solution(records: Sequence[Record], newest: Revision, claim: SolutionClaim | None) -> dict[str, Any]:
    """Return MLPSolution for all revisions of a solution, the newest first."""
    return {
        "created": records[-1].created or EPOCH,
        "modified": records[0].created or EPOCH,
        "solutionId": records[0].ids.solution_id,
        "name": newest.name,
        "metadata": None,
        "active": True,
        "modelTypeCode": "PR",
        "toolkitTypeCode": COMPOSITE if newest.kind == "pipeline" else MODEL,
        "origin": newest.files.attachments.source_url,
        "viewCount": 0,
        "downloadCount": 0,
        "lastDownload": None,
        "ratingCount": 0,
        "ratingAverageTenths": 0,
        "featured": None,
        "userId": owner_id(claim),
        "sourceId": None,
        "tags": [],
    }


def revision(record: Record, version: str, claim: SolutionClaim | None) -> dict[str, Any]:
    """Return MLPSolutionRevision."""
    return {
        "created": record.created or EPOCH,
        "modified": record.created or EPOCH,
        "solutionId": record.ids.solution_id,
        "revisionId": record.ids.revision_id,
        "version": version,
        "metadata": None,
        "origin": None,
        "authors": [],
        "publisher": None,
        "sourceId": None,
        "userId": owner_id(claim),
        "onboarded": record.created or EPOCH,
        "verifiedLicense": None,
        "verifiedVulnerability": None,
    }


def artifact(record: Record, found: Artifact, version: str, claim: SolutionClaim | None) -> dict[str, Any]:
    """Return MLPArtifact; its id follows from its uri."""
    return {
        "created": record.created or EPOCH,
        "modified": record.created or EPOCH,
        "artifactId": claims.derived_id(f"{record.ids.solution_id}/{record.ids.revision_id}/{found.type_code}"),
        "version": version,
        "artifactTypeCode": found.type_code,
        "name": found.name,
        "description": found.description,
        "uri": found.uri,
        "size": found.size,
        "metadata": None,
        "userId": owner_id(claim),
    }


def public_catalog() -> dict[str, Any]:
    """Return the one MLPCatalog: everything that its owner has made public stands in it."""
    return {
        "created": EPOCH,
        "modified": EPOCH,
        "catalogId": PUBLIC_CATALOG,
        "accessTypeCode": PUBLIC_ACCESS,
        "selfPublish": True,
        "publisher": "Slipway",
        "name": "Public solutions",
        "description": None,
        "origin": None,
        "url": "",
    }


def description(record: Record, text: str) -> dict[str, Any]:
    """Return MLPRevCatDescription."""
    return {
        "created": record.created or EPOCH,
        "modified": record.created or EPOCH,
        "revisionId": record.ids.revision_id,
        "catalogId": PUBLIC_CATALOG,
        "description": text,
    }


def user(owner: str) -> dict[str, Any]:
    """Return MLPUser for the owner of a solution."""
    return {
        "created": EPOCH,
        "modified": EPOCH,
        "userId": claims.derived_id(owner),
        "firstName": "",
        "middleName": None,
        "lastName": "",
        "orgName": None,
        "email": owner,
        "loginName": owner,
        "loginHash": None,
        "loginPassExpire": None,
        "authToken": None,
        "active": True,
        "lastLogin": None,
        "loginFailCount": None,
        "loginFailDate": None,
        "picture": None,
        "apiToken": None,
        "verifyTokenHash": None,
        "verifyExpiration": None,
        "tags": [],
    }


def owner_id(claim: SolutionClaim | None) -> str | None:
    """Return the user id of a solution's owner; None where an operator has laid the files by hand."""
    return claims.derived_id(claim.owner) if claim else None
