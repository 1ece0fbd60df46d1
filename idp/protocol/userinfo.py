"""UserInfo (OIDC Core §5.3)."""

from __future__ import annotations

from typing import Any

import orjson
from flask import request
from werkzeug.wrappers import Response

from idp.protocol import bearer, claims
from idp.protocol.answers import json_answer, jwt_answer
from idp.protocol.encryption import only_for
from idp.protocol.errors import InsufficientScope, InvalidToken
from idp.protocol.parts import Parts
from idp.services import accounts, clients, subjects
from idp.services.clients import Client


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
        return self._answered(clients.find(live.client_id), person.sub, told)

    def _answered(self, client: Client | None, account_id: str, told: dict[str, Any]) -> Response:
        """Plain JSON; signed, encrypted, or both, for a client that is registered so (OIDC Core §5.3.2)."""
        if client is None:
            raise InvalidToken("the token is wrong, expired or revoked")
        content = {"sub": subjects.subject(client, account_id), **told}
        signed = client.userinfo_signed_response_alg
        if signed is None and client.userinfo_encrypted_response_alg is None:
            return json_answer(content)
        if signed is not None:
            about = {"iss": self._parts.issuer, "aud": client.client_id}
            text = self._parts.keyring.sign({**about, **content}, algorithm=signed, typ="JWT")
        else:
            text = orjson.dumps(content).decode()
        kind = "JWT" if signed is not None else "json"
        return jwt_answer(only_for(self._parts, client, text, what="userinfo", kind=kind))

    def _is_for_us(self, audience: str | list[str]) -> bool:
        named = [audience] if isinstance(audience, str) else audience
        return self._parts.issuer in named
