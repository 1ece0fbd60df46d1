"""The settings: `config.toml` as types. The words of every key live here, beside the key.

`config.example.toml` and docs/config.md are printed from these docstrings.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

Seconds = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=1)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file. An unknown key stops the start."""


class Server(Section, frozen=True, kw_only=True):
    """[server] Where the provider is, and how it listens."""

    issuer: str
    """The issuer identifier: an https origin, as browsers and clients reach it. Plain http is for loopback only."""
    listen: str = "127.0.0.1:8000"
    """Address and port to listen on."""
    operations_listen: str = "127.0.0.1:9000"
    """Address and port for health and readiness, apart from the public one (SR-116)."""
    workers: Count = 1
    """Processes; one per core is right."""
    threads: Count = 4
    """Threads per process."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of proxies whose X-Forwarded-For is believed. Empty: none."""
    forwarded_hops: Count = 1
    """How many trusted proxies stand in a row in front of the provider."""
    worker: bool = True
    """Run the background worker inside the server. Switch off where `idp worker` runs by itself."""


class Service(Section, frozen=True, kw_only=True):
    """[service] What people read: names, languages, whom to ask."""

    name: str = "Alumni"
    """The service people sign in to reach, when the client has no name of its own."""
    provider_name: str = "Alumni ID"
    """The name printed on these pages and in authenticator apps."""
    languages: tuple[str, ...] = ("nb", "en")
    """Languages offered, in order. Built in: nb, en."""
    default_language: str = "nb"
    """Language when nothing else decides."""
    support_phone: str = "+47 22 00 00 00"
    """Phone number people may call."""
    support_email: str = "hjelp@example.com"
    """Address people may write to."""
    support_hours: str = "08-16"
    """Opening hours, as shown beside the phone number."""
    work_email_domains: tuple[str, ...] = ()
    """Employers' mail domains: an address in one of them is warned about at sign-up, never refused."""
    time_zone: str = "Europe/Oslo"
    """Time zone of clock times in mails."""


class Database(Section, frozen=True, kw_only=True):
    """[database] The durable store."""

    url: str = "sqlite:///var/idp.sqlite"
    """SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://user@host/name`."""
    password_file: str | None = None
    """File with the database password, if the URL has none."""
    pool_size: Count = 5
    """Connections held per process."""
    timeout: Seconds = 2
    """Seconds to wait for a connection or a lock before answering 503."""


class ShortLivedStore(Section, frozen=True, kw_only=True):
    """[shortlived] The store of what may vanish."""

    url: str = "sqlite:///var/shortlived.sqlite"
    """`sqlite:///path` for one machine; `redis://`, `rediss://` or `unix://` at scale."""
    password_file: str | None = None
    """File with the Redis password."""
    timeout_milliseconds: Annotated[int, Meta(ge=10, le=5000)] = 250
    """Milliseconds before the store counts as down."""


class Secrets(Section, frozen=True, kw_only=True):
    """[secrets] Root secrets: files of lines `id:base64url`, the first line active, mode 0600."""

    directory: str = "keys"
    """Folder of encryption.key, lookup.key, pepper.key, made by `idp setup`."""


class Passwords(Section, frozen=True, kw_only=True):
    """[passwords] Passwords and their hashing."""

    minimum_length: Annotated[int, Meta(ge=8, le=64)] = 12
    """Fewest code points of a new password (SR-1)."""
    argon2_memory_kib: Annotated[int, Meta(ge=19456)] = 65536
    """Memory of argon2id in KiB (SR-7)."""
    argon2_passes: Annotated[int, Meta(ge=2)] = 3
    """Passes of argon2id."""
    hashing_threads: Annotated[int, Meta(ge=0)] = 0
    """Threads that hash, per process; 0 means one per core (SR-9)."""
    hashing_queue: Count = 64
    """Waiting hashes per process; beyond it the answer is 503."""


class Codes(Section, frozen=True, kw_only=True):
    """[codes] One-time codes by e-mail, text message and voice call."""

    phone_lifetime: Annotated[int, Meta(ge=60, le=600)] = 600
    """Seconds a code by text message or call lives. SR-13 caps it at 600."""
    reset_lifetime: Annotated[int, Meta(ge=60, le=900)] = 600
    """Seconds an e-mailed reset code lives."""
    address_lifetime: Annotated[int, Meta(ge=60, le=3600)] = 1800
    """Seconds an e-mailed code lives that proves an address at sign-up or change."""
    tries: Annotated[int, Meta(ge=1, le=5)] = 5
    """Wrong tries per challenge (SR-17)."""
    resend_waits: tuple[int, ...] = (30, 60, 120)
    """Seconds to wait before the second, third and any later code of a challenge."""
    subject_has_code: bool = True
    """Begin the subject of a code mail with the code. Off: the subject ends with the time."""


