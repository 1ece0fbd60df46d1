"""One order at Swedish BankID: how it is asked for, what is remembered of it, and what the browser may show.

BankID RP API v6, `/auth`; the animated QR code and the start link as its guidelines have them.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from msgspec import Meta, Struct

from idp.eid.connector import Attempt, View
from idp.eid.swedish_bankid_settings import SwedishBankIdSettings

TEXTS = {
    "nb": "Du bekrefter hvem du er for {service}.\n\nGodkjenn bare hvis du selv nettopp ba om dette hos {service}.",
    "en": "You confirm who you are to {service}.\n\nApprove only if you asked for this yourself just now at {service}.",
    "sv": "Du bekräftar vem du är för {service}.\n\nGodkänn bara om du själv nyss bad om detta hos {service}.",
}
"""What the app shows: for whom and what for, so that who was lured here can see it."""

QR, THIS_DEVICE = "qr", "this-device"
"""The two ways."""

OUTSTANDING = "outstandingTransaction"
"""The hint code as long as no app has picked the order up."""

HINTS = {
    OUTSTANDING: "start-app",
    "noClient": "start-app",
    "started": "searching",
    "userMrtd": "read-document",
    "userSign": "enter-code",
}
"""What to tell the person at each hint code; at any other one, `in-progress`."""

Token = Annotated[str, Meta(pattern="^[0-9A-Za-z-]{16,64}$")]
"""A UUID as text; whatever else came would end up in a QR code and in a link."""

# Only these browsers hand the universal link to the app; everywhere else the app's own scheme does.
_SAFARI_ON_IOS = re.compile(r"(iPhone|iPad|iPod).*Version/.*Safari/")
_CHROME_ON_ANDROID = re.compile(r"Android.*(Chrome/|EdgA/)(?!.*(OPR/|SamsungBrowser/|Vivaldi))")


class Order(Struct, frozen=True, kw_only=True):
    """What is remembered between two calls."""

    order_ref: str
    auto_start_token: str
    qr_start_token: str
    qr_start_secret: str
    started_at: float
    """When the answer that began the order had arrived; the QR code counts its seconds from here."""
    visible: str
    non_visible: str
    expected: tuple[str, str | None] | None
    """Country and number of the person it has to be."""
    address: str
    """IP address of the browser that started."""
    universal: bool
    flow: str
    ask_after: float
    """The service is not asked before."""
    hint_code: str = OUTSTANDING
    returned: bool = False
    """The browser that started has come back from the app, so the app is on its device."""
    unanswered: int = 0
    """Questions in a row that brought no answer."""

    def __repr__(self) -> str:
        return f"Order(hint_code={self.hint_code!r})"

    @property
    def hint(self) -> str:
        """The name of what to tell the person."""
        return HINTS.get(self.hint_code, "in-progress")


class Begun(Struct, frozen=True, rename="camel"):
    """The answer to `/auth`."""

    order_ref: Token
    auto_start_token: Token
    qr_start_token: Token
    qr_start_secret: Token

    def __repr__(self) -> str:
        return "Begun()"


def request(attempt: Attempt, settings: SwedishBankIdSettings) -> dict[str, Any]:
    """The body of `/auth`."""
    requirement: dict[str, Any] = {
        "pinCode": settings.pin_code,
        "risk": settings.risk,
        "certificatePolicies": list(settings.certificate_policies),
    }
    if settings.identity_document:
        requirement["mrtd"] = True
    person = attempt.expected
    if person is not None and person.country == "SE" and person.number is not None:
        requirement["personalNumber"] = person.number
    return {
        "endUserIp": attempt.address,
        "web": _web(attempt),
        "requirement": requirement,
        "returnRisk": True,
        "returnUrl": f"{attempt.callback}?{urlencode({'state': attempt.state})}",
        "userVisibleData": visible(attempt.service, attempt.locale),
        "userVisibleDataFormat": "plaintext",
        "userNonVisibleData": non_visible(attempt.transaction_id),
    }


def remembered(attempt: Attempt, begun: Begun, *, started_at: float, ask_after: float) -> Order:
    """The notes of an order that has begun."""
    person = attempt.expected
    return Order(
        order_ref=begun.order_ref,
        auto_start_token=begun.auto_start_token,
        qr_start_token=begun.qr_start_token,
        qr_start_secret=begun.qr_start_secret,
        started_at=started_at,
        visible=visible(attempt.service, attempt.locale),
        non_visible=non_visible(attempt.transaction_id),
        expected=None if person is None else (person.country, person.number),
        address=attempt.address,
        universal=takes_universal_link(attempt.user_agent),
        flow=attempt.flow,
        ask_after=ask_after,
    )


def visible(service: str, locale: str) -> str:
    """Base64 of the text that the app shows; at most 1,500 characters."""
    text = TEXTS.get(_language(locale), TEXTS["en"])
    return b64encode(text.format(service=" ".join(service.split())[:100]).encode()).decode()


def non_visible(transaction_id: str) -> str:
    """Base64 of what binds the signature to this transaction."""
    return b64encode(sha256(transaction_id.encode()).digest()).decode()


def qr_code(token: str, secret: str, seconds: int) -> str:
    """The content of the QR code that many whole seconds after the order began. The key is the text of the secret."""
    code = hmac.new(secret.encode("ascii"), str(seconds).encode("ascii"), sha256).hexdigest()
    return f"bankid.{token}.{seconds}.{code}"


def view(order: Order, now: datetime, *, app_address: str) -> View:
    """What to show now: the code or the link, and that only as long as no app has picked the order up."""
    if order.hint_code != OUTSTANDING:
        return View(hint=order.hint)
    if order.flow == QR:
        seconds = max(0, int(now.timestamp() - order.started_at))
        return View(qr=qr_code(order.qr_start_token, order.qr_start_secret, seconds), hint=order.hint)
    base = app_address or ("https://app.bankid.com/" if order.universal else "bankid:///")
    # The token comes first for the sake of old apps; where to come back to is said by `returnUrl` of the order.
    link = f"{base}?{urlencode({'autostarttoken': order.auto_start_token, 'redirect': 'null'})}"
    return View(link=link, hint="open-app")


def takes_universal_link(user_agent: str) -> bool:
    """Safari on iOS, Chrome and Edge on Android."""
    return bool(_SAFARI_ON_IOS.search(user_agent) or _CHROME_ON_ANDROID.search(user_agent))


def _web(attempt: Attempt) -> dict[str, str]:
    """What the service's own risk engine looks at; each within its limit, or not there."""
    found = {"referringDomain": (urlsplit(attempt.callback).hostname or "")[:253]}
    if attempt.user_agent:
        found["userAgent"] = attempt.user_agent[:256]
    if attempt.device:
        found["deviceIdentifier"] = sha256(attempt.device.encode()).hexdigest()
    return found


def _language(locale: str) -> str:
    language = locale.replace("_", "-").partition("-")[0].lower()
    return "nb" if language in {"nb", "nn", "no"} else language
