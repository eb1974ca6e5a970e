"""The portal's part, played by `slipway up` and the demo: uploads solutions and asks deployers for bundles over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import archive, tokens
from shared.errors import UpstreamError
from shared.solution import Ids
from slipway.platform import PLAYGROUND_DEPLOYER, Platform, Service, development_secret

DEVELOPER = "developer@localhost"
TOKEN_SECONDS = 3600
CALL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Pushed:
    """A deployment on the playground."""

    deployment: str
    page: str
    """Its page; the link signs the developer in, once, within a minute."""


class Client:
    """Speaks to the services of one platform as its developer."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def token(self, user: str = DEVELOPER, seconds: int = TOKEN_SECONDS) -> str:
        """Return a development token."""
        secret = development_secret(self.platform.data).encode()
        return tokens.development_token(secret, principal=user, now=int(time.time()), lifetime=seconds)

    def page_link(self, service: Service | None = None) -> str:
        """Return a link that opens the pages of a service, the catalog's if none is named, signed in, once, within a minute."""
        chosen = service or self.platform.catalog
        answer, _ = self._call(chosen, "POST", "/session/codes", b"{}")
        return chosen.url + str(json.loads(answer)["url"])

    def upload(self, ids: Ids, files: Mapping[str, bytes], *, public: bool) -> None:
        """Store a revision in the catalog; storing the same again changes nothing."""
        path = f"/v1/solutions/{ids.solution_id}/revisions/{ids.revision_id}?public={str(public).lower()}"
        self._call(self.platform.catalog, "PUT", path, archive.write(files), "application/zip")

    def bundle(self, deployer: Service, ids: Ids, options: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return (zip, findings header) of the bundle that a deployer makes of a stored revision."""
        asked = {"solutionId": ids.solution_id, "revisionId": ids.revision_id, "options": options}
        data, headers = self._call(deployer, "POST", "/v1/bundles", json.dumps(asked).encode())
        return data, headers["Slipway-Findings"]

    def push(self, ids: Ids, options: Mapping[str, Any]) -> Pushed:
        """Have a stored revision run on the playground; pushing the same again changes nothing, and gives a new link."""
        asked = {"solutionId": ids.solution_id, "revisionId": ids.revision_id, "options": options}
        deployer = self.platform.named(PLAYGROUND_DEPLOYER)
        answer, _ = self._call(deployer, "POST", "/v1/bundles", json.dumps(asked).encode())
        told = json.loads(answer)
        return Pushed(str(told["deployment"]), str(told["page"]))

    def deployment(self, deployment: str, part: str = "") -> dict[str, Any]:
        """Return what the playground says of a deployment, or of a `part` of it such as `/statistics`."""
        answer, _ = self._call(self.platform.playground, "GET", f"/v1/deployments/{deployment}{part}")
        told: dict[str, Any] = json.loads(answer)
        return told

    def wake(self, deployment: str) -> None:
        """Start a deployment that is asleep; nothing happens to one that is not."""
        self._call(self.platform.playground, "POST", f"/v1/deployments/{deployment}/wake", b"{}")

    def _call(
        self,
        service: Service,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> tuple[bytes, Mapping[str, str]]:
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": content_type}
        request = urllib.request.Request(service.url + path, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310 - our own http URL
                return answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as refused:
            detail = refused.read(2000).decode(errors="replace")
            raise UpstreamError(service.name, f"{method} {path}: {refused.code} {detail}") from refused