class Limits(Section, frozen=True, kw_only=True):
    """[limits] How often things may happen (requirements, sections B and C)."""

    sends_per_destination_hour: Count = 5
    """Codes to one address or number an hour."""
    sends_per_destination_day: Count = 10
    """Codes to one address or number a day."""
    sends_per_address_hour: Count = 10
    """Codes asked for from one IP address an hour."""
    sends_per_network_hour: Count = 30
    """Codes asked for from one IPv4 /24 or IPv6 /64 an hour."""
    sends_per_prefix_hour: Count = 50
    """Codes to one phone prefix (country and four digits) an hour; calls at half."""
    sms_per_day: Count = 10000
    """Text messages and calls a day in total, before numbers not yet on an account are refused."""
    guesses_per_hour: Count = 10
    """Wrong codes per account and factor an hour."""
    guesses_per_day: Count = 20
    """Wrong codes per account and factor a day."""
    guesses_in_a_row: Annotated[int, Meta(ge=1, le=100)] = 100
    """Wrong tries in a row before that factor is switched off (SR-17, SR-30)."""
    password_failures_per_address: Count = 30
    """Failed sign-ins from one IP address in ten minutes."""
    password_failures_per_network: Count = 100
    """Failed sign-ins from one network in ten minutes."""
    journeys_per_address_hour: Count = 300
    """New journeys from one IP address an hour (SR-34)."""
    journeys_total_minute: Count = 6000
    """New journeys a minute in total."""
    device_requests_per_address_hour: Count = 60
    """Device authorization requests an hour from one IP address, by clients that do not authenticate (SR-34)."""
    device_requests_total_minute: Count = 600
    """Device authorization requests a minute in total."""
    user_codes_per_address_hour: Count = 30
    """User codes tried an hour from one IP address, right ones included (RFC 8628 §5.1)."""
    user_codes_total_hour: Count = 3000
    """User codes tried an hour in total."""
    backchannel_requests_per_client_hour: Count = 1000
    """CIBA requests of one client an hour."""
    eid_starts_per_account_hour: Count = 10
    """Attempts with an eID an hour that may come to nothing, per account."""
    eid_starts_per_network_hour: Count = 60
    """Attempts with an eID an hour from one network."""
    introspection_misses_minute: Count = 600
    """Tokens a minute that one client may ask about in vain, before it has to wait (SR-98)."""
    sign_up_seconds: Annotated[int, Meta(ge=0)] = 1
    """Fewest seconds between showing and sending the sign-up form."""


class Sessions(Section, frozen=True, kw_only=True):
    """[sessions] Browser sessions and journeys."""

    idle: Annotated[int, Meta(ge=60, le=3600)] = 1800
    """Seconds without use before a session ends (SR-55)."""
    absolute: Annotated[int, Meta(ge=60, le=86400)] = 43200
    """Seconds before a session ends in any case."""
    per_account: Count = 10
    """Live sessions per account; the oldest ends (SR-56)."""
    journey: Seconds = 86400
    """Seconds a journey is remembered, renewed by use."""
    address_proof: Seconds = 3600
    """Seconds a proved e-mail address counts inside a journey."""
    identity_proof: Annotated[int, Meta(ge=60, le=3600)] = 900
    """Seconds a proof of identity by an eID lifts the level (SR-106)."""
    remember_device: Annotated[int, Meta(ge=0, le=30)] = 0
    """Days a browser is not asked for a code where its owner wants it so (SR-43). 0: it is not offered."""
    recheck: Annotated[int, Meta(ge=60, le=3600)] = 600
    """Seconds both factors may be old when an identity is tied to an account, or security changed (SR-40, SR-104)."""


class Recovery(Section, frozen=True, kw_only=True):
    """[recovery] Lost phones and changed addresses: how long they wait, and how long they may be undone."""

    phone_wait: Annotated[int, Meta(ge=86400, le=604800)] = 86400
    """Seconds until a new phone counts that was proved by eID or support alone; as long it may be undone."""
    address_undo: Annotated[int, Meta(ge=259200, le=604800)] = 259200
    """Seconds in which the old address may undo a change of address (SR-66)."""
    former_address: Annotated[int, Meta(ge=604800, le=2592000)] = 604800
    """Seconds in which an address that was left still leads back to its account, and to no other."""
    pending_address: Annotated[int, Meta(ge=1800, le=86400)] = 86400
    """Seconds in which a new address must be proved after it was asked for (SR-66)."""
    support_code: Annotated[int, Meta(ge=3600, le=259200)] = 259200
    """Seconds a code of `idp person start-recovery` counts."""


