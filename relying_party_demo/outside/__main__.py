"""Run the outside world: `python -m relying_party_demo.outside --state FOLDER --listen HOST:PORT --smtp-port PORT`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import waitress

from .app import create_app
from .eid.all import Eids
from .eid.phone_page import phone_page
from .faults import Faults
from .inbox import Inbox
from .mail import mail_server


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="outside", description="The world outside the demo: mail and phones.")
    parser.add_argument("--state", required=True, type=Path, help="folder for the inbox")
    parser.add_argument("--listen", default="127.0.0.1:8003", help="address and port of the web side")
    parser.add_argument("--smtp-port", default=8025, type=int, help="port of the mail server, on the same address")
    parser.add_argument("--eid-port", default=0, type=int, help="first of five ports of the eIDs; 0: none")
    parser.add_argument("--eid-secret-file", type=Path, help="file with the secret of the one service they know")
    parser.add_argument("--eid-return", default="http://localhost:8000", help="where that service is")
    parser.add_argument("--gateway-token-file", type=Path, help="file with the token that the gateway wants")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    given.state.mkdir(parents=True, exist_ok=True)
    inbox, faults = Inbox(given.state / "inbox.sqlite"), Faults()
    token = given.gateway_token_file.read_text("utf-8").strip() if given.gateway_token_file else None
    mail = mail_server(inbox, faults, host=given.listen.rpartition(":")[0], port=given.smtp_port)
    mail.start()
    eids = Eids.of(
        port=given.eid_port,
        folder=given.state / "eid",
        secret_file=given.eid_secret_file,
        service=given.eid_return,
    )
    eids.start()
    try:
        app = create_app(inbox, faults, token=token)
        app.register_blueprint(phone_page(eids))
        waitress.serve(app, listen=given.listen, threads=8, ident=None)
    finally:
        eids.stop()
        mail.stop()


if __name__ == "__main__":
    main()
