"""The authorization endpoint: a list of checks, then an answer or a journey; and the way back from one."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from flask import current_app, redirect, request
from werkzeug.wrappers import Response

from idp import clock
from idp.interaction import ClientFace, Refused, SignIn
from idp.protocol import errors, request_objects
from idp.protocol.authorization_answers import SEE_OTHER, answered, mode_of
from idp.protocol.authorization_checks import AuthorizationRequest, checked
from idp.protocol.cross_site import asked_again
from idp.protocol.errors import InvalidRequest, OAuthError, PageError
from idp.protocol.parts import Parts
from idp.protocol.pushed_requests import complete, opened
from idp.protocol.request import Parameters, of_browser
from idp.rules import redirect_uris
from idp.rules.assurance import Assurance, assess, reaches, since
from idp.rules.authorization_details import Details
from idp.rules.factor_policy import accepts
from idp.services import clients, consents, sessions
from idp.services.clients import Client
from idp.stores.durable import audit
from idp.stores.shortlived import authorization_codes
from idp.stores.shortlived.authorization_codes import AuthorizationCode
from idp.stores.shortlived.sessions import Session

RESUME_AT = "/authorize/resume"


class _Resumed(msgspec.Struct, frozen=True):
    request: AuthorizationRequest


class Authorize:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def begin(self) -> Response:
        """GET or POST /authorize."""
        try:
            carried = of_browser(request)
        except InvalidRequest as problem:
            raise PageError("bad-link", problem.error) from problem
        given = opened(carried, self._parts)
        if given is None:  # whose redirect URI it was is not known any more (SR-69)
            raise PageError("expired", "invalid_request_uri", _known_face(carried))
        client, redirect_uri, given = self._addressed(given)
        if given.fault is None and (again := asked_again(self._parts, carried)) is not None:
            return again
        session = sessions.find(
            self._parts.store, self._parts.settings.sessions, self._parts.cookies.session_id(request)
        )
        try:
            asked = checked(given, client, redirect_uri, self._parts)
            return self._answer(asked, client, session, after=None)
        except OAuthError as problem:
            mode = mode_of(given.get("response_mode"))
            return self._refuse(problem, client, redirect_uri, session, state=given.get("state"), mode=mode)

    def _addressed(self, given: Parameters) -> tuple[Client, str, Parameters]:
        """Client, redirect URI and the parameters that count. A fault of the first two stays with us (SR-69)."""
        client = clients.find(given.get("client_id", ""))
        if client is None:
            raise PageError("bad-link", "unknown client")
        given = request_objects.opened(given, client, self._parts)
        redirect_uri = given.get("redirect_uri")
        if redirect_uri is None or not _is_registered(client, redirect_uri):
            raise PageError("bad-link", "redirect_uri is missing or not registered", face(client))
        return client, redirect_uri, given

    def resume(self, interaction_id: str) -> Response:
        """GET /authorize/resume/<id>: the same checks, on what the session really is now."""
        browser = self._parts.cookies.browser(request)
        interactions = self._parts.interactions
        taken = interactions.take(interaction_id, browser=browser, resume_at=RESUME_AT) if browser else None
        if taken is None or not isinstance(taken.wanted, SignIn):
            return redirect(f"/journey/{interaction_id}", SEE_OTHER)
        asked = _decode(taken.request).request
        client = clients.find(asked.client_id)
        if client is None or not _is_registered(client, asked.redirect_uri):
            raise PageError("bad-link", "unknown client")
        session = sessions.find(
            self._parts.store, self._parts.settings.sessions, self._parts.cookies.session_id(request)
        )
        try:
            if isinstance(taken.outcome, Refused):
                raise errors.AccessDenied("the person said no")
            return self._answer(asked, client, session, after=taken.wanted if taken.outcome is not None else None)
        except OAuthError as problem:
            state, mode = asked.state, asked.response_mode
            return self._refuse(problem, client, asked.redirect_uri, session, state=state, mode=mode)

    def _answer(
        self, asked: AuthorizationRequest, client: Client, session: Session | None, *, after: SignIn | None
    ) -> Response:
        wanted = self._wanted(asked, client, session, after=after)
        if wanted is not None:
            if "none" in asked.prompt:
                raise _unshown(wanted, session)
            return self._ask(asked, wanted)
        if session is None:
            raise errors.LoginRequired("nobody is signed in")
        assurance = _assurance(asked, client, session)
        if assurance is None or not reaches(assurance.acr, asked.level):
            raise errors.UnmetAuthentication("the level asked for was not reached")
        if asked.hinted not in (None, session.account_id):
            raise errors.LoginRequired("somebody else is signed in")
        return self._grant(asked, client, session, assurance)

    def _wanted(
        self, asked: AuthorizationRequest, client: Client, session: Session | None, *, after: SignIn | None
    ) -> SignIn | None:
        """What is missing before a code can be given; None when nothing is. `after`: what a journey has just done."""
        assurance = _assurance(asked, client, session) if session else None
        right = session is not None and asked.hinted in (None, session.account_id)
        signed_in = assurance is not None and reaches(assurance.acr, asked.level) and (right or after is not None)
        choosing = "select_account" in asked.prompt and after is None
        consent, records = self._consent(asked, client, session, after=after)
        if signed_in and not choosing and not consent and not records:
            return None
        return SignIn(
            client=face(client, asked.redirect_uri),
            level=asked.level,
            proofs_since=_proofs_since(asked),
            second_factors=client.accepted_second_factors,
            choose_account=choosing,
            account_id=asked.hinted,
            login_hint=asked.login_hint,
            consent=consent,
            records=records,
            ui_locales=asked.ui_locales,
            resume_at=RESUME_AT,
        )

    @staticmethod
    def _consent(
        asked: AuthorizationRequest, client: Client, session: Session | None, *, after: SignIn | None
    ) -> tuple[tuple[str, ...], Details]:
        """Scopes and details the person must agree to: all for prompt=consent, else those not agreed to yet (SR-76).

        Asked once it is known who the person is: what they agreed to before is not asked again, and
        whoever says no is somebody, so the client may hear of it (SR-69).
        """
        if session is None:
            return (), ()
        if "consent" in asked.prompt and not (after is not None and after.consent):
            return asked.scopes, asked.details
        if client.first_party:
            return (), ()
        whose = session.account_id, client.client_id
        return consents.lacking(*whose, asked.scopes), consents.lacking_details(*whose, asked.details)

    def _ask(self, asked: AuthorizationRequest, wanted: SignIn) -> Response:
        """Open a journey. The browser gets its cookie on the way (page spec §7)."""
        response = redirect("/", SEE_OTHER)
        browser = self._parts.cookies.ensure_browser(request, response)
        interaction_id = self._parts.interactions.open(wanted, _encode(_Resumed(asked)), browser=browser)
        response.location = f"/journey/{interaction_id}"
        return response

    def _grant(self, asked: AuthorizationRequest, client: Client, session: Session, assurance: Assurance) -> Response:
        if asked.pushed_as and not complete(asked.pushed_as, self._parts):
            raise PageError("expired", "invalid_request_uri", face(client, asked.redirect_uri))
        lifetime = self._parts.settings.tokens.authorization_code
        bound = AuthorizationCode(
            client_id=asked.client_id,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            scope=" ".join(asked.scopes),
            resources=asked.resources,
            details=asked.details,
            claims=asked.claims,
            account_id=session.account_id,
            sid=session.sid,
            assurance=assurance,
            session_ends_at=session.ends_at,
            expires_at=clock.now() + timedelta(seconds=lifetime),
            dpop_jkt=asked.dpop_jkt,
        )
        code = authorization_codes.issue(self._parts.store, bound, lifetime=lifetime)
        told = {"code": code}
        return answered(self._parts, client, asked.redirect_uri, told, state=asked.state, mode=asked.response_mode)

    def _refuse(
        self,
        problem: OAuthError,
        client: Client,
        redirect_uri: str,
        session: Session | None,
        *,
        state: str | None,
        mode: str,
    ) -> Response:
        audit.record("authorization.refused", client_id=client.client_id, outcome="refused", reason=problem.error)
        if not client.first_party and session is None:  # no open redirector for strangers: RFC 9700 §4.11.2
            raise PageError("bad-link", problem.error, face(client, redirect_uri)) from problem
        told = {"error": problem.error, "error_description": problem.description}
        return answered(self._parts, client, redirect_uri, told, state=state, mode=mode)


_decode = msgspec.msgpack.Decoder(_Resumed).decode
_encode = msgspec.msgpack.Encoder().encode


def face(client: Client, redirect_uri: str | None = None) -> ClientFace:
    """What a person may see of a client; the origin is where its answer goes."""
    target = urlsplit(redirect_uri or "")
    return ClientFace(
        client_id=client.client_id,
        name=client.client_name or client.client_id,
        start_uri=clients.start_of(client, current_app.extensions["settings"].server.issuer),
        home_uri=client.client_uri,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        origin=f"{target.scheme}://{target.netloc}" if target.netloc else None,
        first_party=client.first_party,
        unverified=client.registered_itself,
    )


def _known_face(given: Parameters) -> ClientFace | None:
    client = clients.find(given.get("client_id", ""))
    return face(client) if client else None


def _is_registered(client: Client, redirect_uri: str) -> bool:
    return redirect_uris.matches(client.redirect_uris, redirect_uri, native=client.application_type == "native")


def _proofs_since(asked: AuthorizationRequest) -> datetime | None:
    """From when on proofs count. `prompt=login` and `max_age=0` want new ones (SR-58)."""
    if "login" in asked.prompt or asked.max_age == 0:
        return asked.asked_at
    if asked.max_age is None:
        return None
    # Measured when the request came: nobody is sent round again because a code took its time.
    return asked.asked_at - timedelta(seconds=asked.max_age)


def _assurance(asked: AuthorizationRequest, client: Client, session: Session) -> Assurance | None:
    """What the session's proofs amount to: those that are young enough for this request and count for this client."""
    instant = _proofs_since(asked)
    proofs = session.proofs if instant is None else since(session.proofs, instant, wanted=asked.level)
    counting = [proof for proof in proofs if accepts(client.accepted_second_factors, proof.method)]
    return assess(counting, clock.now())


def _unshown(wanted: SignIn, session: Session | None) -> OAuthError:
    """Which page would have been needed (OIDC Core §3.1.2.6)."""
    if session is None or wanted.account_id not in (None, session.account_id):
        return errors.LoginRequired("a page is needed, and prompt is none")
    if wanted.consent or wanted.records:
        return errors.ConsentRequired("consent is needed, and prompt is none")
    return errors.LoginRequired("a page is needed, and prompt is none")
