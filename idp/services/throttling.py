"""How often things may happen: who is counted where, and what comes of it (requirements, section C).

Guesses are counted in the database, exactly; sends and page loads in windows of the short-lived store.
Whether an address has an account makes no difference anywhere: it is counted by a keyed digest (SR-47).
When a store does not answer the caller hears `Unavailable`; no limit is ever skipped (section Q).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from secrets import token_hex

from idp import clock
from idp.rules import limits as rules
from idp.rules import numbering
from idp.rules.identifiers import email_address
from idp.rules.limits import Allowed, Decision, SwitchedOff, Wait
from idp.services.windows import DAY, HOUR, MINUTE, Origin, Window, first_refusal, in_window, places
from idp.settings import Limits
from idp.stores.durable import audit, guesses
from idp.stores.durable.db import transaction
from idp.stores.durable.guesses import Counted, Refused, Rule
from idp.stores.durable.sealing import vault
from idp.stores.shortlived.contract import ShortLived

TEN_MINUTES = 10 * MINUTE
PHONE_CHANNELS = ("sms", "voice")
PASSWORD = "password"  # noqa: S105 - the factor's name

JUDGED = 20 * MINUTE
"""Length of the pieces in which sent and used codes are counted: the newest piece is not judged yet."""

IDLE = timedelta(days=30)
FEW = 10
"""Misses in a row that are forgotten with time; longer rows count on towards switching off (SR-17)."""

_NOBODY = "nobody:"


def address_key(canonical: str) -> str:
    """What an address or number is counted by, whether or not there is an account behind it."""
    return _NOBODY + vault().index(canonical, purpose="throttling").hex()[:48]


def new_journey(store: ShortLived, limits: Limits, origin: Origin) -> Decision:
    """May a journey begin here? Keeps strangers from filling the store (SR-34)."""
    each = limits.journeys_per_address_hour
    return first_refusal(store, (*places("journeys", origin, each, each * 3, HOUR), _everywhere(limits)))


def before_send(
    store: ShortLived, limits: Limits, *, channel: str, destination: str, account: str | None, origin: Origin | None
) -> Decision:
    """Count one message to a destination, if there may be one (SR-28, SR-29, SR-32).

    `account` is an account id, or the `address_key` of whom it is about. Over a limit nothing may be sent.
    Without an `origin` it is a client that asks, and is counted by itself.
    """
    about = account or address_key(destination)
    decision = first_refusal(
        store, _sending_windows(store, limits, channel=channel, destination=destination, about=about, origin=origin)
    )
    if isinstance(decision, Allowed) and channel in PHONE_CHANNELS:
        return _phone_network(store, limits, channel, destination, known=not about.startswith(_NOBODY))
    return decision


def before_password(store: ShortLived, limits: Limits, key: str, origin: Origin) -> Decision:
    """Count one guess at a password before it is hashed or compared, if there may be one (SR-9, SR-30).

    First per source: this account from this network. Then per account from anywhere, except from networks
    where its password was right before, so that strangers cannot keep its owner out (SR-31).
    """
    decision = _failed_too_often(store, limits, origin)
    if not isinstance(decision, Allowed):
        return decision
    now, here = clock.now(), _here(origin)
    with transaction():
        counted = guesses.count(key, here, Rule(waits=rules.PASSWORD_WAITS_HERE), now=now)
        if isinstance(counted, Refused):
            return _refusal(counted)
        waits = () if guesses.is_known(key, here) else rules.PASSWORD_WAITS_ANYWHERE
        counted = guesses.count(key, PASSWORD, Rule(in_a_row=limits.guesses_in_a_row, waits=waits), now=now)
        if isinstance(counted, Refused):
            guesses.take_back(key, here)
            return _refusal(counted)
    return Allowed()


def password_failed(store: ShortLived, key: str, origin: Origin) -> int:
    """The guess was wrong: how many in a row for this account from here, this one included."""
    for window in places("failures", origin, 0, 0, TEN_MINUTES):  # compared with the limits before the next guess
        in_window(store, window, by=1)
    return guesses.in_a_row(key, _here(origin))


def are_many_misses(key: str) -> bool:
    """Whether so many guesses in a row have been wrong, from anywhere, that the owner is to hear of it (M-11)."""
    return guesses.in_a_row(key, PASSWORD) >= FEW


def password_succeeded(key: str, origin: Origin | None = None) -> None:
    """The guess was right: its row of misses ends, and `origin` is from now on known to this account."""
    with transaction():
        guesses.right(key, PASSWORD)
        if origin is not None:
            guesses.right(key, _here(origin))
            guesses.make_known(key, _here(origin), now=clock.now())


def password_replaced(key: str) -> None:
    """There is a new password: nothing guessed at the old one counts, and a switched-off one is on again."""
    guesses.clear(key, PASSWORD)


def before_code(limits: Limits, account_key: str, factor: str) -> Decision:
    """Count one guess at a code before it is compared, if there may be one (SR-17, SR-18)."""
    rule = Rule(in_a_row=limits.guesses_in_a_row, per_hour=limits.guesses_per_hour, per_day=limits.guesses_per_day)
    match guesses.count(account_key, factor, rule, now=clock.now()):
        case Counted():
            return Allowed()
        case Refused() as refused:
            return _refusal(refused)


def code_failed(account_key: str, factor: str) -> int:
    """The guess was wrong, and stays counted: how many in a row."""
    return guesses.in_a_row(account_key, factor)


def code_succeeded(store: ShortLived, account_key: str, factor: str, *, channel: str, destination: str) -> None:
    """The guess was right: it counts as none, prompts count as answered, and the prefix had a use (SR-29, SR-32)."""
    guesses.right(account_key, factor)
    prompt_answered(store, account_key, channel=channel, destination=destination)


def prompt_answered(store: ShortLived, account_key: str, *, channel: str, destination: str) -> None:
    """What was sent to a phone was used: prompts count as answered, and the prefix had a use (SR-29, SR-32)."""
    if channel in PHONE_CHANNELS:
        store.put(_answered_key(account_key), token_hex(8).encode(), ttl=DAY)
        _tally(store, "used", numbering.prefix(destination))


def last_answer(store: ShortLived, account_key: str) -> str:
    """A mark that changes when a prompt is answered: what is counted under it begins anew then (SR-32)."""
    return (store.get(_answered_key(account_key)) or b"").decode()


def factor_replaced(account_key: str, factor: str) -> None:
    """The factor was set up anew: guesses at the old one do not count (SR-17)."""
    guesses.clear(account_key, factor)


def erase(account_id: str, canonical: str) -> None:
    """Forget the guesses counted of an account and its address (SR-126)."""
    guesses.erase((account_id, address_key(canonical)))


def forget_idle(idle: timedelta = IDLE) -> int:
    """Delete counters that nobody touched for so long and that are far from any limit; how many (SR-125)."""
    return guesses.forget(before=clock.now() - idle, fewer_than=FEW)


def _sending_windows(
    store: ShortLived, limits: Limits, *, channel: str, destination: str, about: str, origin: Origin | None
) -> Iterator[Window]:
    """Narrowest first, so that one who asks too often is stopped by a count of their own."""
    hourly, daily = limits.sends_per_destination_hour, limits.sends_per_destination_day
    kind = "phone" if channel in PHONE_CHANNELS else "email"
    # One mailbox, one count: capitals in the address as typed make no other.
    target = address_key(email_address(destination).canonical if kind == "email" else destination)
    if kind == "phone":
        answered = last_answer(store, about)
        yield Window(f"prompts:{about}:{answered}", rules.PROMPTS_UNANSWERED_SOON, TEN_MINUTES)
        yield Window(f"prompts:{about}:{answered}", rules.PROMPTS_UNANSWERED_DAY, DAY)
    if channel == "voice":
        yield Window(f"calls:{target}", rules.half(hourly), HOUR)
        yield Window(f"calls:{target}", rules.half(daily), DAY)
    yield Window(f"sends:{target}", hourly, HOUR)
    yield Window(f"sends:{target}", daily, DAY)
    yield Window(f"sends-{kind}:{about}", daily, DAY)
    if origin is not None:
        yield from places("sends", origin, limits.sends_per_address_hour, limits.sends_per_network_hour, HOUR)


def _phone_network(store: ShortLived, limits: Limits, channel: str, destination: str, *, known: bool) -> Decision:
    prefix = numbering.prefix(destination)
    if _is_attacked(store, prefix):
        if store.claim(f"prefix-stopped:{prefix}", ttl=HOUR):
            audit.record("sending.prefix-stopped", outcome="refused", details={"prefix": prefix})
        return Wait(JUDGED)
    per_prefix = limits.sends_per_prefix_hour
    windows = [Window(f"prefix:{prefix}", per_prefix, HOUR)]
    if channel == "voice":
        windows.insert(0, Window(f"prefix-calls:{prefix}", rules.half(per_prefix), HOUR))
    decision = first_refusal(store, windows)
    total = store.count("phone-sends", window=DAY, by=1 if isinstance(decision, Allowed) else 0)
    if isinstance(decision, Allowed) and not known and total > limits.sms_per_day:
        # The day's money is for people who have an account; new numbers wait for tomorrow (SR-29).
        if store.claim("day-spent", ttl=DAY):
            audit.record("sending.day-spent", outcome="refused", details={"sent": total})
        return Wait(HOUR)
    if isinstance(decision, Allowed):
        _tally(store, "sent", prefix)
    return decision


def _is_attacked(store: ShortLived, prefix: str) -> bool:
    present = clock.timestamp() // JUDGED
    sent = sum(store.count(_tally_key("sent", prefix, present - back), window=2 * HOUR, by=0) for back in (1, 2, 3))
    if sent < rules.FEWEST_SENT_TO_JUDGE:
        return False
    used = sum(store.count(_tally_key("used", prefix, present - back), window=2 * HOUR, by=0) for back in range(4))
    return rules.is_attacked(sent, used)


def _tally(store: ShortLived, what: str, prefix: str) -> None:
    store.count(_tally_key(what, prefix, clock.timestamp() // JUDGED), window=2 * HOUR)


def _tally_key(what: str, prefix: str, piece: int) -> str:
    return f"codes-{what}:{prefix}:{piece}"


def _failed_too_often(store: ShortLived, limits: Limits, origin: Origin) -> Decision:
    each, network = limits.password_failures_per_address, limits.password_failures_per_network
    for window in places("failures", origin, each, network, TEN_MINUTES):
        count, left = in_window(store, window, by=0)
        decision = rules.within(count + 1, window.limit, left=left)
        if not isinstance(decision, Allowed):
            return decision
    return Allowed()


def _everywhere(limits: Limits) -> Window:
    return Window("journeys:all", limits.journeys_total_minute, MINUTE)


def _refusal(refused: Refused) -> Decision:
    return SwitchedOff() if refused.seconds is None else Wait(refused.seconds)


def _here(origin: Origin) -> str:
    # The counter outlives the request by weeks, so it names no network (SR-125).
    return f"{PASSWORD}:{vault().index(origin.network, purpose='throttling network').hex()[:24]}"


def _answered_key(account_key: str) -> str:
    return f"answered:{account_key}"