class Retention(Section, frozen=True, kw_only=True):
    """[retention] How long is kept what is no longer in use (SR-125). The worker deletes it."""

    codes_hours: Annotated[int, Meta(ge=1, le=24)] = 24
    """Hours for one-time codes, used or not, and for messages that were sent or given up."""
    sessions_days: Annotated[int, Meta(ge=1, le=30)] = 30
    """Days for sessions, tokens and attempts with an eID that are over."""
    networks_days: Annotated[int, Meta(ge=1, le=90)] = 90
    """Days for the networks that events came from, and for what people read of their account's activity."""
    counters_days: Annotated[int, Meta(ge=1, le=90)] = 30
    """Days for counters of wrong tries that nobody touched."""
    browsers_days: Annotated[int, Meta(ge=30, le=800)] = 400
    """Days for browsers in which nobody signs in any more: the next sign-in there is told as a new one."""
    erasure_days: Annotated[int, Meta(ge=1, le=30)] = 7
    """Days in which people may take back that their account is to be deleted (SR-126)."""


class Tokens(Section, frozen=True, kw_only=True):
    """[tokens] What clients get."""

    authorization_code: Annotated[int, Meta(ge=10, le=60)] = 60
    """Seconds an authorization code lives (SR-79)."""
    pushed_request: Annotated[int, Meta(ge=10, le=600)] = 90
    """Seconds in which a browser must come with a pushed authorization request (SR-74)."""
    device_code: Annotated[int, Meta(ge=60, le=1800)] = 600
    """Seconds a device and the person at it have for a device authorization."""
    backchannel_request: Annotated[int, Meta(ge=60, le=600)] = 300
    """Seconds a person has to answer a CIBA request; a client may ask for fewer, or for ten minutes at most (SR-13)."""
    dpop_nonce_required: bool = False
    """Refuse DPoP proofs that do not hold a nonce of ours (RFC 9449 §8). Off: a nonce is offered, and honoured."""
    access_token: Annotated[int, Meta(ge=60, le=3600)] = 600
    """Seconds an access token lives (SR-84)."""
    id_token: Annotated[int, Meta(ge=60, le=3600)] = 600
    """Seconds an ID token is valid."""
    refresh_idle: Seconds = 604800
    """Seconds a refresh token lives unused."""
    refresh_absolute: Seconds = 2592000
    """Seconds a refresh family lives in all."""
    refresh_grace: Annotated[int, Meta(ge=0, le=10)] = 10
    """Seconds in which the preceding refresh token may be tried once more (SR-86)."""


class Passkeys(Section, frozen=True, kw_only=True):
    """[passkeys] Passkeys: sign-in by face, fingerprint or screen lock (WebAuthn)."""

    enabled: bool = True
    """Offer passkeys. Off: nobody can use or make one; those that were made stay."""
    relying_party_id: str | None = None
    """Domain that passkeys belong to: the issuer's host (default) or a domain above it. Another one voids them all."""
    origins: tuple[str, ...] = ()
    """Further origins whose pages may use these passkeys, compared as a whole. The issuer's own always may."""
    attestation_roots: str | None = None
    """PEM file of makers' certificates. With it a new passkey must prove by which of `authenticators` it was made."""
    authenticators: tuple[str, ...] = ()
    """AAGUIDs of the authenticators that are taken then. Most people's passkeys prove nothing of the kind."""
    offer_after_sign_up: bool = False
    """Offer a passkey at the end of a sign-up. After a reset it is offered in any case."""


class Mail(Section, frozen=True, kw_only=True):
    """[mail] Mail over SMTP."""

    host: str = "localhost"
    """SMTP server."""
    port: int = 587
    """Its port."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`starttls`, `tls` (implicit), or `none` for loopback only."""
    username: str | None = None
    """User name, if the server asks for one."""
    password_file: str | None = None
    """File with the password."""
    sender: str = "no-reply@login.example.com"
    """From address, of the provider's own domain."""
    reply_to: str | None = None
    """Where answers go: an address read by people."""
    timeout: Seconds = 10
    """Seconds for one delivery."""


