"""The service of Smart-ID on real sockets, with its issuer and responder: it says what a test tells it to say."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from idp.eid.smart_id_formulas import Asked, signed_payload, user_challenge
from idp.eid.smart_id_settings import POLICIES, SmartIdSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERIAL, DOCUMENT = "PNOEE-36608300204", "PNOEE-36608300204-K2GN-Q"
AUTHENTICATION, CLIENT_AUTH = "1.3.6.1.4.1.62306.5.7.0", "1.3.6.1.5.5.7.3.2"
VERIFIER = "a-verifier-of-the-app-as-it-stands-0123456789"
MADE = {
    "sessionID": "de305d54-75b4-431b-adb2-eb6b9e546014",
    "sessionToken": "sessionToken000000000001",
    "sessionSecret": b64encode(b"s" * 32).decode(),
    "deviceLinkBase": "https://smart-id.example/device-link",
}
RUNNING = {"state": "RUNNING"}
ROOT, CA = "Smart ROOT", "Smart EID-Q"


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP521R1() if name == ROOT else ec.SECP384R1())


@cache
def person_key(size: int = 4095) -> rsa.RSAPrivateKey:
    """Real ones have 4095 to 6144 bits: no whole number of bytes is promised, which the library cannot make itself."""
    if size != 4095:
        return rsa.generate_private_key(65537, size)
    p = rsa.generate_private_key(65537, 4096).private_numbers().p
    q = rsa.generate_private_key(65537, 4094).private_numbers().q
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(65537, p * q),
    )
    return numbers.private_key()


def issued(
    subject: Sequence[tuple[x509.ObjectIdentifier, str]],
    public: Any,
    *,
    by: str,
    authority: bool = False,
    since: datetime = NOW,
    more: Sequence[x509.ExtensionType] = (),
) -> x509.Certificate:
    """A certificate, good for a day before and after."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, text, _validate=False) for oid, text in subject]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .serial_number(x509.random_serial_number())
        .public_key(public)
        .not_valid_before(since - timedelta(days=1))
        .not_valid_after(since + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key(by), hashes.SHA384())


def usage(*names: str) -> x509.KeyUsage:
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: name in names for name in every})


def policies(*oids: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids])


def purposes(*oids: str) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids])


def answered_at(url: str) -> x509.AuthorityInformationAccess:
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))]
    )


def authority(name: str, *, by: str, more: Sequence[x509.ExtensionType] = ()) -> x509.Certificate:
    return issued(
        [(NameOID.COMMON_NAME, name)],
        key(name).public_key(),
        by=by,
        authority=True,
        more=(usage("key_cert_sign", "crl_sign"), *more),
    )


NAMES = (
    (NameOID.COMMON_NAME, "Tamm,Mart"),
    (NameOID.SURNAME, "Tamm"),
    (NameOID.GIVEN_NAME, "Mart"),
    (NameOID.SERIAL_NUMBER, SERIAL),
)


def person(
    *,
    names: Sequence[tuple[x509.ObjectIdentifier, str]] = NAMES,
    usages: Sequence[str] = ("digital_signature",),
    extended: Sequence[str] = (AUTHENTICATION,),
    held: Sequence[str] = POLICIES,
    public: Any = None,
    is_authority: bool = False,
    more: Sequence[x509.ExtensionType] = (),
) -> x509.Certificate:
    """A person's certificate for authentication, but for what is said."""
    extensions = [usage(*usages), *([purposes(*extended)] if extended else []), *([policies(*held)] if held else [])]
    return issued(names, public or person_key().public_key(), by=CA, authority=is_authority, more=[*extensions, *more])


@dataclass
class Service:
    """`starts` and `sessions` are what comes next, (status, body); the last of a list stays."""

    folder: Path
    port: int = 0
    responder: int = 0
    starts: list[tuple[int, Any]] = field(default_factory=list)
    sessions: list[tuple[int, Any]] = field(default_factory=list)
    content_type: str = "application/json"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Path and body of each start."""
    answers: dict[int, ocsp.OCSPCertStatus] = field(default_factory=dict)
    """What the responder says of a serial number, if it is not good."""
    vouched: list[int] = field(default_factory=list)
    """The serial numbers that the responder was asked about."""
    between: dict[str, x509.Certificate] = field(default_factory=dict)

    def forget(self) -> None:
        self.starts, self.sessions, self.content_type = [(200, MADE)], [(200, RUNNING)], "application/json"
        self.asked.clear()
        self.answers.clear()
        self.vouched.clear()

    @property
    def ocsp_url(self) -> str:
        return f"http://127.0.0.1:{self.responder}/"

    def settings(self, **more: Any) -> SmartIdSettings:
        given = {
            "relying_party_uuid": "00000000-0000-4000-8000-000000000000",
            "relying_party_name": "DEMO",
            "scheme_name": "smart-id-demo",
            "url": f"https://127.0.0.1:{self.port}/v3/",
            "api_roots_file": str(self.folder / "api-root.pem"),
            "person_roots_file": str(self.folder / "root.pem"),
            "person_authorities_file": str(self.folder / "ca.pem"),
            "ocsp_url": self.ocsp_url,
        }
        return SmartIdSettings(**{**given, **more})

    def ends(self, flow: str, certificate: x509.Certificate, **changed: Any) -> dict[str, Any]:
        """What the session is told to be: signed by the person's key over what was asked for, then changed."""
        body, private = self.asked[-1][1], changed.pop("key", None) or person_key()
        told = json.loads(b64decode(body["interactions"]))[0]["type"]
        asked = Asked(
            scheme_name="smart-id-demo",
            challenge=body["signatureProtocolParameters"]["rpChallenge"],
            relying_party_name=body["relyingPartyName"],
            interactions=body["interactions"],
            callback=body.get("initialCallbackUrl", ""),
        )
        parts = {"server_random": b64encode(b"r" * 18).decode(), "user_challenge": user_challenge(VERIFIER)}
        payload = signed_payload(asked, **parts, interaction=told, flow=flow).encode()
        signature = private.sign(payload, padding.PSS(padding.MGF1(hashes.SHA3_512()), 64), hashes.SHA3_512())
        status = _complete(told, flow, certificate, b64encode(signature).decode(), **parts)
        for where, value in changed.items():
            *path, last = where.split(".")
            place: Any = status
            for name in path:
                place = place[name]
            place[last] = value
        self.sessions = [(200, status)]
        return status


