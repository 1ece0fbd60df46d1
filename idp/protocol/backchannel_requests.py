"""What must hold of a CIBA authentication request (OpenID CIBA Core §7.1, §7.2), signed or not."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from idp.protocol import details, errors, request_objects
from idp.protocol.authorization_checks import hinted_subject, reachable, registered, targeted
from idp.protocol.errors import InvalidRequest, UnknownUserId
from idp.protocol.parts import Parts
from idp.protocol.pushed_requests import CREDENTIALS
from idp.protocol.request import Parameters, of_values, scopes
from idp.rules.assurance import MFA
from idp.rules.identifiers import Malformed, email_address
from idp.services import accounts, subjects
from idp.services.accounts import Account
from idp.services.clients import Client
from idp.services.decoupled import Asked
from idp.signing import jws
from idp.stores.shortlived import replays

HINTS = ("login_hint", "id_token_hint", "login_hint_token")
SIGNED_CLAIMS = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti"})
"""OpenID CIBA Core §7.1.1: all of them are needed."""

NOTIFICATION_TOKEN = re.compile(r"(?=.{22,1024}\Z)[A-Za-z0-9\-._~+/]+=*")
"""A bearer token (RFC 6750 §2.1) of 128 bits at least and 1024 characters at most (§7.1)."""

LONGEST_MESSAGE = 80
PUNCTUATION = " .,:;!?+-#%&()'\"/"
"""What may stand in a binding message beside letters and digits: it is to be compared by people."""

SHORTEST, LONGEST = 60, 600
"""Seconds that a client may ask its request to live (§7.1, SR-13): what it asks for beyond is cut."""

LONGEST_SIGNED = 3600
"""Seconds between `nbf` and `exp` of a signed request (FAPI-CIBA §5.2.2)."""


def opened(given: Parameters, client: Client, parts: Parts) -> Parameters:
    """The parameters that count: those that are signed, for a client that signs its requests (§7.1.1)."""
    algorithm = client.backchannel_authentication_request_signing_alg
    if algorithm is None:
        if "request" in given:
            raise InvalidRequest("the client is not registered to sign its requests")
        return given
    if "request" not in given:
        raise InvalidRequest("this client must sign its requests: request is missing")
    if set(given) - {"request", "client_id", *CREDENTIALS} or given.resources:
        raise InvalidRequest("a parameter stands outside of the signed request")
    claims = _claims(given["request"], client, parts, algorithm)
    return of_values(request_objects.values(claims, client)).sound()


def checked(given: Parameters, client: Client, parts: Parts) -> tuple[Asked, Account | None]:
    """What is asked for, and the account that the hint names, if there is one. Raises the first `OAuthError`."""
    if "scope" not in given:
        raise InvalidRequest("scope is missing")
    asked = scopes(given["scope"])
    if "openid" not in asked:
        raise errors.InvalidScope("scope must have openid")
    made = Asked(
        kind="backchannel",
        scopes=registered(asked, client),
        resources=targeted(given, client),
        details=details.asked(client, given),
        level=_level(given, client, parts),
        lifetime=_lifetime(given, parts),
        binding_message=_binding_message(given, client),
        notification_token=_notification_token(given, client),
    )
    return made, _account(given, client, parts)


def _claims(token: str, client: Client, parts: Parts, algorithm: str) -> dict[str, Any]:
    try:
        claims = parts.client_keys.verify(client, token, algorithms=(algorithm,), typ=request_objects.TYPES)
    except jws.Untrusted as problem:
        raise InvalidRequest("the request is not signed as the client is registered") from problem
    if not claims.keys() >= SIGNED_CLAIMS or claims["iss"] != client.client_id or "sub" in claims:
        raise InvalidRequest("the signed request lacks a claim, or is of another client or kind")
    audience = claims["aud"]
    if parts.issuer not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidRequest("aud of the signed request is not this provider")
    try:
        request_objects.check_times(claims)
    except errors.InvalidRequestObject as problem:  # §13 has no code of its own for it
        raise InvalidRequest(problem.description) from problem
    if claims["exp"] - claims["nbf"] > LONGEST_SIGNED or not isinstance(claims["jti"], str):
        raise InvalidRequest("the signed request lives too long, or its jti is no text")
    if not replays.claim(parts.store, f"{client.client_id}:asked:{claims['jti']}", ttl=LONGEST_SIGNED + SHORTEST):
        raise InvalidRequest("the signed request was used before")
    return claims


def _account(given: Parameters, client: Client, parts: Parts) -> Account | None:
    """Whom the one hint names (§7.2).

    Whether an address has an account is not told: None is answered like an account. `UnknownUserId` is for what
    can be nobody's address, and for an ID token whose person has no account any more: the client knew them.
    """
    named = [hint for hint in HINTS if hint in given]
    if len(named) != 1:
        raise InvalidRequest(f"exactly one of {', '.join(HINTS)} is needed")
    if named == ["login_hint_token"]:
        raise InvalidRequest("login_hint_token is not taken: send login_hint or id_token_hint")
    if named == ["id_token_hint"]:
        subject = hinted_subject(given["id_token_hint"], client, parts)
        account = accounts.by_id(subjects.account_of(client, subject))
        if account is None:
            raise UnknownUserId("nobody has this id_token_hint any more")
        return account
    try:
        return accounts.by_address(email_address(given["login_hint"]).canonical)
    except Malformed as problem:
        raise UnknownUserId("login_hint is no e-mail address") from problem


def _level(given: Parameters, client: Client, parts: Parts) -> str:
    wanted = tuple(given.get("acr_values", "").split()) or client.default_acr_values
    try:
        return reachable(wanted, parts) or MFA
    except errors.UnmetAuthentication as problem:  # never silently less (SR-59); §13 has no code of its own for it
        raise InvalidRequest(problem.description) from problem


def _lifetime(given: Parameters, parts: Parts) -> int:
    text = given.get("requested_expiry")
    if text is None:
        return parts.settings.tokens.backchannel_request
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
        raise InvalidRequest("requested_expiry must be a whole number of seconds, more than none")
    return min(max(int(text), SHORTEST), LONGEST)


def _binding_message(given: Parameters, client: Client) -> str:
    message = unicodedata.normalize("NFC", given.get("binding_message", ""))
    if client.profile is not None and not message:  # FAPI-CIBA §5.2.2
        raise errors.InvalidBindingMessage("this client must send a binding_message")
    if len(message) > LONGEST_MESSAGE or not all(_is_plain(character) for character in message):
        raise errors.InvalidBindingMessage(
            f"binding_message may have {LONGEST_MESSAGE} letters, digits, spaces and plain punctuation"
        )
    return message


def _is_plain(character: str) -> bool:
    return character in PUNCTUATION or unicodedata.category(character) in ("Lu", "Ll", "Lo", "Nd")


def _notification_token(given: Parameters, client: Client) -> str:
    """What the client will be told with; for one that polls it means nothing (§7.1)."""
    if client.backchannel_token_delivery_mode != "ping":  # noqa: S105 - the name of a mode
        return ""
    token = given.get("client_notification_token", "")
    if not NOTIFICATION_TOKEN.fullmatch(token):
        raise InvalidRequest("client_notification_token must be a bearer token of 22 to 1024 characters")
    return token
