"""What is unsafe or useless in settings that are otherwise valid (SR-115). Each check names key and remedy."""

from __future__ import annotations

import re
import ssl
import stat
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import maxminddb
import msgspec
from msgspec import Struct

from idp.settings import MutualTls, Section, Settings

ROOT_SECRETS = ("encryption.key", "lookup.key", "pepper.key")
"""The files of the secrets folder, made by `idp setup`."""

LANGUAGES = ("nb", "en")
"""Languages that are built in."""


class Problem(Struct, frozen=True):
    """What is wrong, and what would be right. `key` is `section.key`, or a word for what is no setting."""

    key: str
    words: str

    def __str__(self) -> str:
        return f"{self.key}: {self.words}"


def sections() -> dict[str, type[Section]]:
    """The sections of the file by name, in order."""
    return {
        section.name: section.type
        for section in msgspec.structs.fields(Settings)
        if isinstance(section.type, type) and issubclass(section.type, Section)
    }


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine."""
    if host is None:
        return False
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _issuer(settings: Settings) -> Iterator[Problem]:
    issuer = settings.server.issuer
    parts = _split(issuer)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
        yield Problem("server.issuer", f"{issuer!r} is no address; it must be like https://login.example.com")
        return
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        yield Problem("server.issuer", "plain http is for this machine only (localhost); use https")
    if parts.path or parts.query or parts.fragment or "?" in issuer or "#" in issuer:
        yield Problem("server.issuer", f"must end after the host: no path, no slash, no query; not {issuer!r}")
    if parts.username is not None or parts.password is not None:
        yield Problem("server.issuer", "must not hold a user name or password")
    if issuer != issuer.lower() or not issuer.isascii():
        yield Problem("server.issuer", "must be in lower case ASCII, as browsers write it")
    if parts.port == {"https": 443, "http": 80}[parts.scheme]:
        yield Problem("server.issuer", f"leave out :{parts.port}: browsers do")


def _listening(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    for key in ("listen", "operations_listen"):
        address = getattr(server, key)
        parts = _split(f"//{address}")
        if parts is None or not parts.hostname or parts.port is None or parts.path:
            yield Problem(f"server.{key}", f"must be address:port, like 127.0.0.1:8000; not {address!r}")
    if server.listen == server.operations_listen and not server.listen.endswith(":0"):
        yield Problem("server.operations_listen", "must not be the public address (SR-116)")
    for network in server.trusted_proxies:
        try:
            ip_network(network)
        except ValueError as problem:
            yield Problem("server.trusted_proxies", f"{problem}; networks are written like 10.0.0.0/8")


def _service(settings: Settings) -> Iterator[Problem]:
    service = settings.service
    for language in service.languages:
        if language not in LANGUAGES:
            yield Problem("service.languages", f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
    if service.default_language not in service.languages:
        yield Problem("service.default_language", f"{service.default_language!r} is none of [service] languages")
    try:
        ZoneInfo(service.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem("service.time_zone", f"no time zone {service.time_zone!r}; they are named like Europe/Oslo")


def _phones(settings: Settings) -> Iterator[Problem]:
    for country in settings.phones.countries:
        if not re.fullmatch(r"[A-Z]{2}", country):
            yield Problem("phones.countries", f"{country!r} is no ISO code like NO")
    if settings.phones.default_country not in settings.phones.countries:
        yield Problem("phones.default_country", "must be one of [phones] countries")


def _durations(settings: Settings) -> Iterator[Problem]:
    sessions, tokens, limits = settings.sessions, settings.tokens, settings.limits
    waits = settings.codes.resend_waits
    if not waits or min(waits) < 1:
        yield Problem("codes.resend_waits", "needs at least one wait, each of at least 1 second")
    for key, smaller, larger in (
        ("sessions.idle", sessions.idle, sessions.absolute),
        ("tokens.refresh_idle", tokens.refresh_idle, tokens.refresh_absolute),
        ("limits.sends_per_destination_hour", limits.sends_per_destination_hour, limits.sends_per_destination_day),
        ("limits.guesses_per_hour", limits.guesses_per_hour, limits.guesses_per_day),
    ):
        if smaller > larger:
            yield Problem(key, f"{smaller} is more than the {larger} that is the limit in all")


def _outgoing(settings: Settings) -> Iterator[Problem]:
    mail = settings.mail
    if mail.security == "none" and not is_loopback(mail.host):
        yield Problem("mail.security", "`none` is for a mail server on this machine only; use starttls or tls")
    if mail.username is not None and mail.password_file is None:
        yield Problem("mail.password_file", "is missing, though there is a user name")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", mail.sender):
        yield Problem("mail.sender", "must be a mail address")
    for name in ("sms", "voice"):
        parts = _split(getattr(settings, name).url)
        if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
            yield Problem(f"{name}.url", "must be an https address")
        elif parts.scheme == "http" and not is_loopback(parts.hostname):
            yield Problem(f"{name}.url", "plain http is for this machine only; use https")


def _clients_addresses(settings: Settings) -> Iterator[Problem]:
    for network in settings.outgoing.allowed_networks:
        try:
            ip_network(network)
        except ValueError as problem:
            yield Problem("outgoing.allowed_networks", f"{network!r} is no network like 10.0.0.0/8: {problem}")
    yield from _certificates("outgoing.trusted_roots", settings.outgoing.trusted_roots)


def _location(settings: Settings) -> Iterator[Problem]:
    path = settings.location.database
    if path is None:
        return
    try:
        maxminddb.open_database(path).close()
    except (OSError, maxminddb.InvalidDatabaseError) as problem:
        yield Problem("location.database", f"{path} is no database in MaxMind's format (.mmdb): {problem}")


def _certificates(key: str, path: str | None) -> Iterator[Problem]:
    if path is None:
        return
    try:
        ssl.create_default_context(cafile=path)
    except OSError as problem:  # an SSLError is one, too
        yield Problem(key, f"{path} is no PEM file of certificates: {problem.strerror or problem}")


def _mutual_tls(settings: Settings) -> Iterator[Problem]:
    own = settings.mutual_tls
    if not own.offered:
        if own.issuers or own.base_url or own.certificate:
            yield Problem("mutual_tls.header", "is missing, and so is mutual_tls.listen: no certificate can come")
        return
    if own.header is not None and not re.fullmatch(r"[A-Za-z0-9-]+", own.header):
        yield Problem("mutual_tls.header", f"{own.header!r} is no name of a header")
    if own.header is not None and not settings.server.trusted_proxies:
        yield Problem("mutual_tls.header", "is believed from server.trusted_proxies only, and there are none")
    if own.listen is not None:
        yield from _mutual_tls_listener(own)
    yield from _certificates("mutual_tls.issuers", own.issuers)
    parts = _split(own.base_url or "https://x")
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query:
        yield Problem("mutual_tls.base_url", "must be an https origin")


def _passkeys(settings: Settings) -> Iterator[Problem]:
    own, host = settings.passkeys, urlsplit(settings.server.issuer).hostname or ""
    domain = own.relying_party_id
    if domain is not None and host != domain and not (host.endswith(f".{domain}") and "." in domain):
        yield Problem("passkeys.relying_party_id", f"must be {host}, or a domain above it; browsers take no other")
    for origin in own.origins:
        parts = _split(origin)
        if parts is None or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}".lower():
            yield Problem("passkeys.origins", f"{origin!r} is no origin like https://login.example.com")
        elif parts.scheme != "https" and not is_loopback(parts.hostname):
            yield Problem("passkeys.origins", "plain http is for this machine only; use https")
    yield from _certificates("passkeys.attestation_roots", own.attestation_roots)
    if (own.attestation_roots is None) != (not own.authenticators):
        yield Problem("passkeys.authenticators", "goes together with attestation_roots: neither says anything alone")
    for aaguid in own.authenticators:
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", aaguid):
            yield Problem("passkeys.authenticators", f"{aaguid!r} is no AAGUID in lower case, with hyphens")


def _mutual_tls_listener(own: MutualTls) -> Iterator[Problem]:
    parts = _split(f"//{own.listen}")
    if parts is None or not parts.hostname or parts.port is None or parts.path:
        yield Problem("mutual_tls.listen", f"must be address:port, like 0.0.0.0:8443; not {own.listen!r}")
    if own.base_url is None:
        yield Problem("mutual_tls.base_url", "is missing: clients must be told where that listener is")
    if own.certificate is None or own.private_key_file is None:
        yield Problem("mutual_tls.certificate", "is missing, or mutual_tls.private_key_file is: a listener needs both")
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(own.certificate, own.private_key_file)
    except OSError as problem:  # an SSLError is one, too
        words = f"{own.certificate} and {own.private_key_file} are no certificate and its key: "
        yield Problem("mutual_tls.certificate", words + (problem.strerror or str(problem)))


def _stores(settings: Settings) -> Iterator[Problem]:
    if not settings.database.url.startswith(("sqlite:///", "postgresql+psycopg://")):
        yield Problem("database.url", "must begin with sqlite:/// or postgresql+psycopg://")
    if not settings.shortlived.url.startswith(("sqlite:///", "redis://", "rediss://", "unix://")):
        yield Problem("shortlived.url", "must begin with sqlite:///, redis://, rediss:// or unix://")
    for name in ("database", "shortlived"):
        if settings.server.workers > 1 and ":memory:" in getattr(settings, name).url:
            yield Problem(f"{name}.url", "a store in memory is not shared between processes")


def _secret_files(settings: Settings) -> Iterator[Problem]:
    folder = Path(settings.secrets.directory)
    for name in ROOT_SECRETS:
        yield from _secret_file("secrets.directory", folder / name, forbidden=0o077, hint="`idp setup` makes it")
    for name in sections():
        section: Section = getattr(settings, name)
        for field in section.__struct_fields__:
            value = getattr(section, field)
            if field.endswith("_file") and value is not None:
                key = f"{name}.{field}"
                yield from _secret_file(key, Path(value), forbidden=0o007, hint="make it, or leave the key out")


def _secret_file(key: str, path: Path, *, forbidden: int, hint: str) -> Iterator[Problem]:
    try:
        found = path.stat()
    except OSError as problem:
        yield Problem(key, f"{path}: {problem.strerror}; {hint}")
        return
    if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
        yield Problem(key, f"{path} is empty, or no file")
    if found.st_mode & forbidden:
        yield Problem(key, f"others may read or change {path}: `chmod 600 {path}`")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises on a bad one
    except ValueError:
        return None
    return parts


CHECKS = (
    _issuer,
    _listening,
    _service,
    _phones,
    _durations,
    _outgoing,
    _clients_addresses,
    _location,
    _mutual_tls,
    _passkeys,
    _stores,
    _secret_files,
)