class Gateway(Section, frozen=True, kw_only=True):
    """[sms] and [voice] A JSON gateway over HTTP."""

    url: str = "http://localhost:8003/gateway"
    """Address that takes POST `{"channel","to","text","language","id"}` and answers 2xx."""
    token_file: str | None = None
    """File with the bearer token the gateway wants."""
    timeout: Seconds = 5
    """Seconds for one delivery."""


class Outgoing(Section, frozen=True, kw_only=True):
    """[outgoing] Addresses that clients name: their keys, and where they want to hear of something (SR-112)."""

    allowed_networks: tuple[str, ...] = ()
    """Networks (CIDR) of yours that such addresses may lie in. Empty: only public ones are called."""
    trusted_roots: str | None = None
    """PEM file of further roots for their certificates, besides the system's."""


class Location(Section, frozen=True, kw_only=True):
    """[location] About where people are signed in, shown to them alone in their own list of devices."""

    database: str | None = None
    """Path of a database of networks and towns in MaxMind's format (.mmdb). Without one no place is shown."""


class Registration(Section, frozen=True, kw_only=True):
    """[registration] Clients that register themselves (RFC 7591), with a token of `idp client invite`."""

    enabled: bool = False
    """Open the registration endpoint (SR-110)."""


class MutualTls(Section, frozen=True, kw_only=True):
    """[mutual_tls] Certificates of clients (RFC 8705), asked for here (`listen`) or passed on by a proxy (`header`)."""

    header: str | None = None
    """Header in which a proxy of `server.trusted_proxies` passes the certificate: percent-encoded PEM, or RFC 9440."""
    listen: str | None = None
    """Address and port at which `idp serve` itself speaks TLS and asks for certificates, for clients only."""
    certificate: str | None = None
    """PEM file of our certificate there, with its chain."""
    private_key_file: str | None = None
    """PEM file of the key of that certificate."""
    issuers: str | None = None
    """PEM file of the authorities whose certificates count for `tls_client_auth`."""
    base_url: str | None = None
    """Origin at which certificates are asked for, if it is not the issuer's own (RFC 8705 §5)."""

    @property
    def offered(self) -> bool:
        """Whether certificates of clients come to us in any way."""
        return self.header is not None or self.listen is not None


class Phones(Section, frozen=True, kw_only=True):
    """[phones] Which numbers may get codes."""

    countries: tuple[str, ...] = (
        "NO", "SE", "DK", "FI", "IS", "EE", "LV", "LT", "PL", "DE", "GB", "AT", "BE", "BG", "HR", "CY", "CZ", "FR",
        "GR", "HU", "IE", "IT", "LI", "LU", "MT", "NL", "PT", "RO", "SK", "SI", "ES",
    )  # fmt: skip
    """ISO codes of the countries codes are sent to; the first eleven head the list (SR-25)."""
    default_country: str = "NO"
    """Country chosen at first."""


class Settings(Section, frozen=True, kw_only=True):
    """The whole file."""

    server: Server
    service: Service = field(default_factory=Service)
    database: Database = field(default_factory=Database)
    shortlived: ShortLivedStore = field(default_factory=ShortLivedStore)
    secrets: Secrets = field(default_factory=Secrets)
    passwords: Passwords = field(default_factory=Passwords)
    codes: Codes = field(default_factory=Codes)
    limits: Limits = field(default_factory=Limits)
    sessions: Sessions = field(default_factory=Sessions)
    recovery: Recovery = field(default_factory=Recovery)
    retention: Retention = field(default_factory=Retention)
    tokens: Tokens = field(default_factory=Tokens)
    passkeys: Passkeys = field(default_factory=Passkeys)
    mail: Mail = field(default_factory=Mail)
    sms: Gateway = field(default_factory=Gateway)
    voice: Gateway = field(default_factory=Gateway)
    mutual_tls: MutualTls = field(default_factory=MutualTls)
    registration: Registration = field(default_factory=Registration)
    outgoing: Outgoing = field(default_factory=Outgoing)
    location: Location = field(default_factory=Location)
    phones: Phones = field(default_factory=Phones)
    eid: dict[str, dict[str, Any]] = {}
    """One table per eID, `[eid.<name>]`, in the order people see them; `connector` names its kind."""

    @property
    def is_loopback(self) -> bool:
        """Whether the issuer is plain http on this machine: the demo and tests, never production."""
        return self.server.issuer.startswith("http://")

    @property
    def relying_party_id(self) -> str | None:
        """The domain that passkeys belong to. None where there are none: switched off, or the host is no domain."""
        domain = self.passkeys.relying_party_id or urlsplit(self.server.issuer).hostname or ""
        return domain if self.passkeys.enabled and not _is_address(domain) else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return not host
    return True
