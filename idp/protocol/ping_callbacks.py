"""Ping callbacks (OpenID CIBA Core §10.2): a client is told that its request was decided, and comes for the answer."""

from __future__ import annotations

from collections.abc import Mapping

from idp.outgoing.guarded import Guarded
from idp.services import clients


class PingCallbacks:
    """Tells a client, with the token that it gave along with its request. What it answers with is not looked at."""

    def __init__(self, out: Guarded) -> None:
        self._out = out

    def __call__(self, client_id: str, about: Mapping[str, str]) -> int | None:
        """The status of its answer. None for a client that is gone, or is not told any more."""
        client = clients.find(client_id)
        if client is None or client.backchannel_client_notification_endpoint is None:
            return None
        told = {"auth_req_id": about["auth_req_id"]}
        return self._out.post_json(client.backchannel_client_notification_endpoint, told, bearer=about["token"]).status
