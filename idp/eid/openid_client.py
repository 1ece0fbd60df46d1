"""What we are to an OpenID provider: our settings there, how we prove ourselves, what we sign and can decrypt.

Client authentication: RFC 6749 §2.3.1, OpenID Connect Core §9. Signed requests: RFC 9101.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from cryptography.exceptions import InvalidTag
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from msgspec import Meta, Struct

from idp.signing import jws

LIFETIME = 60
"""Seconds that a client assertion or a signed request lives; some providers take at most 120."""

LONGEST_ENCRYPTED = 24 * 1024
"""Characters of the longest encrypted token that is looked at: the longest signed one, wrapped."""

_JWE_HEADER = frozenset({"alg", "enc", "kid", "typ", "cty", "epk", "apu", "apv", "x5t", "x5t#S256"})
"""Members an encrypted token's header may have. What is not here (`zip`, `crit`, `jku`, …) is refused."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

SignatureAlgorithm = Literal["ES256", "PS256", "RS256"]
KeyAlgorithm = Literal["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]
ContentAlgorithm = Literal["A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512"]


class OpenIdClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys that every eID behind OpenID Connect has."""

    issuer: str
    """The provider's issuer identifier, byte for byte as its tokens name it."""
    client_id: str
    """What the provider calls us."""
    client_authentication: Literal["private_key_jwt", "client_secret_basic", "client_secret_post"] = "private_key_jwt"
    """How we prove ourselves to the provider. A key is safer than a secret."""
    client_secret_file: str | None = None
    """File with the client secret, for the two ways that use one."""
    signing_key_file: str | None = None
    """PEM file of our private key, for `private_key_jwt` and signed requests: EC P-256, or RSA of 2048 bits or more."""
    signing_key_id: str = ""
    """The `kid` the provider knows that key by. Empty: its thumbprint (RFC 7638)."""
    signing_algorithm: SignatureAlgorithm = "ES256"
    """What we sign with; it must fit the key."""
    assertion_audience: Literal["issuer", "token_endpoint"] = "issuer"
    """Whom our client assertions are for. Providers differ; RFC 7523 allows both."""
    pushed_requests: Literal["when-offered", "always", "never"] = "when-offered"
    """Send requests to the provider beforehand (RFC 9126), so that none of it is in the browser."""
    signed_requests: bool = False
    """Sign requests (RFC 9101); only `client_id` stays outside."""
    token_algorithms: tuple[SignatureAlgorithm, ...] = ("ES256",)
    """The only algorithms taken in ID tokens and signed UserInfo."""
    encryption_key_files: dict[str, str] = {}
    """Our private keys that tokens are encrypted to: `kid` = PEM file. Where there is one, plain tokens are refused."""
    key_algorithms: tuple[KeyAlgorithm, ...] = ("RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
    """The only `alg` taken in encrypted tokens."""
    content_algorithms: tuple[ContentAlgorithm, ...] = ("A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512")
    """The only `enc` taken in encrypted tokens."""
    check_digits: bool = True
    """Take no Norwegian number whose check digits are wrong. From 2032 on genuine numbers may break that rule."""
    browser_origins: tuple[str, ...] = ()
    """Origins that the browser passes on its way to the provider's page, beside the issuer's own."""
    trusted_roots_file: str | None = None
    """PEM file of the roots that the provider's TLS certificate must lead to. Without it the system's own count."""
    timeout: Annotated[float, Meta(gt=0, le=30)] = 5.0
    """Seconds the provider may take for one answer."""


class Credentials:
    """Our keys and secrets at one provider. Raises ValueError for settings that cannot work, naming the key."""

    def __init__(self, settings: OpenIdClient) -> None:
        self._settings = settings
        self._secret = _secret(settings)
        self._signer = _signer(settings)
        self._decryption = {kid: _private(path) for kid, path in settings.encryption_key_files.items()}

    @property
    def encrypted(self) -> bool:
        """Whether tokens for us are encrypted."""
        return bool(self._decryption)

    def authenticated(
        self, form: Mapping[str, str], *, audience: str, now: datetime
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The form and the headers that carry it with our authentication."""
        client = self._settings.client_id
        match self._settings.client_authentication:
            case "client_secret_basic":
                pair = f"{quote(client, safe='')}:{quote(self._secret, safe='')}"
                return dict(form), {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
            case "client_secret_post":
                return {**form, "client_id": client, "client_secret": self._secret}, {}
            case "private_key_jwt":
                assertion = self._signed({"sub": client}, typ="JWT", audience=audience, now=now)
                kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                return {**form, "client_id": client, "client_assertion_type": kind, "client_assertion": assertion}, {}

    def request_object(self, parameters: Mapping[str, str | int], *, now: datetime) -> str:
        """The authorization request as a signed JWT (RFC 9101 §4)."""
        client = {"client_id": self._settings.client_id}
        return self._signed(
            {**parameters, **client}, typ="oauth-authz-req+jwt", audience=self._settings.issuer, now=now
        )

    def decrypted(self, token: str) -> str:
        """The signed token inside an encrypted one. Raises `jws.Untrusted`."""
        header = self._header(token)
        key = self._key_for(header.get("kid"))
        allowed = [*self._settings.key_algorithms, *self._settings.content_algorithms]
        try:
            plain = jwe.decrypt_compact(token, key, registry=jwe.JWERegistry(algorithms=allowed)).plaintext
            return (plain or b"").decode("ascii")
        except (JoseError, InvalidTag, ValueError, TypeError, KeyError) as problem:
            raise jws.Untrusted(f"cannot be decrypted: {type(problem).__name__}") from None

    def _signed(self, claims: Mapping[str, Any], *, typ: str, audience: str, now: datetime) -> str:
        if self._signer is None:
            raise ValueError("signing_key_file is needed")
        kid, key = self._signer
        algorithm = self._settings.signing_algorithm
        at = int(now.timestamp())
        lasting = {"iat": at, "nbf": at, "exp": at + LIFETIME, "jti": secrets.token_urlsafe(16)}
        header = jws.header(algorithm=algorithm, kid=kid, typ=typ)
        said = {**claims, "iss": self._settings.client_id, "aud": audience, **lasting}
        return jws.signed(header, said, key=key, algorithm=algorithm)

    def _header(self, token: str) -> dict[str, Any]:
        """The header, once it is sure that it asks for nothing that was not agreed on (RFC 7516 §5.2)."""
        if len(token) > LONGEST_ENCRYPTED or token.count(".") != 4:
            raise jws.Untrusted("not a compact JWE, or too long")
        try:
            first = token.partition(".")[0].encode("ascii")
            header = json.loads(urlsafe_b64decode(first + b"=" * (-len(first) % 4)), object_pairs_hook=_once)
        except (ValueError, RecursionError):
            raise jws.Untrusted("the header is not JSON") from None
        if not isinstance(header, dict) or not set(header) <= _JWE_HEADER:
            raise jws.Untrusted("header has a member that is refused")
        if (
            header.get("alg") not in self._settings.key_algorithms
            or header.get("enc") not in self._settings.content_algorithms
        ):
            raise jws.Untrusted("algorithm is not allowed")
        return header

    def _key_for(self, kid: object) -> jws.Key:
        """The key by its name; without a name, the only one there is."""
        if kid is None and len(self._decryption) == 1:
            return next(iter(self._decryption.values()))
        if not isinstance(kid, str) or kid not in self._decryption:
            raise jws.Untrusted("no such key")
        return self._decryption[kid]


def address(url: object, *, name: str, loopback: bool) -> str:
    """An address of the provider: https, or plain http on this machine in the demo. Raises ValueError, naming it."""
    if not isinstance(url, str) or not _is_address(url, loopback=loopback):
        raise ValueError(f"{name} must be an https address; plain http is for a provider on loopback only")
    return url


def _is_address(url: str, *, loopback: bool) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket too many, say
        return False
    plain = loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK
    written_well = url.isascii() and url.isprintable() and " " not in url
    return (parts.scheme == "https" or plain) and bool(parts.hostname) and not {"@", "#"} & set(url) and written_well


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _secret(settings: OpenIdClient) -> str:
    if settings.client_authentication == "private_key_jwt":
        return ""
    if not settings.client_secret_file:
        raise ValueError(f"client_secret_file is needed for {settings.client_authentication}")
    return Path(settings.client_secret_file).read_text("utf-8").strip()


def _signer(settings: OpenIdClient) -> tuple[str, jws.Key] | None:
    if not settings.signing_key_file:
        if settings.signed_requests or settings.client_authentication == "private_key_jwt":
            raise ValueError("signing_key_file is needed for private_key_jwt and for signed_requests")
        return None
    key = _private(settings.signing_key_file)
    if isinstance(key, ECKey) is not (settings.signing_algorithm == "ES256"):
        raise ValueError("signing_algorithm does not fit the key in signing_key_file")
    return settings.signing_key_id or key.thumbprint(), key


def _private(path: str) -> ECKey | RSAKey:
    content = Path(path).read_bytes()
    for kind in (ECKey, RSAKey):
        try:
            key = kind.import_key(content)
        except (JoseError, ValueError, TypeError):
            continue  # of the other kind, or of none: said below
        if key.is_private and _strong(key):
            return key
    raise ValueError(f"{path} must hold a private key in PEM: EC P-256, or RSA of 2048 bits or more")


def _strong(key: ECKey | RSAKey) -> bool:
    return key.curve_name == "P-256" if isinstance(key, ECKey) else key.raw_value.key_size >= 2048


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found
