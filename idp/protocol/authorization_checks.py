"""What must hold of an authorization request once client and redirect URI are known: a list, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from idp import clock
from idp.protocol import claims, details, errors
from idp.protocol.authorization_answers import MODES
from idp.protocol.errors import InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters, scopes
from idp.rules.assurance import LEVELS, MFA, reaches
from idp.rules.authorization_details import Details
from idp.services import subjects
from idp.services.clients import Client
from idp.signing import jws

CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
"""RFC 7636 §4.2."""

THUMBPRINT = re.compile(r"[A-Za-z0-9\-_]{43}")
"""RFC 7638, of SHA-256."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose every parameter was checked."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    resources: tuple[str, ...] = ()
    details: Details = ()
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str | None = None
    hinted: str | None = None
    ui_locales: tuple[str, ...] = ()
    claims: str = ""
    level: str = MFA
    response_mode: str = "query"
    pushed_as: str | None = None
    dpop_jkt: str | None = None
    asked_at: datetime


Draft = dict[str, object]
Check = Callable[[Parameters, Client, Parts], Draft]


def _sound(given: Parameters, _: Client, __: Parts) -> Draft:
    """Each parameter once, bounded, and text (SR-73)."""
    given.sound()
    return {}


def _pushed(given: Parameters, client: Client, _: Parts) -> Draft:
    """Whoever has to push its requests has pushed this one (RFC 9126 §6)."""
    if client.require_pushed_authorization_requests and given.pushed_as is None:
        raise InvalidRequest("this client must push its requests")
    return {"pushed_as": given.pushed_as}


def _only_code(given: Parameters, client: Client, _: Parts) -> Draft:
    if "response_type" not in given:
        raise InvalidRequest("response_type is missing")
    if given["response_type"] != "code":
        raise errors.UnsupportedResponseType("response_type must be code")
    if "authorization_code" not in client.grant_types:
        raise errors.UnauthorizedClient("the client is not registered for the authorization code grant")
    return {}


def _signed(given: Parameters, client: Client, _: Parts) -> Draft:
    """Whoever has to sign its requests has signed this one (RFC 9101 §10.5)."""
    if client.require_signed_request_object and not given.signed:
        raise InvalidRequest("this client must sign its requests: request is missing")
    return {}


def _no_reference(given: Parameters, _: Client, __: Parts) -> Draft:
    if "request_uri" in given:  # never fetched: SR-75
        raise errors.RequestUriNotSupported("request_uri is not taken")
    return {}


def _response_mode(given: Parameters, _: Client, __: Parts) -> Draft:
    mode = given.get("response_mode", "query")
    if mode not in MODES:
        raise InvalidRequest(f"response_mode must be one of {', '.join(MODES)}")
    return {"response_mode": mode}


def _pkce(given: Parameters, client: Client, _: Parts) -> Draft:
    """Bind the code to whoever asked for it (RFC 9700 §2.1.1)."""
    challenge = given.get("code_challenge")
    if challenge is None:
        if "code_challenge_method" in given:
            raise InvalidRequest("code_challenge is missing")
        if client.pkce_exempt and client.is_confidential:  # certification client only: SR-70
            return {}
        raise InvalidRequest("code_challenge is missing")
    if given.get("code_challenge_method") != "S256":  # a missing method means "plain": RFC 7636 §4.3
        raise InvalidRequest("code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be 43 to 128 characters of base64url")
    return {"code_challenge": challenge}


def _dpop_jkt(given: Parameters, _: Client, __: Parts) -> Draft:
    """The key that the code's tokens are to be bound to (RFC 9449 §10)."""
    thumbprint = given.get("dpop_jkt")
    if thumbprint is not None and not THUMBPRINT.fullmatch(thumbprint):
        raise InvalidRequest("dpop_jkt must be the SHA-256 thumbprint of a key: 43 characters of base64url")
    return {"dpop_jkt": thumbprint}


def _scope(given: Parameters, client: Client, _: Parts) -> Draft:
    asked = scopes(given.get("scope"))
    if "openid" not in asked:
        raise errors.InvalidScope("scope must have openid")
    return {"scopes": _with_verified(registered(asked, client), claims.read(given.get("claims")), client)}


def _with_verified(asked: tuple[str, ...], claims_asked: claims.ClaimsRequest, client: Client) -> tuple[str, ...]:
    """Verified claims are asked for by the `claims` parameter alone (Identity Assurance §5): that asks for their scope.

    So the person is asked for it, and nothing is told that was not granted (SR-123).
    """
    if claims_asked.wants_verified and claims.OF_VERIFIED in client.scope.split():
        return tuple(dict.fromkeys((*asked, claims.OF_VERIFIED)))
    return asked


