"""An eID that speaks OpenID Connect: requests, the page where people prove themselves, codes, tokens, keys.

Which words it has for levels, people and faults is each one's own: `norwegian_bankid`, `oidc_broker`.
"""

from __future__ import annotations

import hmac
import secrets
import time
from abc import ABC, abstractmethod
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, jsonify, redirect, render_template, request
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wrappers import Response as WsgiResponse

from . import clock
from .openid_clients import Agreements, Client, TokenFault
from .openid_tokens import Keys, Proved
from .people import EidPerson
from .script import Instruction, Script
from .serving import Served

CODE_LIFE = 60
REQUEST_LIFE = 90
MODES = ("query", "fragment", "form_post")


@dataclass
class OpenIdProvider(ABC):
    """The simulator. `start` serves it; what was asked of it is in `requests`, for assertions."""

    script: Script
    clients: list[Client]
    port: int = 0
    host: str = "localhost"
    keys: Keys = field(default_factory=Keys)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    eid: str = ""
    """The eID's name in what testers say."""
    people: Sequence[EidPerson] = ()
    """Who can prove themselves here."""
    known_acr: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The words of `acr_values`, each with the methods that reach it."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What its discovery document says besides."""

    title: ClassVar[str] = "eID"
    realm: ClassVar[str] = ""
    """The path of the issuer."""
    authorization_path: ClassVar[str] = "/oauth2/authorize"
    denial: ClassVar[str] = "the person said no"
    """The description of `access_denied`."""
    faults: ClassVar[Mapping[str, str]]
    """Every fault it can have, and what it is."""

    @abstractmethod
    def id_token(self, proved: Proved, *, access_token: str, client: Client) -> str:
        """The ID token, with the fault that was asked for."""

    @abstractmethod
    def userinfo(self, proved: Proved, client: Client) -> Response:
        """What UserInfo says of a person."""

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._pushed: dict[str, tuple[dict[str, str], float]] = {}
        self._open: dict[str, dict[str, str]] = {}
        self._codes: dict[str, Proved] = {}
        self._tokens: dict[str, Proved] = {}
        self._agreements = Agreements(self.clients, lambda: self.issuer)
        self._served = Served(self._app(), port=self.port)
        self.port = self._served.port

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return f"http://{self.host}:{self.port}{self.realm}"

    def start(self) -> None:
        """Begin to answer."""
        self._served.start()

    def stop(self) -> None:
        """Stop answering."""
        self._served.stop()

    def _app(self) -> Flask:
        app = Flask(__name__, template_folder="../templates", static_folder="../static")
        routes = Blueprint("bank", __name__, url_prefix=self.realm or None)
        routes.get("/.well-known/openid-configuration", endpoint="discovery")(self._discovery)
        routes.get("/protocol/openid-connect/certs")(lambda: jsonify(self.keys.published()))
        routes.post("/protocol/openid-connect/ext/par/request", endpoint="push")(self._push)
        routes.get(self.authorization_path)(self._authorize)
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
        told: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}{self.authorization_path}",
            "token_endpoint": f"{base}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{base}/certs",
            "pushed_authorization_request_endpoint": f"{base}/ext/par/request",
            "response_types_supported": ["code"],
            "response_modes_supported": list(MODES),
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [self.keys.algorithm],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
            "acr_values_supported": list(self.known_acr),
        }
        return jsonify({name: value for name, value in {**told, **self.metadata}.items() if value is not None})

    def _push(self) -> tuple[Response, int]:
        """A pushed request (RFC 9126)."""
        client = self._agreements.caller()
        asked = self.opened({**request.form.to_dict(), "client_id": client.client_id})
        self._check(asked, pushed=True)
        handle = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(24)}"
        self._pushed[handle] = (asked, time.monotonic() + REQUEST_LIFE)
        return jsonify(request_uri=handle, expires_in=REQUEST_LIFE), 201

    def _authorize(self) -> str | WsgiResponse:
        """The bank's page; or at once the answer that somebody has written down."""
        given = request.args.to_dict()
        if "request_uri" in given:
            asked, until = self._pushed.pop(given["request_uri"], ({}, 0.0))
            if time.monotonic() > until or asked.get("client_id") != given.get("client_id"):
                raise BadRequest("the pushed request is unknown, used or too old")
        else:
            asked = self.opened(given)
            self._check(asked, pushed=False)
        self.requests.append(("authorize", asked))
        login = secrets.token_urlsafe(16)
        with self._lock:
            self._open[login] = asked
        instruction = self.script.next(self.eid)
        if instruction is not None:
            return self._answered(login, self._someone(instruction, asked), instruction)
        return self._page(login, asked)

    def _bank(self, login: str) -> str | WsgiResponse:
        """A button of the bank's page was pressed."""
        chosen = "approve" if request.form.get("do") == "approve" else "refuse"
        person, fault = self._person(request.form.get("person")), request.form.get("fault") or None
        return self._answered(login, person, Instruction(None, chosen, fault), request.form.get("method", ""))

    def _token(self) -> Response:
        """Tokens for a code: once, within a minute, by whom it was given to, with the verifier."""
        client, given = self._agreements.caller(), request.form.to_dict()
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
        told = self.id_token(proved, access_token=access, client=client)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": told}
        return jsonify({**answer, "scope": "openid profile"})

    def _userinfo(self) -> Response:
        """UserInfo."""
        proved = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if proved is None:
            raise TokenFault("invalid_token", 401)
        return self.userinfo(proved, self._agreements.of(proved.client_id))

    def opened(self, given: dict[str, str]) -> dict[str, str]:
        """The request as it counts. Whoever wants it signed opens it here."""
        return given

    # How it is done

    def _person(self, number: str | None) -> EidPerson | None:
        return next((person for person in self.people if person.number == number), None)

    def _check(self, asked: dict[str, str], *, pushed: bool) -> None:
        """As strict as the papers allow."""
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
            not set(asked.get("acr_values", "").split()) <= set(self.known_acr),
        ]
        if any(wrong):
            raise TokenFault("invalid_request") if pushed else BadRequest("invalid_request")

    def _page(self, login: str, asked: dict[str, str]) -> str:
        methods = [method for acr in self._wanted(asked) for method in self.known_acr.get(acr, ())]
        people, hinted = self.people, asked.get("login_hint", "").removeprefix(":")
        return render_template(
            "eid/bank.html", people=[one for one in people if hinted in ("", one.number)], methods=methods,
            action=f"{self.realm}/bank/{login}", faults=self.faults, title=self.title,
            lang="nb" if asked.get("ui_locales", "nb") == "nb" else "en",
        )  # fmt: skip

    def _wanted(self, asked: dict[str, str]) -> list[str]:
        return asked.get("acr_values", "").split() or list(self.known_acr)[:1]

    def _someone(self, instruction: Instruction, asked: dict[str, str]) -> EidPerson | None:
        hinted = asked.get("login_hint", "").removeprefix(":")
        return self._person(instruction.person or hinted) or self.people[0]

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
            told = {"error": "access_denied", "error_description": self.denial}
            return self._back(asked, told, said.fault)
        acr, client = self._wanted(asked)[0], self._agreements.of(asked["client_id"])
        code = secrets.token_urlsafe(24)
        self._codes[code] = Proved(
            client_id=client.client_id,
            nonce=asked["nonce"],
            person=person,
            acr=acr,
            method=method if method in self.known_acr[acr] else self.known_acr[acr][0],
            scopes=tuple(asked["scope"].split()),
            number_allowed=client.number_allowed,
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
