"""Run the data service: `python -m relying_party_demo.data_service --issuer URL --resource URL --links FILE`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import waitress

from .app import Service, create_app


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="data_service", description="The alumni data service of the demo.")
    parser.add_argument("--issuer", required=True, help="the identity provider")
    parser.add_argument("--resource", required=True, help="own URL with a slash at the end: the tokens' audience")
    parser.add_argument("--links", required=True, type=Path, help="JSON file: subject → employee number")
    parser.add_argument("--credentials", type=Path, help="JSON file: its client_id and client_secret, to introspect")
    parser.add_argument("--listen", default="127.0.0.1:8002", help="address and port")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    service = Service(given.issuer, given.resource, given.links, given.credentials)
    waitress.serve(create_app(service), listen=given.listen, threads=4, ident=None)


if __name__ == "__main__":
    main()