def registered(asked: tuple[str, ...], client: Client) -> tuple[str, ...]:
    """These scopes, when the client is registered for all of them. Raises `InvalidScope`."""
    if set(asked) - set(client.scope.split()):
        raise errors.InvalidScope("scope has a word that the client is not registered for")
    return asked


def _resources(given: Parameters, client: Client, _: Parts) -> Draft:
    """RFC 8707: only what the client may reach; one that asks for none may reach its only one."""
    return {"resources": targeted(given, client)}


def targeted(given: Parameters, client: Client) -> tuple[str, ...]:
    """The resources asked for, when the client may reach all of them. Raises `InvalidTarget`."""
    if set(given.resources) - set(client.resources):
        raise errors.InvalidTarget("resource is not one that the client may ask for")
    return tuple(dict.fromkeys(given.resources))


def _details(given: Parameters, client: Client, _: Parts) -> Draft:
    """RFC 9396 §5."""
    return {"details": details.asked(client, given)}


def _prompt(given: Parameters, _: Client, __: Parts) -> Draft:
    prompt = frozenset(given.get("prompt", "").split())
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest("prompt has none together with others")
    return {"prompt": prompt & PROMPTS}


def _max_age(given: Parameters, client: Client, _: Parts) -> Draft:
    if "max_age" not in given:
        return {"max_age": client.default_max_age}
    text = given["max_age"]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRequest("max_age must be a whole number of seconds, not negative")
    return {"max_age": int(text)}


def _level(given: Parameters, client: Client, parts: Parts) -> Draft:
    """The first level asked for that can be reached; an error rather than silently less (SR-59)."""
    asked = claims.read(given.get("claims"))
    essential = asked.acr_essential and bool(asked.acr_values)
    wanted = asked.acr_values or tuple(given.get("acr_values", "").split()) or client.default_acr_values
    level = reachable(wanted, parts)
    if level is None and essential:
        raise errors.UnmetAuthentication("none of the essential acr values is known here")
    return {"level": level or MFA}


def reachable(wanted: Sequence[str], parts: Parts) -> str | None:
    """The first of these levels that can be reached here, two factors at least; None where none is known.

    Raises `UnmetAuthentication` where those that are known are all beyond reach.
    """
    known = [acr for acr in wanted if acr in LEVELS]
    for acr in known:
        if any(reaches(level, acr) for level in parts.levels):
            return acr if reaches(acr, MFA) else MFA
    if known:
        raise errors.UnmetAuthentication("none of the acr values can be reached here")
    return None


def _hint(given: Parameters, client: Client, parts: Parts) -> Draft:
    """Who is expected. An expired ID token is still a good hint (OIDC Core §3.1.2.1)."""
    subject = claims.read(given.get("claims")).sub
    if "id_token_hint" not in given:
        return {"hinted": subjects.account_of(client, subject)} if subject else {}
    hint = hinted_subject(given["id_token_hint"], client, parts)
    if subject is not None and subject != hint:
        raise InvalidRequest("id_token_hint and the sub asked for are two people")
    return {"hinted": subjects.account_of(client, hint)}


def hinted_subject(token: str, client: Client, parts: Parts) -> str:
    """Who an ID token of this client speaks of, expired or not. Raises `InvalidRequest`."""
    try:
        hint = parts.keyring.verify_own(token, typ="JWT")
    except jws.Untrusted as problem:
        raise InvalidRequest("id_token_hint is not an ID token of ours") from problem
    if hint.get("iss") != parts.issuer or hint.get("aud") != client.client_id:
        raise InvalidRequest("id_token_hint is not for this client")
    return str(hint["sub"])


def _carried(given: Parameters, _: Client, __: Parts) -> Draft:
    return {
        "nonce": given.get("nonce"),
        "login_hint": given.get("login_hint"),
        "ui_locales": tuple(given.get("ui_locales", "").split()),
        "claims": given.get("claims", ""),
    }


CHECKS: tuple[Check, ...] = (
    _sound,
    _pushed,
    _only_code,
    _signed,
    _no_reference,
    _response_mode,
    _pkce,
    _dpop_jkt,
    _scope,
    _resources,
    _details,
    _prompt,
    _max_age,
    _level,
    _hint,
    _carried,
)
"""In this order; the first that fails is what the client hears. Client and redirect URI come before all of them."""


def checked(given: Parameters, client: Client, redirect_uri: str, parts: Parts) -> AuthorizationRequest:
    """The request, every parameter of it checked. Raises the first `OAuthError` of the list."""
    draft: Draft = {"state": given.get("state"), "client_id": client.client_id, "redirect_uri": redirect_uri}
    for check in CHECKS:
        draft |= check(given, client, parts)
    return AuthorizationRequest(**draft, asked_at=clock.now())  # type: ignore[arg-type]
