"""Fixtures of the demo's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from relying_party_demo.data_service.app import Service, create_app
from relying_party_demo.portal.app import Portal
from relying_party_demo.portal.app import create_app as create_portal
from tests.demo.world import RESOURCE, Ask, PortalVisitor, Provider, listening, serving


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    thread = Thread(target=provider.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join(5)


@pytest.fixture
def data_service(provider: Provider, tmp_path: Path) -> Iterator[Ask]:
    """Ask the data service: a path, and the access token or whole headers."""
    links = tmp_path / "links.json"
    with ExitStack() as stack:
        url = stack.enter_context(serving(create_app(Service(provider.issuer, RESOURCE, links))))
        http = stack.enter_context(httpx.Client(base_url=url, trust_env=False))

        def ask(path: str, token: str | None = None, **more: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
            return http.request(more.pop("method", "GET"), path, headers=more.pop("headers", headers), **more)

        yield ask


@pytest.fixture
def portal(provider: Provider, tmp_path: Path) -> Iterator[PortalVisitor]:
    """A browser at the portal, with a data service behind it."""
    links = tmp_path / "links.json"
    with ExitStack() as stack:
        data = stack.enter_context(listening())
        resource = f"http://127.0.0.1:{data.getsockname()[1]}/"
        stack.enter_context(serving(create_app(Service(provider.issuer, resource, links)), data))
        front = stack.enter_context(listening())
        url = f"http://127.0.0.1:{front.getsockname()[1]}"
        settings = Portal(
            url=url,
            issuer=provider.issuer,
            client_id="portal",
            client_secret="s3cret",
            data_service=resource,
            state=tmp_path / "portal",
        )
        stack.enter_context(serving(create_portal(settings), front))
        http = stack.enter_context(httpx.Client(base_url=url, trust_env=False))
        yield PortalVisitor(http, provider, resource, tmp_path / "portal")
