"""UserInfo (OIDC Core §5.3)."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from idp.protocol import bearer, claims
from idp.protocol.answers import json_answer
from idp.protocol.errors import InsufficientScope, InvalidToken
from idp.protocol.parts import Parts
from idp.services import accounts


class UserInfo:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """GET or POST /userinfo."""
        given = bearer.presented(request)
        live = bearer.find(self._parts, given.token)
        if live is None or live.grant is None:
            raise InvalidToken("the token is wrong, expired or revoked")
        bearer.check_possession(self._parts, request, given, live)
        if live.claims is not None and not self._is_for_us(live.claims["aud"]):
            raise InvalidToken("the token is for somebody else")
        if "openid" not in live.scopes:
            raise InsufficientScope("the token has no openid scope")
        person = accounts.person(live.grant.account_id)
        if person is None or not person.active:
            raise InvalidToken("the token is wrong, expired or revoked")
        requested = claims.read(live.grant.claims or None).userinfo_verified
        told = claims.of_person(person, live.scopes) | claims.of_identity(person.sub, live.scopes, requested)
        return json_answer({"sub": person.sub, **told})

    def _is_for_us(self, audience: str | list[str]) -> bool:
        named = [audience] if isinstance(audience, str) else audience
        return self._parts.issuer in named
