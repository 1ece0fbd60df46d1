"""Run the portal: `python -m relying_party_demo.portal --config FILE --listen HOST:PORT`."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import waitress

from .app import Portal, create_app


def main() -> None:
    """Serve until a signal comes. The file has the fields of `Portal` as JSON; it holds a secret."""
    parser = argparse.ArgumentParser(prog="portal", description="The alumni portal of the demo.")
    parser.add_argument("--config", required=True, type=Path, help="JSON file: url, issuer, client_id, ...")
    parser.add_argument("--listen", default="127.0.0.1:8001", help="address and port")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    fields = json.loads(given.config.read_text("utf-8"))
    portal = Portal(**fields | {"state": Path(fields["state"])})
    waitress.serve(create_app(portal), listen=given.listen, threads=8, ident=None)


if __name__ == "__main__":
    main()
