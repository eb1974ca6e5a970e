"""An OpenID provider as its relying party uses it: where people sign in, codes exchanged for ID tokens, and their rules.

After OpenID Connect Core 1.0. The provider is believed about its own users and about nothing else.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

from shared import token_claims, tokens
from shared.deadline import Deadline
from shared.errors import BadTokenError
from shared.fault import Fault, of_status
from shared.origin import Origin
from shared.peer import Peer
from shared.principal import Principal
from shared.token_claims import Rules
from shared.tokens import TokenSettings
from shared.web.oidc_discovery import CALL_SECONDS, MAX_BYTES, NAME, Discovery, Endpoints, json_object, text_member
from shared.web.settings import OidcSettings

_BAD_REQUEST = 400


class Provider:
    """One provider and what it calls us; safe to use from many threads."""

    def __init__(
        self,
        settings: OidcSettings,
        people: TokenSettings,
        *,
        ca_file: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            settings: of the provider, with an issuer.
            people: how principals are named, who is an operator, how long a token may live.
            ca_file: authorities (PEM) that may vouch for the provider, in place of the public ones.
            now: seconds since the epoch.
        """
        self._settings = settings
        self._issuer = settings.issuer or ""
        self._ca_file = ca_file
        self._now = now
        self._is_by_mail = people.principal == "graphene"
        self._rules = Rules(
            audience=settings.client_id,
            issuer=self._issuer,
            is_graphene=self._is_by_mail,
            max_lifetime=people.max_lifetime,
            operators=frozenset(people.operators),
            operator_role=people.operator_role,
        )
        self._discovery = Discovery(self._issuer, ca_file=ca_file)

    def login_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Return where a browser is sent to sign in.

        Raises:
            UpstreamError: the provider does not say where that is.
        """
        scopes = dict.fromkeys(("openid", *(("email",) if self._is_by_mail else ()), *self._settings.scopes))
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._discovery.endpoints().authorization}?{urlencode(query)}"

    def check_sender(self, named: str | None) -> None:
        """Check who a code says that it comes from: a code of another provider is not sent to this one.

        Raises:
            BadTokenError: it is another, or this one, which always says so, has not.
            UpstreamError: the provider cannot be asked.
        """
        if named != self._issuer and (named is not None or self._discovery.endpoints().names_itself):
            raise BadTokenError("the code comes from another provider")

    def redeem(self, code: str, *, redirect_uri: str, verifier: str, nonce: str) -> Principal:
        """Exchange a code for an ID token, and return whom it is about.

        Raises:
            BadTokenError: the provider does not accept the code, or the token breaks a rule.
            UpstreamError: the provider does not answer as it should.
        """
        endpoints = self._discovery.endpoints()
        token = self._exchanged(endpoints, code, redirect_uri=redirect_uri, verifier=verifier)
        claims = tokens.signed_claims(token, endpoints.keys)
        token_claims.check_times(claims, now=self._now(), max_lifetime=self._rules.max_lifetime)
        token_claims.check_addressees(claims, self._rules)
        self._check_party(claims)
        said = claims.get("nonce")
        if not isinstance(said, str) or not said.isascii() or not hmac.compare_digest(said, nonce):
            raise BadTokenError("the ID token was made for another login")
        return self._principal(claims)

    def _check_party(self, claims: Mapping[str, Any]) -> None:
        """Check for whom a token was made, where it has several readers (OpenID Connect Core 3.1.3.7)."""
        party, audience = claims.get("azp"), claims.get("aud")
        is_shared = isinstance(audience, list) and len(audience) > 1
        if party != self._settings.client_id and (party is not None or is_shared):
            raise BadTokenError("azp of the ID token is another client")

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        if not self._is_by_mail:
            return token_claims.principal(claims, self._rules)
        if claims.get("email_verified") is not True:
            raise BadTokenError("the provider has not verified the e-mail address")
        graphene = {"sub": claims.get("sub"), "mlpuser": {"email": claims.get("email")}, "role": claims.get("roles")}
        return token_claims.principal(graphene, self._rules)

    def _exchanged(self, endpoints: Endpoints, code: str, *, redirect_uri: str, verifier: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        headers, client = self._credentials(endpoints)
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        folder, _, path = endpoints.token.rpartition("/")
        peer = Peer(NAME, Origin.parse(folder), ca_file=self._ca_file, connections=1)
        try:
            answer = peer.send(
                "POST",
                path,
                headers=headers,
                body=urlencode({**form, "code_verifier": verifier, **client}).encode(),
                deadline=Deadline.after(CALL_SECONDS),
                most_bytes=MAX_BYTES,
            )
        except Fault as problem:
            raise problem.error(NAME) from problem
        finally:
            peer.close()
        if answer.status == _BAD_REQUEST:
            raise BadTokenError("the provider does not accept the code")
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the successes of HTTP
            raise of_status(answer.status, None).error(NAME)
        return text_member(json_object(answer.body), "id_token")

    def _credentials(self, endpoints: Endpoints) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the fields of the form that say who we are."""
        name, secret = self._settings.client_id, self._settings.client_secret
        if secret is None:
            return {}, {"client_id": name}
        if not endpoints.takes_basic:
            return {}, {"client_id": name, "client_secret": secret.reveal()}
        pair = f"{quote_plus(name)}:{quote_plus(secret.reveal())}"  # RFC 6749, 2.3.1
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