def _complete(told: str, flow: str, certificate: x509.Certificate, signature: str, **parts: str) -> dict[str, Any]:
    """A session that ended well."""
    return {
        "state": "COMPLETE",
        "result": {"endResult": "OK", "documentNumber": DOCUMENT},
        "signatureProtocol": "ACSP_V2",
        "signature": {
            "value": signature,
            "serverRandom": parts["server_random"],
            "userChallenge": parts["user_challenge"],
            "flowType": flow,
            "signatureAlgorithm": "rsassa-pss",
            "signatureAlgorithmParameters": {
                "hashAlgorithm": "SHA3-512",
                "maskGenAlgorithm": {"algorithm": "id-mgf1", "parameters": {"hashAlgorithm": "SHA3-512"}},
                "saltLength": 64,
                "trailerField": "0xbc",
            },
        },
        "cert": {"value": b64encode(certificate.public_bytes(Encoding.DER)).decode(),
                 "certificateLevel": "QUALIFIED"},
        "interactionTypeUsed": told,
    }  # fmt: skip


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """The API with TLS, and the responder without."""
    service = Service(folder)
    with _listening(_api(service), _tls(folder)) as service.port, _listening(_responder(service)) as service.responder:
        for name, by, more in ((ROOT, ROOT, ()), (CA, ROOT, ()), ("vouched", ROOT, (answered_at(service.ocsp_url),))):
            made = authority(CA if name == "vouched" else name, by=by, more=more)
            service.between[name] = made
            file = {ROOT: "root", CA: "ca"}.get(name, name)
            (folder / f"{file}.pem").write_bytes(made.public_bytes(Encoding.PEM))
        service.forget()
        yield service


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: a client that does not trust us hangs up."""


class _Handler(BaseHTTPRequestHandler):
    def say(self, status: int, raw: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _api(service: Service) -> type[_Handler]:
    class Api(_Handler):
        def do_POST(self) -> None:
            service.asked.append((self.path.removeprefix("/v3/authentication/"), json.loads(self.body())))
            self._next(service.starts)

        def do_GET(self) -> None:
            self._next(service.sessions)

        def _next(self, answers: list[tuple[int, Any]]) -> None:
            status, said = answers.pop(0) if len(answers) > 1 else answers[0]
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.say(status, raw, service.content_type)

    return Api


def _responder(service: Service) -> type[_Handler]:
    class Responder(_Handler):
        def do_POST(self) -> None:
            asked = ocsp.load_der_ocsp_request(self.body())
            service.vouched.append(asked.serial_number)
            status = service.answers.get(asked.serial_number, ocsp.OCSPCertStatus.GOOD)
            by = ROOT if asked.serial_number == service.between["vouched"].serial_number else CA
            answer = (
                ocsp.OCSPResponseBuilder()
                .add_response_by_hash(
                    issuer_name_hash=asked.issuer_name_hash,
                    issuer_key_hash=asked.issuer_key_hash,
                    serial_number=asked.serial_number,
                    algorithm=asked.hash_algorithm,
                    cert_status=status,
                    this_update=NOW,
                    next_update=None,
                    revocation_time=NOW if status is ocsp.OCSPCertStatus.REVOKED else None,
                    revocation_reason=None,
                )
                .responder_id(ocsp.OCSPResponderEncoding.NAME, service.between[by])
                .add_extension(asked.extensions.get_extension_for_class(x509.OCSPNonce).value, critical=False)
                .sign(key(by), hashes.SHA384())
            )
            self.say(200, answer.public_bytes(Encoding.DER), "application/ocsp-response")

    return Responder


@contextmanager
def _listening(handler: type[_Handler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = _Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _tls(folder: Path) -> ssl.SSLContext:
    """By the clock of this computer, as TLS goes."""
    today, names = datetime.now(UTC), x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    root = issued([(NameOID.COMMON_NAME, "Smart TLS")], key("Smart TLS").public_key(), by="Smart TLS",
                  authority=True, since=today)  # fmt: skip
    own = issued([(NameOID.COMMON_NAME, "api")], key("api").public_key(), by="Smart TLS", since=today, more=(names,))
    (folder / "api-root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    private = key("api").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "api.pem").write_bytes(own.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "api.pem")
    return context
