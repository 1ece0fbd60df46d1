"""Mutual TLS without a proxy: real sockets, real handshakes, real certificates (RFC 8705)."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from idp.cli import mutual_tls
from idp.services.clients import Registered
from tests.administration import Shell, set_up, shell
from tests.cli.test_serve import fetched
from tests.people import Outside, Person, Provider, free_port, new_provider, on_sqlite, settings_for
from tests.proofs import dpop_proof
from tests.protocol.signed_in import code_form, signed_in
from tests.protocol.test_mutual_tls import AUTHORITY, IMPOSTOR, PORTAL_CERT, Certified, certify, self_signed
from tests.receivers import certificate, eventually

__all__ = ["set_up", "shell"]

OWN = certify("nobody but itself", days=(-9, -1))  # out of its time, which does not matter (RFC 8705 §2.2)
STRANGER = certify("portal", by=IMPOSTOR, sans=[x509.DNSName("portal.example")])


@dataclass
class Listener:
    """The provider at its address for clients with certificates."""

    provider: Provider
    url: str
    roots: Path
    folder: Path

    def connects(self, shown: Certified | None = None, **options: Any) -> httpx.Client:
        """A client that shows this certificate in the handshake, and proves its key."""
        context = ssl.create_default_context(cafile=str(self.roots))
        if shown is not None:
            file = self.folder / "client.pem"
            key = shown.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            file.write_bytes(shown.certificate.public_bytes(Encoding.PEM) + key)
            context.load_cert_chain(file)
        if "version" in options:
            context.maximum_version = options.pop("version")
        return httpx.Client(verify=context, base_url=self.url, trust_env=False, timeout=10, **options)

    def revokes(self, client: Registered, shown: Certified | None, **headers: str) -> int:
        """The status of a call that needs nothing but the client's authentication."""
        with self.connects(shown) as http:
            form = {"token": "x", "client_id": client.client.client_id}
            return http.post("/revoke", data=form, headers=headers).status_code


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Listener]:
    folder = tmp_path_factory.mktemp("listener")
    roots, _ = certificate(folder, "localhost")
    issuers = folder / "issuers.pem"
    issuers.write_bytes(AUTHORITY.certificate.public_bytes(Encoding.PEM))
    port = free_port()
    own = {
        "listen": f"127.0.0.1:{port}",
        "certificate": str(roots),
        "private_key_file": str(folder / "localhost.key"),
        "issuers": str(issuers),
        "base_url": f"https://localhost:{port}",
        "header": "X-Client-Cert",
    }
    server = {"trusted_proxies": ["127.0.0.1/32"]}
    settings = settings_for(on_sqlite(folder), folder, outside, mutual_tls=own, server=server)
    with new_provider(settings, outside) as provider:
        end = mutual_tls.listen(settings, provider.app)
        yield Listener(provider, own["base_url"], roots, folder)
        end()


def named(provider: Provider) -> Registered:
    return provider.register(token_endpoint_auth_method="tls_client_auth", tls_client_auth_san_dns="portal.example")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_a_known_authority_authenticates(listener: Listener, version: ssl.TLSVersion) -> None:
    """§2.1."""
    client = named(listener.provider)
    with listener.connects(PORTAL_CERT, version=version) as http:
        for _ in range(2):  # on one connection
            answer = http.post("/revoke", data={"token": "x", "client_id": client.client.client_id})
            assert answer.status_code == 200


def test_no_other_certificate_does(listener: Listener) -> None:
    """§2.1: of somebody who only calls himself that authority, of the client itself, and none at all."""
    client = named(listener.provider)

    assert listener.revokes(client, STRANGER) == 401
    assert listener.revokes(client, OWN) == 401
    assert listener.revokes(client, None) == 401


def test_a_self_signed_certificate_is_the_clients_own(listener: Listener) -> None:
    """§2.2: nobody has to vouch for it, and its dates do not matter; the key set of the client does."""
    client = self_signed(listener.provider, OWN)

    assert listener.revokes(client, OWN) == 200
    assert listener.revokes(client, PORTAL_CERT) == 401
    assert listener.revokes(client, None) == 401


def test_a_header_is_believed_from_nobody_here(listener: Listener) -> None:
    """Though the peer's address is one of a proxy: no proxy stands in front of this listener."""
    client = named(listener.provider)
    header = PORTAL_CERT.header["X-Client-Cert"]

    assert listener.revokes(client, None, **{"X-Client-Cert": header}) == 401
    assert listener.revokes(client, OWN, **{"X-Client-Cert": header}) == 401


def bound(listener: Listener, kari: Person, client: Registered, shown: Certified) -> str:
    kari.comes_from_portal(client_id=client.client.client_id)
    with listener.connects(shown) as http:
        form = {**code_form(kari), "client_id": client.client.client_id}
        token: str = http.post("/token", data=form).json()["access_token"]
    return token


