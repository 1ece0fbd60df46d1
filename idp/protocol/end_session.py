"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import msgspec
from flask import redirect, request
from werkzeug.wrappers import Response

from idp.interaction import Done, SignOut
from idp.protocol.authorize import face
from idp.protocol.cross_site import asked_again
from idp.protocol.errors import InvalidRequest, PageError
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters, of_browser
from idp.services import clients, logout, sessions, subjects
from idp.services.clients import Client
from idp.signing import jws
from idp.stores.shortlived.sessions import Session

SEE_OTHER = 303
SIGNED_OUT = "/signed-out"


class _After(msgspec.Struct, frozen=True):
    """Where the browser goes once it is signed out."""

    url: str


class EndSession:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def begin(self) -> Response:
        """GET or POST /logout. With a hint for the very session it acts at once; else it asks (SR-107)."""
        try:
            given = of_browser(request).sound()
            hint = self._hint(given)
        except InvalidRequest as problem:
            raise PageError("bad-link", problem.description) from problem
        again = asked_again(self._parts, given)
        if again is not None:
            return again
        client = self._client(given, hint)
        after = _After(self._after(given, client))
        session = sessions.find(
            self._parts.store, self._parts.settings.sessions, self._parts.cookies.session_id(request)
        )
        if session is None:
            return self._gone(after)
        if hint is not None and self._is_about(hint, client, session):
            parties = sessions.end(session.sid)
            return self._gone(after, logout.remember(self._parts.store, parties, after=after.url))
        return self._ask(client, session, given, after)

    def resume(self, interaction_id: str) -> Response:
        """GET /logout/resume/<id>: the person has answered."""
        browser = self._parts.cookies.browser(request)
        taken = self._parts.interactions.take(interaction_id, browser=browser) if browser else None
        if taken is None or not isinstance(taken.outcome, Done):
            return redirect(SIGNED_OUT, SEE_OTHER)
        told = interaction_id if logout.recall(self._parts.store, interaction_id) is not None else None
        return self._gone(_decode(taken.request), told)

    def _hint(self, given: Parameters) -> dict[str, object] | None:
        """The ID token's claims; its expiry does not matter (RP-Initiated Logout §4)."""
        if "id_token_hint" not in given:
            return None
        try:
            hint = self._parts.keyring.verify_own(given["id_token_hint"], typ="JWT")
        except jws.Untrusted as problem:
            raise InvalidRequest("id_token_hint is not an ID token of ours") from problem
        if hint.get("iss") != self._parts.issuer:
            raise InvalidRequest("id_token_hint is not an ID token of ours")
        return hint

    @staticmethod
    def _client(given: Parameters, hint: dict[str, object] | None) -> Client | None:
        hinted = str(hint["aud"]) if hint is not None else None
        named = given.get("client_id")
        if named is not None and hinted not in (None, named):
            raise PageError("bad-link", "client_id is not the client of id_token_hint")
        return clients.find(hinted or named or "")

    @staticmethod
    def _after(given: Parameters, client: Client | None) -> str:
        """The registered address to go on to; one that is not registered is an error on our own page."""
        wanted = given.get("post_logout_redirect_uri")
        if wanted is None:
            return f"{SIGNED_OUT}?{urlencode({'client_id': client.client_id})}" if client else SIGNED_OUT
        if client is None or wanted not in client.post_logout_redirect_uris:
            raise PageError("bad-link", "post_logout_redirect_uri is not registered", face(client) if client else None)
        if "state" not in given:
            return wanted
        return f"{wanted}{'&' if urlsplit(wanted).query else '?'}{urlencode({'state': given['state']})}"

    @staticmethod
    def _is_about(hint: dict[str, object], client: Client | None, session: Session) -> bool:
        known_as = subjects.subject(client, session.account_id) if client else session.account_id
        return hint.get("sub") == known_as and hint.get("sid", session.sid) == session.sid

    def _ask(self, client: Client | None, session: Session, given: Parameters, after: _After) -> Response:
        wanted = SignOut(
            client=face(client, None if after.url.startswith(SIGNED_OUT) else after.url) if client else None,
            sid=session.sid,
            ui_locales=tuple(given.get("ui_locales", "").split()),
        )
        response = redirect("/", SEE_OTHER)
        browser = self._parts.cookies.ensure_browser(request, response)
        interaction_id = self._parts.interactions.open(wanted, msgspec.msgpack.encode(after), browser=browser)
        response.location = f"/sign-out/{interaction_id}"
        return response

    def _gone(self, after: _After, told: str | None = None) -> Response:
        """`told`: a sign-out of which clients hear; a page of ours has to be shown where they do so in the browser."""
        response = redirect("/", SEE_OTHER)
        response.autocorrect_location_header = False
        response.headers["Location"] = self._next(after, told)
        self._parts.cookies.clear_session(response)
        # Nothing stays behind for the Back button (SR-108).
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def _next(self, after: _After, told: str | None) -> str:
        signed_out = logout.recall(self._parts.store, told) if told else None
        ours = after.url.startswith(SIGNED_OUT)
        if signed_out is None or not (ours or any(party.frame for party in signed_out.parties)):
            return after.url
        page = after.url if ours else SIGNED_OUT
        return f"{page}{'&' if '?' in page else '?'}{urlencode({'told': told})}"


_decode = msgspec.msgpack.Decoder(_After).decode
