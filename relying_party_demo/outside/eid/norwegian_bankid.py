"""Norwegian BankID as an OpenID provider, API version 4: requests, the bank's page, codes, tokens, keys."""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any
from urllib.parse import unquote_plus, urlencode

from flask import Blueprint, Flask, Response, jsonify, redirect, render_template, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wrappers import Response as WsgiResponse

from . import clock
from .norwegian_tokens import FAULTS, METHODS, Keys, Proved, id_token, userinfo
from .people import NORWEGIAN, EidPerson, find, holders
from .script import Instruction, Script
from .serving import Served

REALM = "/auth/realms/current"
CODE_LIFE = 60
REQUEST_LIFE = 90
MODES = ("query", "fragment", "form_post")
KNOWN_ACR = {"urn:bankid:bid": ("app", "code-device"), "urn:bankid:bis": ("biometrics",)}


class TokenFault(Exception):
    """An error of the token or request endpoint (RFC 6749 §5.2)."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


@dataclass(frozen=True, slots=True)
class Client:
    """A service with an agreement. It proves itself by its secret or by its keys."""

    client_id: str
    redirect_uris: tuple[str, ...]
    secret: str = field(default="", repr=False)
    jwks: dict[str, Any] | None = None
    number_allowed: bool = True


@dataclass
class NorwegianBankId:
    """The simulator. `start` serves it; what was asked of it is in `requests`, for assertions."""

    script: Script
    clients: list[Client]
    port: int = 0
    host: str = "localhost"
    keys: Keys = field(default_factory=Keys)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults = FAULTS

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._pushed: dict[str, tuple[dict[str, str], float]] = {}
        self._open: dict[str, dict[str, str]] = {}
        self._codes: dict[str, Proved] = {}
        self._tokens: dict[str, Proved] = {}
        self._jtis: set[str] = set()
        self._served = Served(self._app(), port=self.port)
        self.port = self._served.port

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return f"http://{self.host}:{self.port}{REALM}"

    def start(self) -> None:
        """Begin to answer."""
        self._served.start()

    def stop(self) -> None:
        """Stop answering."""
        self._served.stop()

    def _app(self) -> Flask:
        app = Flask(__name__, template_folder="../templates", static_folder="../static")
        routes = Blueprint("bank", __name__, url_prefix=REALM)
        routes.get("/.well-known/openid-configuration", endpoint="discovery")(self._discovery)
        routes.get("/protocol/openid-connect/certs")(lambda: jsonify(self.keys.published()))
        routes.post("/protocol/openid-connect/ext/par/request", endpoint="push")(self._push)
        routes.get("/precheck/auth")(self._authorize)
        routes.post("/bank/<login>")(self._bank)
        routes.post("/protocol/openid-connect/token")(self._token)
        routes.get("/userinfo")(self._userinfo)
        app.register_blueprint(routes)
        app.register_error_handler(TokenFault, _told)
        app.register_error_handler(HTTPException, lambda fault: (fault.description or "", fault.code or 500))
        return app

    def _discovery(self) -> Response:
        """The discovery document."""
        base = f"{self.issuer}/protocol/openid-connect"
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/precheck/auth",
            token_endpoint=f"{base}/token",
            userinfo_endpoint=f"{self.issuer}/userinfo",
            jwks_uri=f"{base}/certs",
            pushed_authorization_request_endpoint=f"{base}/ext/par/request",
            response_types_supported=["code"],
            response_modes_supported=list(MODES),
            subject_types_supported=["pairwise"],
            id_token_signing_alg_values_supported=["ES256"],
            code_challenge_methods_supported=["S256"],
            token_endpoint_auth_methods_supported=["private_key_jwt", "client_secret_basic", "client_secret_post"],
            acr_values_supported=["urn:bankid:bid", "urn:bankid:bis"],
        )

    def _push(self) -> tuple[Response, int]:
        """A pushed request (RFC 9126)."""
        given = request.form.to_dict()
        client = self._client()
        self._check({**given, "client_id": client.client_id}, pushed=True)
        handle = f"urn:bankid:request:{secrets.token_urlsafe(24)}"
        self._pushed[handle] = ({**given, "client_id": client.client_id}, time.monotonic() + REQUEST_LIFE)
        return jsonify(request_uri=handle, expires_in=REQUEST_LIFE), 201

    def _authorize(self) -> str | WsgiResponse:
        """The bank's page; or at once the answer that somebody has written down."""
        given = request.args.to_dict()
        if "request_uri" in given:
            asked, until = self._pushed.pop(given["request_uri"], ({}, 0.0))
            if time.monotonic() > until or asked.get("client_id") != given.get("client_id"):
                raise BadRequest("the pushed request is unknown, used or too old")
        else:
            asked = given
            self._check(asked, pushed=False)
        self.requests.append(("authorize", asked))
        login = secrets.token_urlsafe(16)
        with self._lock:
            self._open[login] = asked
        instruction = self.script.next(NORWEGIAN)
        if instruction is not None:
            return self._answered(login, self._someone(instruction, asked), instruction)
        return self._page(login, asked)

    def _bank(self, login: str) -> str | WsgiResponse:
        """A button of the bank's page was pressed."""
        chosen = "approve" if request.form.get("do") == "approve" else "refuse"
        person, fault = find(request.form.get("person", "")), request.form.get("fault") or None
        return self._answered(login, person, Instruction(None, chosen, fault), request.form.get("method", ""))

    def _token(self) -> Response:
        """Tokens for a code: once, within a minute, by whom it was given to, with the verifier."""
        client, given = self._client(), request.form.to_dict()
        self.requests.append(("token", given))
        with self._lock:
            proved = self._codes.pop(given.get("code", ""), None)
        if given.get("grant_type") != "authorization_code" or proved is None:
            raise TokenFault("invalid_grant")
        digest = urlsafe_b64encode(sha256(given.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        bound = (
            proved.client_id == client.client_id
            and proved.redirect_uri == given.get("redirect_uri")
            and hmac.compare_digest(digest, proved.code_challenge)
            and clock.now().timestamp() - proved.issued_at <= CODE_LIFE
        )
        if not bound or proved.fault == "code-used":
            raise TokenFault("invalid_grant")
        if proved.fault in ("slow", "server-error", "no-json"):
            return self._failing(proved.fault)
        if proved.fault == "key-change":
            self.keys.rotate()
        access = secrets.token_urlsafe(32)
        self._tokens[access] = proved
        told = id_token(
            proved, issuer=self.issuer, access_token=access, keys=self.keys, secret=client.secret or "s" * 32
        )
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": told}
        return jsonify({**answer, "scope": "openid profile"})

    def _userinfo(self) -> Response:
        """UserInfo as a signed token."""
        proved = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if proved is None:
            raise TokenFault("invalid_token", 401)
        told = userinfo(proved.person, issuer=self.issuer, client_id=proved.client_id, keys=self.keys)
        return Response(told, content_type="application/jwt")

    # How it is done

    def _check(self, asked: dict[str, str], *, pushed: bool) -> None:
        """As strict as version 4 is."""
        client = next((one for one in self.clients if one.client_id == asked.get("client_id")), None)
        if client is None or asked.get("redirect_uri") not in client.redirect_uris:
            raise BadRequest("unknown client or redirect_uri")
        wrong = [
            asked.get("response_type") != "code",
            not asked.get("state") or not asked.get("nonce"),
            asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43,
            "openid" not in asked.get("scope", "").split(),
            asked.get("response_mode", "query") not in MODES,
            "login_hint" in asked and not pushed,  # a national number belongs in no browser's history
            not set(asked.get("acr_values", "").split()) <= set(KNOWN_ACR),
        ]
        if any(wrong):
            raise TokenFault("invalid_request") if pushed else BadRequest("invalid_request")

    def _client(self) -> Client:
        """Who calls the endpoint: by secret, or by an assertion that counts once (RFC 7523 §3)."""
        basic = request.authorization
        assertion = request.form.get("client_assertion")
        name = unquote_plus(basic.username or "") if basic else request.form.get("client_id", "")
        secret = unquote_plus(basic.password or "") if basic else request.form.get("client_secret", "")
        for client in self.clients:
            if assertion and client.jwks and self._asserted(client, assertion):
                return client
            told = client.client_id == name and hmac.compare_digest(client.secret.encode(), secret.encode())
            if not assertion and client.secret and told:
                return client
        raise TokenFault("invalid_client", 401)

    def _asserted(self, client: Client, assertion: str) -> bool:
        try:
            claims = jwt.decode(
                assertion, KeySet([JWKRegistry.import_key(key) for key in (client.jwks or {})["keys"]])
            ).claims
        except (JoseError, ValueError):
            return False
        now, jti = clock.now().timestamp(), str(claims.get("jti", ""))
        audience = claims.get("aud")
        fits = claims.get("iss") == claims.get("sub") == client.client_id and now < claims.get("exp", 0) < now + 300
        if not fits or not jti or jti in self._jtis or audience not in (self.issuer, [self.issuer]):
            return False
        self._jtis.add(jti)
        return True

    def _page(self, login: str, asked: dict[str, str]) -> str:
        wanted = asked.get("acr_values", "urn:bankid:bid").split()
        methods = [method for acr in wanted for method in KNOWN_ACR.get(acr, ())]
        people, hinted = holders(NORWEGIAN), asked.get("login_hint", "").removeprefix(":")
        return render_template(
            "eid/bank.html", people=[one for one in people if hinted in ("", one.number)], methods=methods,
            action=f"{REALM}/bank/{login}", faults=FAULTS, lang="nb" if asked.get("ui_locales", "nb") == "nb" else "en",
        )  # fmt: skip

    @staticmethod
    def _someone(instruction: Instruction, asked: dict[str, str]) -> EidPerson | None:
        hinted = asked.get("login_hint", "").removeprefix(":")
        return find(instruction.person or hinted) or holders(NORWEGIAN)[0]

    def _answered(
        self, login: str, person: EidPerson | None, said: Instruction, method: str = ""
    ) -> str | WsgiResponse:
        with self._lock:
            asked = self._open.pop(login, None)
        if asked is None:
            raise BadRequest("this page was answered before, or is too old")
        if said.outcome in ("timeout", "ignore") or said.fault == "no-return":
            return render_template("eid/bank-stays.html")
        if said.outcome != "approve" or person is None or said.fault == "access-denied":
            told = {"error": "access_denied", "error_description": "bankid_error_codes:C12F"}
            return self._back(asked, told, said.fault)
        wanted = asked.get("acr_values", "urn:bankid:bid").split()
        client = next(one for one in self.clients if one.client_id == asked["client_id"])
        code = secrets.token_urlsafe(24)
        self._codes[code] = Proved(
            client_id=client.client_id,
            nonce=asked["nonce"],
            person=person,
            method=method if method in METHODS else KNOWN_ACR[wanted[0]][0],
            number_allowed=client.number_allowed and "nnin_altsub" in asked["scope"].split(),
            fault=said.fault,
            code_challenge=asked["code_challenge"],
            redirect_uri=asked["redirect_uri"],
            issued_at=clock.now().timestamp(),
        )
        return self._back(asked, {"code": code}, said.fault)

    def _back(self, asked: dict[str, str], told: dict[str, str], fault: str | None) -> WsgiResponse:
        state = "another-state" if fault == "wrong-state" else asked["state"]
        issuer = "https://elsewhere.example" if fault == "wrong-iss-parameter" else self.issuer
        answer = {**told, "state": state, "iss": issuer, "session_state": secrets.token_hex(4)}
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    @staticmethod
    def _failing(fault: str) -> Response:
        if fault == "slow":
            time.sleep(30)
        if fault == "no-json":
            return Response("<h1>Vedlikehold</h1>", content_type="text/html")
        return Response("", 500 if fault == "server-error" else 503)


def _told(fault: TokenFault) -> tuple[Response, int]:
    return jsonify(error=fault.error), fault.status