def test_a_token_is_bound_to_the_certificate_of_its_connection(listener: Listener) -> None:
    """§3: at userinfo it counts with that certificate, on a connection of its own, and with no other."""
    kari = signed_in(listener.provider)
    client = self_signed(listener.provider, OWN)
    strict = listener.provider.register(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_san_dns="portal.example",
        tls_client_certificate_bound_access_tokens=True,
    )
    token = bound(listener, kari, strict, PORTAL_CERT)
    statuses = {}
    for name, shown in (("own", PORTAL_CERT), ("other", OWN), ("none", None)):
        with listener.connects(shown) as http:
            statuses[name] = http.get("/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code
    assert statuses == {"own": 200, "other": 401, "none": 401}
    with listener.connects(OWN) as http:
        form = {"token": token, "client_id": client.client.client_id}
        assert http.post("/introspect", data=form).json() == {"active": False}
    with listener.connects(PORTAL_CERT) as http:
        told = http.post("/introspect", data={"token": token, "client_id": strict.client.client_id}).json()
    assert told["cnf"] == {"x5t#S256": PORTAL_CERT.thumbprint}


def test_a_proof_of_possession_is_for_the_address_that_was_asked(listener: Listener) -> None:
    """RFC 9449 §4.3: `htu` is where the request went."""
    kari = signed_in(listener.provider)
    client, key = named(listener.provider), ECKey.generate_key("P-256")
    for url, status in ((f"{listener.url}/token", 200), ("https://login.example/token", 400)):
        kari.comes_from_portal(client_id=client.client.client_id)
        form = {**code_form(kari), "client_id": client.client.client_id}
        with listener.connects(PORTAL_CERT) as http:
            answer = http.post("/token", data=form, headers={"DPoP": dpop_proof(key, "POST", url)})
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/", "/authorize", "/logout", "/jwks", "/register", "/help", "/journey/x", "//token"])
def test_nothing_else_is_served_there(listener: Listener, path: str) -> None:
    with listener.connects() as http:
        for host in (None, "login.example"):
            answer = http.get(path, headers={"Host": host} if host else {})
            assert answer.status_code == 404
            assert not answer.content


def test_another_host_is_unknown(listener: Listener) -> None:
    """SR-65."""
    with listener.connects() as http:
        assert http.post("/token", headers={"Host": "evil.example"}).status_code == 400


def test_a_body_over_64_kib_is_not_read(listener: Listener) -> None:
    """SR-90."""
    with listener.connects() as http:
        assert http.post("/token", data={"x": "y" * 70_000}).status_code == 413


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_and_plain_text_get_no_answer(listener: Listener) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(listener.roots))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with httpx.Client(verify=context, trust_env=False) as http, pytest.raises(httpx.TransportError):
        http.get(f"{listener.url}/token")
    with httpx.Client(trust_env=False) as http:
        assert http.get(f"{listener.url.replace('https', 'http')}/token").status_code == 400


def test_somebody_who_says_nothing_keeps_nobody_out(listener: Listener) -> None:
    """The handshake is the worker's and not the door's: connections that only wait do not stop the next."""
    host, port = "127.0.0.1", int(listener.url.rpartition(":")[2])
    waiting = [socket.create_connection((host, port)) for _ in range(8)]
    try:
        assert listener.revokes(named(listener.provider), PORTAL_CERT) == 200
    finally:
        for one in waiting:
            one.close()


def test_a_body_that_never_comes_is_not_waited_for(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutual_tls, "QUIET_AFTER", 1)
    context = ssl.create_default_context(cafile=str(listener.roots))
    where = ("127.0.0.1", int(listener.url.rpartition(":")[2]))
    host = listener.url.removeprefix("https://").encode()
    with context.wrap_socket(socket.create_connection(where), server_hostname="localhost") as connection:
        connection.settimeout(10)
        connection.sendall(b"POST /token HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 9\r\n\r\ngrant")
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_discovery_sends_clients_there(listener: Listener) -> None:
    """§5."""
    found = listener.provider.app.test_client().get(
        "/.well-known/openid-configuration", base_url="https://login.example"
    )
    document = found.get_json()

    assert document["mtls_endpoint_aliases"]["token_endpoint"] == f"{listener.url}/token"
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(document["token_endpoint_auth_methods_supported"])


def test_serve_opens_it_and_ends_quietly(shell: Shell, tmp_path: Path) -> None:
    """`[mutual_tls] listen`, by `idp serve` itself (SR-129)."""
    roots, _ = certificate(tmp_path, "localhost")
    public, operations, own = free_port(), free_port(), free_port()
    text = shell.path.read_text().replace(
        'issuer = "http://localhost:8000"',
        f'issuer = "http://localhost:{public}"\nlisten = "127.0.0.1:{public}"\n'
        f'operations_listen = "127.0.0.1:{operations}"',
    )
    text += f"""
[mutual_tls]
listen = "127.0.0.1:{own}"
certificate = "{roots}"
private_key_file = "{tmp_path / "localhost.key"}"
base_url = "https://localhost:{own}"
"""
    (tmp_path / "localhost.key").chmod(0o600)
    shell.path.write_text(text)
    server = shell.start("serve", "--json")
    try:
        assert server.stdout is not None
        assert json.loads(server.stdout.readline())["mutual_tls"] == f"127.0.0.1:{own}"
        context = ssl.create_default_context(cafile=str(roots))
        with httpx.Client(verify=context, trust_env=False) as http:
            assert http.post(f"https://localhost:{own}/token", data={"grant_type": "x"}).status_code == 401
    finally:
        eventually(lambda: fetched(f"http://127.0.0.1:{operations}/ready")[0] == 200, seconds=30)
        server.send_signal(signal.SIGTERM)
        output, errors = server.communicate(timeout=30)
    assert server.returncode == 0, errors
    assert "Traceback" not in output + errors
