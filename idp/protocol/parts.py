"""What the endpoints work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from werkzeug.wrappers import Response

from idp.cookies import Cookies
from idp.interaction import Interactions
from idp.outgoing.guarded import Guarded
from idp.protocol.client_auth import ClientAuthentication
from idp.protocol.client_certificates import ClientCertificates
from idp.protocol.dpop import Proofs
from idp.rules.assurance import MFA
from idp.services.client_keys import ClientKeys
from idp.settings import Settings
from idp.signing.keyring import Keyring
from idp.stores.shortlived.contract import ShortLived


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Built once per process, handed to every endpoint."""

    settings: Settings
    store: ShortLived
    keyring: Keyring
    interactions: Interactions
    cookies: Cookies
    authenticate: ClientAuthentication
    client_keys: ClientKeys
    guarded: Guarded
    """The way to addresses that clients name."""
    certificates: ClientCertificates
    proofs: Proofs
    form_post: Callable[[str, Mapping[str, str]], Response]
    """The page that sends an answer on to a redirect URI by a form."""
    identity_levels: tuple[str, ...] = ()
    """The levels of identity that some eID here can prove."""
    trust_frameworks: tuple[str, ...] = ()
    """Under which rules those eIDs verify people."""
    evidence: tuple[str, ...] = ()
    """The types of evidence that they bring."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that a person can be brought to here. One factor alone is never enough for a token."""
        return (MFA, *self.identity_levels)

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return self.settings.server.issuer
