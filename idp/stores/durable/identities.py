"""Identities: the real-world person behind an account, proved through an eID. One identity ↔ one account.

Found by a keyed hash of country and national number (or the provider's own person id); everything else
of the person is sealed (SR-103, DESIGN §3).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Column, ForeignKey, LargeBinary, Table, select, update

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault
from idp.stores.durable.upserts import insert

identities = Table(
    "identities",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("person_index", LargeBinary(32), nullable=False, unique=True),
    Column("person", LargeBinary, nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("proved_at", Instant, nullable=False),
)

_PLACE = "identities.person"


class Identity(Struct, frozen=True, kw_only=True):
    """Who somebody is, as the eIDs have proved it so far."""

    country: str
    number: str | None
    given_name: str
    family_name: str
    birthdate: date | None
    references: dict[str, str] = {}
    """What each provider knows the person by."""

    @property
    def key(self) -> str:
        """What makes this person this one: never a name, an address or a phone (SR-103)."""
        if self.number is not None:
            return f"{self.country}:{self.number}"
        provider, reference = next(iter(sorted(self.references.items())))
        return f"{provider}:{reference}"

    def __repr__(self) -> str:
        return f"Identity(country={self.country!r})"


_decode = msgspec.json.Decoder(Identity).decode
_encode = msgspec.json.Encoder().encode

Linked = Literal["linked", "again", "other-person", "other-account"]


def link(account_id: str, identity: Identity, *, now: datetime) -> Linked:
    """Tie a person to an account, or renew the tie. What decides is one insert under two unique keys.

    `other-person`: the account belongs to somebody else. `other-account`: this person has another one.
    Joins the caller's transaction; nothing is changed unless the answer is `linked` or `again`.
    """
    index = _index(identity)
    row = {
        "account_id": account_id,
        "person_index": index,
        "person": _sealed(account_id, identity),
        "linked_at": now,
        "proved_at": now,
    }
    with transaction() as connection:
        statement = insert(connection, identities).values(row).on_conflict_do_nothing()
        if connection.execute(statement.returning(identities.c.account_id)).first() is not None:
            return "linked"
        known = connection.execute(select(identities).where(identities.c.account_id == account_id)).first()
        if known is None:
            return "other-account"
        if bytes(known.person_index) != index:
            return "other-person"
        before = _opened(account_id, known.person)
        merged = msgspec.structs.replace(identity, references={**before.references, **identity.references})
        connection.execute(
            update(identities)
            .where(identities.c.account_id == account_id)
            .values(person=_sealed(account_id, merged), proved_at=now)
        )
    return "again"


def of_account(account_id: str) -> Identity | None:
    """The person behind an account, if that was ever proved."""
    with reading() as connection:
        row = connection.execute(select(identities.c.person).where(identities.c.account_id == account_id)).first()
    return _opened(account_id, row.person) if row else None


def is_linked(account_id: str) -> bool:
    """Whether the person behind an account is known."""
    with reading() as connection:
        statement = select(identities.c.account_id).where(identities.c.account_id == account_id)
        return connection.execute(statement).first() is not None


def _index(identity: Identity) -> bytes:
    return vault().index(identity.key, purpose="identities.person_index")


def _sealed(account_id: str, identity: Identity) -> bytes:
    return vault().seal(_encode(identity).decode(), place=_PLACE, row=account_id)


def _opened(account_id: str, sealed: bytes) -> Identity:
    return _decode(vault().open(sealed, place=_PLACE, row=account_id))
