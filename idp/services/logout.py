"""Who must hear of the end of a session: every client that was told of it, whatever became of its tokens.

By the back channel a notice waits in the outbox with the end of the session itself; by the front channel the
browser carries it (OpenID Connect Back-Channel and Front-Channel Logout 1.0).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from idp import clock
from idp.delivery import outbox
from idp.delivery.outbox import Message
from idp.services import clients
from idp.stores.durable import grants
from idp.stores.durable.grants import Told
from idp.stores.shortlived import sign_outs
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.sign_outs import Party, SignedOut

__all__ = ["CHANNEL", "Party", "SignedOut", "frames", "recall", "remember", "standing", "tell", "tell_one"]

CHANNEL = "logout"
"""The outbox's channel for notices to clients."""

WORTH_TELLING_FOR = timedelta(hours=2)
"""A client that could not be reached for so long has to find out by itself: its tokens are dead anyway."""

PATIENCE = timedelta(seconds=12)
"""After so long a notice that is still under way counts as one that did not arrive."""


def tell(sids: Sequence[str]) -> tuple[Party, ...]:
    """Post what the clients of these sessions must hear, and say who they are. Joins the caller's transaction."""
    return _tell(grants.parties(sids))


def tell_one(account_id: str, client_id: str) -> tuple[Party, ...]:
    """Post what one client must hear: that a person's sign-ins are over for it. Joins the caller's transaction."""
    return _tell(grants.party(account_id, client_id, now=clock.now()))


def _tell(told: Sequence[Told]) -> tuple[Party, ...]:
    parties = []
    for party in told:
        client = clients.find(party.client_id)
        if client is None:
            continue
        notice = None
        if client.backchannel_logout_uri is not None:
            about = {"sub": party.account_id, "sid": party.told_sid}
            message = Message(kind="logout", channel=CHANNEL, to=client.client_id, locale="", values=about)
            notice = outbox.post(message, deliver_by=clock.now() + WORTH_TELLING_FOR)
        parties.append(Party(client.name, notice, client.frontchannel_logout_uri, party.told_sid))
    return tuple(parties)


def remember(
    store: ShortLived, parties: Iterable[Party], *, after: str | None = None, name: str | None = None
) -> str | None:
    """Keep who must be told until the person has seen it, and where they go then. None when there is nobody."""
    told = tuple(party for party in parties if party.notice or party.frame)
    if not told:
        return None
    name = name or secrets.token_urlsafe(18)
    sign_outs.put(store, name, SignedOut(told, clock.now(), after))
    return name


def recall(store: ShortLived, name: str) -> SignedOut | None:
    """Who had to be told of a sign-out, by the name that `remember` gave it."""
    return sign_outs.get(store, name)


def standing(signed_out: SignedOut) -> tuple[list[str], bool]:
    """The services that could not be reached, and whether others have still to answer."""
    notices = {party.notice: party.name for party in signed_out.parties if party.notice}
    found = outbox.progress(notices)
    late = clock.now() - signed_out.at > PATIENCE
    unreached, under_way = [], False
    for message_id, name in notices.items():
        state, tries = found.get(message_id, ("sent", 0))
        if state == "failed" or (state == "queued" and tries) or (late and state != "sent"):
            unreached.append(name)
        elif state != "sent":
            under_way = True
    return unreached, under_way


def frames(signed_out: SignedOut, issuer: str) -> list[str]:
    """The pages that end the clients' own sessions: told who speaks, and of which session (Front-Channel Logout §2)."""
    return [
        f"{party.frame}{'&' if urlsplit(party.frame).query else '?'}{urlencode({'iss': issuer, 'sid': party.sid})}"
        for party in signed_out.parties
        if party.frame
    ]
