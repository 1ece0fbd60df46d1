"""The Flask application: the two edges on one assembly, and what holds for every request."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Forbidden

from idp.assembly import Parts, assemble
from idp.delivery.channels.contract import Channel
from idp.delivery.channels.http_gateway import HttpGateway
from idp.delivery.channels.smtp import Smtp
from idp.delivery.channels.to_client import ToClient
from idp.delivery.wording import Wording
from idp.delivery.worker import Worker
from idp.eid import registry
from idp.foundation import open_durable, template_folder
from idp.protocol.blueprint import protocol_blueprint
from idp.protocol.client_auth import ClientAuthentication
from idp.protocol.client_certificates import ENVIRON, ClientCertificates, read_issuers
from idp.protocol.dpop import Proofs
from idp.protocol.errors import PageError
from idp.protocol.logout_tokens import LogoutTokens
from idp.protocol.metadata import FOR_CERTIFICATES
from idp.protocol.parts import Parts as ProtocolParts
from idp.protocol.ping_callbacks import PingCallbacks
from idp.services import decoupled, logout
from idp.services.places import Places
from idp.settings import Settings
from idp.web import assets, device, errors, headers, locale, pages
from idp.web.account.contract import Tools as AccountTools
from idp.web.account.parts import PARTS as ACCOUNT_PARTS
from idp.web.account.views import AccountViews
from idp.web.eid import EidViews
from idp.web.journey import JourneyViews
from idp.web.passkeys import PasskeyViews
from idp.web.proxies import TrustedProxies
from idp.web.recovery_codes import RecoveryCodeViews
from idp.web.sign_out import SignOutViews
from idp.web.undo import UndoViews

FORMS = ("/journey/", "/sign-out/", "/account", "/undo", f"{device.PATH}/")
"""Where pages of ours post to."""

LARGEST_BODY = 64 * 1024
"""Bytes: no form and no token request is larger (SR-90)."""


def create_app(settings: Settings) -> Flask:
    """The identity provider as a WSGI application."""
    app = open_durable(settings)
    parts = assemble(app, settings)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    _people(app, parts)
    app.register_blueprint(protocol_blueprint(_protocol_parts(parts)))
    app.register_error_handler(PageError, _draw)
    app.before_request(_known_host(settings.server.issuer, settings.mutual_tls.base_url))
    app.before_request(_same_origin(settings.server.issuer))
    app.wsgi_app = TrustedProxies(  # type: ignore[method-assign]
        app.wsgi_app,
        settings.server.trusted_proxies,
        settings.server.forwarded_hops,
        certificate=settings.mutual_tls.header,
        found_at=ENVIRON,
    )
    return app


def _protocol_parts(parts: Parts) -> ProtocolParts:
    """What the endpoints of the protocol work with."""
    settings = parts.settings
    certificates = ClientCertificates(read_issuers(settings.mutual_tls.issuers), parts.client_keys)
    return ProtocolParts(
        settings=settings,
        store=parts.store,
        keyring=parts.keyring,
        interactions=parts.interactions,
        cookies=parts.cookies,
        authenticate=ClientAuthentication(parts.store, settings.server.issuer, parts.client_keys, certificates),
        certificates=certificates,
        client_keys=parts.client_keys,
        guarded=parts.guarded,
        proofs=Proofs(
            parts.store,
            settings.server.issuer,
            parts.vault.index("dpop nonces", purpose="key of DPoP nonces"),
            nonce_required=settings.tokens.dpop_nonce_required,
            beside=settings.mutual_tls.base_url,
        ),
        form_post=pages.form_post,
        identity_levels=parts.eids.levels,
        evidence=registry.evidence(settings.eid),
        trust_frameworks=tuple(sorted(set(parts.eids.trust_frameworks.values()))),
    )


def worker_of(app: Flask) -> Worker:
    """The background worker of an application: one per process, started by whoever serves."""
    made: Worker | None = app.extensions.get("worker")
    if made is None:
        parts: Parts = app.extensions["idp"]
        settings = parts.settings
        wording = Wording(settings, template_folder())
        channels: dict[str, Channel] = {
            "email": Smtp(settings.mail, wording, settings.service.name),
            "sms": HttpGateway("sms", settings.sms, wording),
            "voice": HttpGateway("call", settings.voice, wording),
            logout.CHANNEL: ToClient(LogoutTokens(parts.keyring, settings.server.issuer, parts.guarded)),
            decoupled.PING: ToClient(PingCallbacks(parts.guarded)),
        }
        made = app.extensions["worker"] = Worker(channels, parts.chores, app.app_context, store=parts.store)
    return made


def _people(app: Flask, parts: Parts) -> None:
    locale.install(app, parts.settings, parts.cookies)
    pages.install(app, parts.settings)
    assets.install(app)
    headers.install(app, parts.settings)
    errors.install(app, parts.settings)
    journeys = JourneyViews(parts.engine, parts.cookies, parts.tokens, parts.settings, parts.store, parts.interactions)
    app.register_blueprint(journeys.blueprint())
    app.register_blueprint(RecoveryCodeViews(parts.engine, parts.cookies).blueprint())
    app.register_blueprint(PasskeyViews(parts.engine, parts.cookies, parts.tokens, parts.settings).blueprint())
    app.register_blueprint(EidViews(parts.eids, parts.cookies).blueprint())
    tools = AccountTools(parts.settings, parts.store, parts.eids, Places(parts.settings.location.database))
    account = AccountViews(tools, parts.interactions, parts.cookies, parts.tokens, ACCOUNT_PARTS)
    app.register_blueprint(account.blueprint())
    undo = UndoViews(parts.cookies, parts.tokens, parts.store, parts.hashing)
    app.register_blueprint(undo.blueprint())
    app.register_blueprint(SignOutViews(parts.interactions, parts.cookies, parts.tokens, parts.store).blueprint())
    devices = device.DeviceViews(parts.settings, parts.store, parts.interactions, parts.cookies, parts.tokens)
    app.register_blueprint(devices.blueprint())


def _draw(problem: PageError) -> ResponseReturnValue:
    return errors.draw(problem.kind, technical=problem.technical, client=problem.client)


def _known_host(issuer: str, for_certificates: str | None) -> Callable[[], None]:
    """Refuse a Host that is not the issuer's: links and origins come from the settings alone (SR-65).

    Where certificates of clients are asked for, only clients have any business (RFC 8705 §5).
    """
    expected, beside = urlsplit(issuer).netloc, urlsplit(for_certificates or "").netloc

    def check() -> None:
        if request.host != expected and not (beside and request.host == beside and request.path in FOR_CERTIFICATES):
            raise BadRequest("unknown host")

    return check


def _same_origin(issuer: str) -> Callable[[], None]:
    """Refuse a page's form that another site sent (SR-57). Token requests are no forms of ours.

    `Referrer-Policy: no-referrer` makes browsers send `Origin: null`, so Sec-Fetch-Site is asked first.
    """

    def check() -> None:
        if request.method != "POST" or not (request.path == device.PATH or request.path.startswith(FORMS)):
            return
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin", "null")
        if site is not None and site != "same-origin":
            raise Forbidden("cross-site form")
        if site is None and origin not in ("null", issuer):
            raise Forbidden("cross-site form")

    return check
