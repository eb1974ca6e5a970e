"""The portal's part, played by `slipway up` and the demo: uploads solutions and asks deployers for bundles over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from shared import archive, tokens
from shared.errors import UpstreamError
from shared.solution import Ids
from slipway.platform import Platform, Service, development_secret

DEVELOPER = "developer@localhost"
TOKEN_SECONDS = 3600
CALL_SECONDS = 60


class Client:
    """Speaks to the services of one platform as its developer."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def token(self, user: str = DEVELOPER, seconds: int = TOKEN_SECONDS) -> str:
        """Return a development token."""
        secret = development_secret(self.platform.data).encode()
        return tokens.development_token(secret, principal=user, now=int(time.time()), lifetime=seconds)

    def page_link(self) -> str:
        """Return a link that opens the page signed in, once, within a minute."""
        answer, _ = self._call(self.platform.catalog, "POST", "/session/codes", b"{}")
        return self.platform.catalog.url + str(json.loads(answer)["url"])

    def upload(self, ids: Ids, files: Mapping[str, bytes], *, public: bool) -> None:
        """Store a revision in the catalog; storing the same again changes nothing."""
        path = f"/v1/solutions/{ids.solution_id}/revisions/{ids.revision_id}?public={str(public).lower()}"
        self._call(self.platform.catalog, "PUT", path, archive.write(files), "application/zip")

    def bundle(self, deployer: Service, ids: Ids, options: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return (zip, findings header) of the bundle that a deployer makes of a stored revision."""
        asked = {"solutionId": ids.solution_id, "revisionId": ids.revision_id, "options": options}
        data, headers = self._call(deployer, "POST", "/v1/bundles", json.dumps(asked).encode())
        return data, headers["Slipway-Findings"]

    def _call(
        self, service: Service, method: str, path: str, body: bytes, content_type: str = "application/json"
    ) -> tuple[bytes, Mapping[str, str]]:
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": content_type}
        request = urllib.request.Request(service.url + path, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310 - our own http URL
                return answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as refused:
            detail = refused.read(2000).decode(errors="replace")
            raise UpstreamError(service.name, f"{method} {path}: {refused.code} {detail}") from refused
