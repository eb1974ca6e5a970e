"""One load from a marketplace: three rounds of calls made at the same time, however many nodes the pipeline has.

Whether the principal may know of the solution is settled before anything else is said about it, errors included.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from shared.blueprint.limits import MAX_BYTES, MAX_PROTO_BYTES, MAX_PROTOS_BYTES
from shared.blueprint.uris import proto_uris
from shared.errors import InvalidSolutionError, SlipwayError, TooLargeError, UpstreamError
from shared.persistence import access, artifacts
from shared.persistence.access import Access
from shared.persistence.calls import Batch
from shared.persistence.cds import Cds, CdsArtifact, CdsSolution
from shared.persistence.interface import unknown
from shared.persistence.nexus import Nexus
from shared.principal import Principal
from shared.solution import Attachments, Ids, SolutionFiles

_log = structlog.get_logger(__name__)

T = TypeVar("T")

ATTACHMENT_SECONDS = 5.0  # from the start of the load: nobody waits longer for an icon
MOST_CATALOGS = 4  # asked for a description
MOST_SOURCE_URL = 2048  # characters


class AcumosLoad:
    """The calls of one load, for the thread that wants its result."""

    def __init__(self, batch: Batch, cds: Cds, nexus: Nexus, ids: Ids) -> None:
        """Start the first round: everything that the two ids alone can ask."""
        self._batch = batch
        self._cds = cds
        self._nexus = nexus
        self._ids = ids
        self._brief = batch.deadline.sooner(ATTACHMENT_SECONDS)
        self._solution = batch.start(cds.solution, ids.solution_id, batch.deadline)
        self._artifacts = batch.start(cds.artifacts, ids, batch.deadline)
        self._revision = batch.start(cds.revision, ids, batch.deadline)
        self._catalogs = batch.start(cds.catalogs, ids.solution_id, batch.deadline)
        self._icon = batch.start(cds.icon, ids.solution_id, self._brief)

    def files(self, principal: Principal, who_decides: Access) -> SolutionFiles:
        """Make the other rounds and return what they bring; errors as in `AcumosPersistence.load`."""
        solution = self._batch.result(self._solution)
        if solution is None:
            raise unknown(self._ids)
        main = self._start_main(solution)
        descriptions = self._start_descriptions()
        if not self._may_load(principal, solution, who_decides):
            raise unknown(self._ids)
        listed = self._listed()
        if artifacts.is_pipeline(solution, listed):
            blueprint = self._blueprint(listed, main)
            protos = self._protos(blueprint)
            attachments = self._attachments(solution, descriptions)
            return SolutionFiles(
                solution.name or "", blueprint=blueprint, protos=protos, ids=self._ids, attachments=attachments
            )
        image = artifacts.image(listed)
        return SolutionFiles(
            solution.name or "",
            model_image=image.uri,
            protos=self._model_protos(listed, main),
            ids=self._ids,
            attachments=self._attachments(solution, descriptions),
            version=image.version or "",
        )

    def _start_main(self, solution: CdsSolution) -> Future[bytes | None] | None:
        """Ask for the blueprint or the model's proto, where the artifacts name one: second round."""
        listed = self._batch.settled(self._artifacts) or ()
        with suppress(InvalidSolutionError):  # said by `files` once it is clear who may hear it
            if artifacts.is_pipeline(solution, listed):
                return self._fetch(artifacts.blueprint(listed).uri or "", most_bytes=MAX_BYTES)
            proto = artifacts.proto(listed)
            return self._fetch(proto.uri or "", most_bytes=MAX_PROTO_BYTES) if proto else None
        return None

    def _start_descriptions(self) -> list[Future[str | None]]:
        """Ask the public catalogs, or where there is none the others: then the principal is no stranger to them."""
        catalogs = self._batch.settled(self._catalogs) or ()
        asked = [catalog for catalog in catalogs if catalog.is_public] or catalogs
        return [
            self._batch.start(self._cds.description, self._ids, catalog.catalog_id, self._brief)
            for catalog in asked[:MOST_CATALOGS]
            if catalog.catalog_id
        ]

    def _may_load(self, principal: Principal, solution: CdsSolution, who_decides: Access) -> bool:
        if access.is_decided(principal, solution, who_decides):
            return True
        if any(catalog.is_public for catalog in self._batch.result(self._catalogs)):
            return True
        if not access.may_own(principal, solution):
            return False
        user = self._batch.start(self._cds.user, solution.user_id or "", self._batch.deadline)
        return access.is_owner(principal, self._batch.result(user))

    def _listed(self) -> tuple[CdsArtifact, ...]:
        """Return the artifacts of the revision, once it is clear that it is one of this solution.

        Whoever may see one solution must not get at another by naming its revision. Where the service does not relate
        the two, the paths of the artifacts do.
        """
        listed = self._batch.result(self._artifacts)
        revision = self._batch.result(self._revision)
        if revision and revision.solution_id:
            belongs = revision.solution_id == self._ids.solution_id
        else:
            belongs = artifacts.mention(listed, self._ids.solution_id)
        if not belongs:
            raise unknown(self._ids, sees_solution=True)
        return listed

    def _blueprint(self, listed: tuple[CdsArtifact, ...], main: Future[bytes | None] | None) -> bytes:
        artifacts.blueprint(listed)
        blueprint = self._batch.result(main) if main else None
        if blueprint is None:
            raise UpstreamError("nexus", "missing_artifact: the blueprint that CDS lists is not there")
        return blueprint

    def _protos(self, blueprint: bytes) -> dict[str, bytes]:
        """Return the protos by container name: third round. One that is not there becomes a finding of the parser."""
        wanted = {container: uri for container, uri in proto_uris(blueprint).items() if self._is_proto(uri)}
        fetched = {uri: self._fetch(uri, most_bytes=MAX_PROTO_BYTES) for uri in dict.fromkeys(wanted.values())}
        found = {uri: proto for uri, future in fetched.items() if (proto := self._batch.result(future)) is not None}
        if sum(map(len, found.values())) > MAX_PROTOS_BYTES:
            raise TooLargeError(f"protos: expected at most {MAX_PROTOS_BYTES} bytes together, found more")
        missing = [container for container, uri in wanted.items() if uri not in found]
        if missing:
            _log.warning("protos_missing", solution_id=self._ids.solution_id, count=len(missing))
        return {container: found[uri] for container, uri in wanted.items() if uri in found}

    def _is_proto(self, uri: str) -> bool:
        """Refuse a uri that leads elsewhere, and pass over what is no proto: a blueprint must not fetch other files."""
        self._nexus.check_uri(uri)
        return uri.lower().endswith(".proto")

    def _model_protos(self, listed: tuple[CdsArtifact, ...], main: Future[bytes | None] | None) -> dict[str, bytes]:
        chosen = artifacts.proto(listed)
        proto = self._batch.result(main) if main else None
        return {artifacts.stem(chosen): proto} if chosen and proto is not None else {}

    def _attachments(self, solution: CdsSolution, descriptions: list[Future[str | None]]) -> Attachments:
        texts = [self._optional(future, "description") for future in descriptions]
        return Attachments(
            icon=self._optional(self._icon, "icon"),
            description=next((text for text in texts if text), None),
            source_url=_source_url(solution.origin),
        )

    def _optional(self, future: Future[T | None], what: str) -> T | None:
        """Wait for an attachment: its absence or failure never fails the load."""
        try:
            return self._batch.result(future, by=self._brief)
        except SlipwayError as problem:
            _log.warning("attachment_failed", attachment=what, solution_id=self._ids.solution_id, error=str(problem))
            return None

    def _fetch(self, uri: str, *, most_bytes: int) -> Future[bytes | None]:
        return self._batch.start(self._nexus.fetch, uri, deadline=self._batch.deadline, most_bytes=most_bytes)


def _source_url(origin: str | None) -> str | None:
    """Return where a federated solution came from, if it is a URL that may be shown."""
    if not origin or len(origin) > MOST_SOURCE_URL or not origin.isprintable():
        return None
    with suppress(ValueError):
        parts = urlsplit(origin)
        if parts.scheme in {"http", "https"} and parts.hostname and not parts.username:
            return origin
    return None
