"""The portal as a WSGI application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from .pages import Parts, pages
from .payslips import DataService
from .provider import Provider
from .sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What one instance of the portal needs to know. No URL but the data service's ends with a slash."""

    url: str
    issuer: str
    client_id: str
    client_secret: str
    data_service: str
    """Where the data service is, with a slash at the end; also the audience of its tokens (RFC 8707)."""
    state: Path
    """Folder for the sessions."""

    def __repr__(self) -> str:
        return f"Portal({self.url!r})"


def create_app(portal: Portal) -> Flask:
    """The alumni portal."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    portal.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    sessions = Sessions(portal.state / "sessions.sqlite", secure=portal.url.startswith("https:"))
    app.session_interface = sessions
    provider = Provider(
        app,
        issuer=portal.issuer,
        client=(portal.client_id, portal.client_secret),
        callback=f"{portal.url}/callback",
        resource=portal.data_service,
    )
    app.extensions["portal"] = Parts(portal.url, provider, DataService(portal.data_service), sessions)
    app.register_blueprint(pages)
    return app
