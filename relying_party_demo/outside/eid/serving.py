"""One simulator's server: an application on a port of its own, in threads of this process, with TLS if need be."""

from __future__ import annotations

import logging
import ssl
from threading import Thread

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Logs nothing: addresses hold states and codes, even here."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


class Served:
    """A running application. Port 0 takes a free one; `port` says which."""

    def __init__(
        self, app: Flask, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server: BaseWSGIServer = make_server(
            host, port, app, threaded=True, ssl_context=tls, request_handler=Quiet
        )
        if tls is not None:  # in the thread of each connection: a silent one holds up nobody else
            self._server.socket.do_handshake_on_connect = False  # type: ignore[attr-defined]
        self.port: int = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05})

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()
