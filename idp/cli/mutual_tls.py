"""The address at which `idp serve` speaks TLS itself and asks clients for their certificates (RFC 8705 §5).

Apart from the public one, for clients only: a browser that is asked for a certificate troubles its person, and the
public server has no way to hand a certificate on. cheroot serves, pyOpenSSL takes whatever certificate is shown.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable
from io import BytesIO
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from cheroot.server import HTTPConnection
from cheroot.ssl.pyopenssl import pyOpenSSLAdapter
from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as WSGIServer
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from OpenSSL import SSL

from idp.app import LARGEST_BODY
from idp.cli.operations import host_and_port
from idp.protocol.client_certificates import ENVIRON
from idp.protocol.metadata import FOR_CERTIFICATES
from idp.settings import MutualTls, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2 (RFC 9325 §4.2); those of 1.3 are all good."""

QUIET_AFTER = 5
"""Seconds after which a client that says nothing is left."""

THREADS = 32
"""Connections served at once: one that only waits holds one up."""

FINISH_WITHIN = 5
"""Seconds for requests under way when it ends."""


class _Adapter(pyOpenSSLAdapter):
    """Lets the kernel keep the time: on a socket that Python times, OpenSSL's reads fail instead of waiting."""

    def wrap(self, sock: Any) -> Any:
        sock.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", QUIET_AFTER, 0))
        sock.settimeout = lambda _: None
        return super().wrap(sock)  # type: ignore[no-untyped-call]


class _Gateway(Gateway_10):
    """The environment of a request, with its whole body and the certificate of its very connection."""

    def get_environ(self) -> Any:
        environ = cast("dict[str, Any]", super().get_environ())  # type: ignore[no-untyped-call]
        try:
            environ["wsgi.input"] = BytesIO(self.req.rfile.read())
        except SSL.Error as problem:
            raise TimeoutError("timed out") from problem  # which cheroot answers with 408
        shown = self.req.conn.socket.get_peer_certificate()
        if shown is not None:
            environ[ENVIRON] = shown.to_cryptography().public_bytes(Encoding.DER)
        return environ


class _Connection(HTTPConnection):
    """Never lingers: who speaks plain HTTP here is told so, and the socket is closed as any other."""

    def close(self) -> None:
        self.linger = False
        super().close()


class _Server(WSGIServer):
    """cheroot's, and quieter."""

    ConnectionClass = _Connection

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Note that a connection came to nothing. The words it came with may hold addresses (SR-120)."""
        log.log(level, "a connection for mutual TLS came to nothing")


def listen(settings: Settings, application: Flask) -> Callable[[], None]:
    """Serve from threads of this process; gives what ends it. Raises OSError when the address is taken."""
    own = settings.mutual_tls
    server = _Server(
        host_and_port(own.listen or ""),
        only_for_clients(application, own.header),
        numthreads=THREADS,
        timeout=QUIET_AFTER,
        shutdown_timeout=FINISH_WITHIN,
    )
    server.gateway = _Gateway
    server.max_request_body_size = LARGEST_BODY
    server.max_request_header_size = LARGEST_BODY
    server.ssl_adapter = _Adapter(None, None)  # the context has both
    server.ssl_adapter.context = _context(own)
    server.prepare()
    Thread(target=server.serve, name="mutual TLS", daemon=True).start()
    return server.stop


def only_for_clients(application: Flask, header: str | None) -> WSGIApplication:
    """The endpoints at which certificates count, and nothing else; and no word of proxies, for there are none here."""
    said_by_proxies = {"HTTP_X_FORWARDED_FOR"} | ({f"HTTP_{header.upper().replace('-', '_')}"} if header else set())

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if environ.get("PATH_INFO") not in FOR_CERTIFICATES:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        for name in said_by_proxies:
            environ.pop(name, None)
        return application(environ, start_response)

    return serve


def _context(own: MutualTls) -> SSL.Context:
    """TLS 1.2 or newer, that asks for a certificate and takes any, or none.

    The handshake proves that the client has its key. Whose it is, each client's registration decides: an authority
    (§2.1), the client's own key set (§2.2), or nothing but the binding of its tokens (§3).
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # every connection shows its certificate anew
    context.use_certificate_chain_file(own.certificate or "")
    context.use_privatekey_file(own.private_key_file or "")
    context.check_privatekey()
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    return context
