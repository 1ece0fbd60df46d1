"""The stylesheet, the script and the icon: read once, named by their content, kept by browsers for good."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    name: str
    mimetype: str
    plain: bytes
    gzipped: bytes


def install(app: Flask) -> None:
    """Serve the files below `/static/`, and tell templates their names as `asset("site.css")`."""
    assets = {path.name: read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    by_name = {asset.name: asset for asset in assets.values()}

    def serve(name: str) -> Response:
        asset = by_name.get(name)
        if asset is None:
            raise NotFound
        return _answer(asset)

    app.add_url_rule("/static/<name>", "asset", serve, methods=["GET"])
    app.jinja_env.globals["asset"] = lambda name: f"/static/{assets[name].name}"


def read(path: Path) -> Asset:
    """The file, named by the digest of what is in it."""
    plain = path.read_bytes()
    name = f"{path.stem}.{sha256(plain).hexdigest()[:12]}{path.suffix}"
    return Asset(name, TYPES[path.suffix], plain, gzip.compress(plain, compresslevel=9, mtime=0))


def _answer(asset: Asset) -> Response:
    gzipped = request.accept_encodings["gzip"] > 0
    response = Response(asset.gzipped if gzipped else asset.plain, mimetype=asset.mimetype)
    if gzipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = IMMUTABLE
    response.vary.add("Accept-Encoding")
    return response
