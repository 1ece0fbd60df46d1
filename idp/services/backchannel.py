"""CIBA requests: the account that is asked, and the text message with the code by which its owner answers.

Whether there is an account, whether it is locked, has no phone or was asked too often: the client hears the same.
Then nobody gets a code, and nobody answers (SR-28, SR-32, SR-47). Clients may use half of the messages that a person
may be sent: nobody who makes them ask keeps the person from their own sign-in (SR-31).
"""

from __future__ import annotations

from dataclasses import replace

from idp.delivery import outbox
from idp.delivery.outbox import Message
from idp.rules import limits as rules
from idp.rules import user_codes
from idp.rules.limits import Allowed, Decision
from idp.services import decoupled, throttling
from idp.services.accounts import Account
from idp.services.clients import Client
from idp.services.decoupled import Asked, Opened
from idp.services.windows import DAY, HOUR, MINUTE, Window, first_refusal
from idp.settings import Limits
from idp.stores.durable import audit, credentials
from idp.stores.durable.db import transaction
from idp.stores.shortlived.contract import ShortLived


def may_ask(store: ShortLived, limits: Limits, client: Client) -> Decision:
    """Count one more request of this client, if there may be one."""
    window = Window(f"backchannel:{client.client_id}", limits.backchannel_requests_per_client_hour, HOUR)
    return first_refusal(store, (window,))


def ask(store: ShortLived, limits: Limits, client: Client, asked: Asked, account: Account | None) -> Opened:
    """Keep the request, and send its code to the phone of the account, where there is one that may be prompted."""
    number = _number(store, limits, client, account)
    about = replace(asked, account_id=account.id if account else None)
    with transaction():
        opened = decoupled.open_request(client, about, with_code=number is not None)
        if number is not None and account is not None:
            values = {"code": user_codes.written(opened.user_code), "minutes": str(asked.lifetime // MINUTE)}
            message = Message(kind="T-4", channel="sms", to=number, locale=account.locale, values=values)
            outbox.post(message, deliver_by=opened.expires_at)
    outbox.wake()
    return opened


def _number(store: ShortLived, limits: Limits, client: Client, account: Account | None) -> str | None:
    phone = credentials.phone_of(account.id) if account is not None and account.active else None
    if account is None or phone is None or not phone.takes_sms:
        return None
    decision = first_refusal(store, _share(store, limits, account))
    if isinstance(decision, Allowed):
        decision = throttling.before_send(
            store, limits, channel="sms", destination=phone.number, account=account.id, origin=None
        )
    if isinstance(decision, Allowed):
        return phone.number
    audit.record("code.limited", account_id=account.id, client_id=client.client_id, outcome="refused", reason="sms")
    return None


def _share(store: ShortLived, limits: Limits, account: Account) -> tuple[Window, ...]:
    """Half of each limit that holds for all messages to the account together, narrowest first."""
    unanswered = f"backchannel-prompts:{account.id}:{throttling.last_answer(store, account.id)}"
    sends = f"backchannel-sends:{account.id}"
    return (
        Window(unanswered, rules.half(rules.PROMPTS_UNANSWERED_SOON), 10 * MINUTE),
        Window(unanswered, rules.half(rules.PROMPTS_UNANSWERED_DAY), DAY),
        Window(sends, rules.half(limits.sends_per_destination_hour), HOUR),
        Window(sends, rules.half(limits.sends_per_destination_day), DAY),
    )
