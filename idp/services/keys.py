"""Signing keys: add, promote, retire, and the first ones of a new provider (SR-100)."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from idp import clock
from idp.settings import Tokens
from idp.signing import rotation
from idp.stores.durable import audit
from idp.stores.durable import keys as rows
from idp.stores.durable.db import transaction

FIRST = ("ES256", "RS256")
"""Algorithms a new provider has a key for: what we prefer, and what OpenID Connect expects of everybody."""


class KeyProblem(ValueError):
    """What was asked cannot be done to this key; the message says why and what can."""


class Key(Struct, frozen=True, kw_only=True):
    """A signing key, as administrators see it. `withdrawn` keys are no longer in the published set."""

    kid: str
    algorithm: str
    state: str
    published_at: datetime
    may_sign_from: datetime
    active_at: datetime | None
    retired_at: datetime | None
    withdraw_at: datetime | None


def add(algorithm: str, *, at_once: bool = False, tokens: Tokens) -> Key:
    """Make and publish a key. It signs from its promotion on; the first of its algorithm signs at once.

    :param at_once: promote it in the same step, without the day of waiting (an emergency)
    :param tokens: how long tokens live: the key before it stays published that long and a day
    Raises `KeyProblem`.
    """
    if algorithm not in rotation.KINDS:
        raise KeyProblem(f"algorithm must be one of {', '.join(rotation.KINDS)}")
    made = rotation.make(algorithm)  # a second of work for RSA: outside the transaction
    now = clock.now()
    with transaction():
        first = algorithm not in rows.signing_algorithms()
        try:
            rows.add(made.kid, algorithm, public=made.public, private=made.private, active=first, now=now)
        except rows.AlreadyActive:  # somebody else's is the first
            rows.add(made.kid, algorithm, public=made.public, private=made.private, active=False, now=now)
        audit.record("key.added", details={"kid": made.kid, "algorithm": algorithm})
        if at_once and find(made.kid).state == "published":
            _promote(made.kid, at_once=True, tokens=tokens)
    return find(made.kid)


def first_keys() -> list[Key]:
    """Make the first keys where there are none; what was made. Safe twice, and twice at once."""
    made = []
    for algorithm in FIRST:
        if algorithm in rows.signing_algorithms():
            continue
        key = rotation.make(algorithm)
        try:
            with transaction():
                now = clock.now()
                rows.add(key.kid, algorithm, public=key.public, private=key.private, active=True, now=now)
                audit.record("key.added", details={"kid": key.kid, "algorithm": algorithm})
        except rows.AlreadyActive:
            continue  # another set-up was quicker, and one is enough
        made.append(find(key.kid))
    return made


def promote(kid: str, *, at_once: bool = False, tokens: Tokens) -> Key:
    """Sign with this key from now on, and retire the one before it.

    :param at_once: even if it has not been published for a day
    Raises `KeyProblem`.
    """
    with transaction():
        _promote(kid, at_once=at_once, tokens=tokens)
    return find(kid)


def retire(kid: str, *, at_once: bool = False, tokens: Tokens) -> Key:
    """Give a key up. A key that signs is given up only by promoting another, or at once.

    :param at_once: stop signing with it and refuse what it signed, now: it may be in wrong hands
    Raises `KeyProblem`.
    """
    now = clock.now()
    with transaction():
        key = find(kid)
        if key.state == "active" and not at_once:
            raise KeyProblem(f"{kid} signs now: promote another {key.algorithm} key, which retires it")
        if key.state == "retired" and not at_once:
            raise KeyProblem(f"{kid} is retired already")
        if key.state != "retired":
            rows.retire(kid, now=now, withdraw_at=rotation.withdraw_at(now, longest_token_life=_longest(tokens)))
        if at_once:
            rows.withdraw(kid, now=now)
        audit.record("key.retired", details={"kid": kid, "algorithm": key.algorithm, "at_once": at_once})
    return find(kid)


def find(kid: str) -> Key:
    """The key of a name. Raises `KeyProblem`."""
    row = rows.find(kid)
    if row is None:
        raise KeyProblem(f"no key {kid}: `idp key list` shows them")
    return _key(row)


def everyone(*, withdrawn: bool = False) -> list[Key]:
    """The keys in the published set, oldest first; with `withdrawn`, those of the past too."""
    found = rows.in_order() if withdrawn else rows.current(now=clock.now())
    return [_key(row) for row in found]


def _promote(kid: str, *, at_once: bool, tokens: Tokens) -> None:
    now = clock.now()
    key = find(kid)
    if key.state != "published":
        raise KeyProblem(f"{kid} is {key.state}: only a published key can be promoted")
    first = key.algorithm not in rows.signing_algorithms()
    if key.may_sign_from > now and not (at_once or first):
        raise KeyProblem(
            f"{kid} may sign from {key.may_sign_from:%Y-%m-%d %H:%M} UTC on, a day after it was published; "
            "--now promotes it at once, and clients that hold the old key set will refuse what it signs for a while"
        )
    try:
        before = rows.promote(kid, now=now, withdraw_at=rotation.withdraw_at(now, longest_token_life=_longest(tokens)))
    except (rows.AlreadyActive, LookupError):
        words = f"somebody else promoted a {key.algorithm} key at this moment: look at `idp key list`"
        raise KeyProblem(words) from None
    details: dict[str, str | int | bool] = {"kid": kid, "algorithm": key.algorithm, "at_once": at_once}
    if before is not None:
        details["retired"] = before.kid
    audit.record("key.promoted", details=details)


def _longest(tokens: Tokens) -> timedelta:
    """How long the longest-lived token lives that we sign. Refresh tokens are not signed."""
    return timedelta(seconds=max(tokens.access_token, tokens.id_token))


def _key(row: rows.KeyRow) -> Key:
    return Key(
        kid=row.kid,
        algorithm=row.algorithm,
        state=row.state,
        published_at=row.published_at,
        may_sign_from=row.active_at or rotation.may_sign_from(row.published_at),
        active_at=row.active_at,
        retired_at=row.retired_at,
        withdraw_at=row.withdraw_at,
    )
