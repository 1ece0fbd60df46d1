"""What an account can prove itself with: its password and its phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, String, Table, delete, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

passwords = Table(
    "passwords",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("verifier", String(512), nullable=False),
    Column("set_at", Instant, nullable=False),
)

phones = Table(
    "phones",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("number_index", LargeBinary(32), nullable=False, index=True),
    Column("number", LargeBinary, nullable=False),
    Column("takes_sms", Boolean, nullable=False),
    Column("proved_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A proved phone number in E.164."""

    number: str = field(repr=False)
    takes_sms: bool
    proved_at: datetime

    @property
    def last_digits(self) -> str:
        """All that a page may show of it."""
        return self.number[-2:]


def verifier_of(account_id: str) -> str | None:
    """The stored password verifier."""
    with transaction() as connection:
        return connection.execute(select(passwords.c.verifier).where(passwords.c.account_id == account_id)).scalar()


def set_password(account_id: str, verifier: str, *, now: datetime) -> None:
    """Keep this verifier, in place of any before. Joins the caller's transaction."""
    with transaction() as connection:
        changed = connection.execute(
            update(passwords).where(passwords.c.account_id == account_id).values(verifier=verifier, set_at=now)
        )
        if changed.rowcount == 0:
            connection.execute(insert(passwords).values(account_id=account_id, verifier=verifier, set_at=now))


def password_set_at(account_id: str) -> datetime | None:
    """When the password was set; None without one."""
    with reading() as connection:
        return connection.execute(
            select(passwords.c.set_at).where(passwords.c.account_id == account_id)
        ).scalar_one_or_none()


def hold_password(account_id: str) -> datetime | None:
    """When the password was set. Nobody replaces it until the caller's transaction ends."""
    statement = select(passwords.c.set_at).where(passwords.c.account_id == account_id).with_for_update(read=True)
    with transaction() as connection:
        found: datetime | None = connection.execute(statement).scalar()
    return found


def rehash(account_id: str, old: str, new: str) -> None:
    """Put a verifier with current parameters in place of `old`, unless the password changed meanwhile (SR-7)."""
    with transaction() as connection:
        connection.execute(
            update(passwords)
            .where(passwords.c.account_id == account_id, passwords.c.verifier == old)
            .values(verifier=new)
        )


def phone_of(account_id: str) -> Phone | None:
    """The proved number of an account."""
    with transaction() as connection:
        row = connection.execute(select(phones).where(phones.c.account_id == account_id)).first()
    if row is None:
        return None
    number = vault().open(row.number, place="phones.number", row=account_id)
    return Phone(number=number, takes_sms=row.takes_sms, proved_at=row.proved_at)


def remove_phone(account_id: str) -> bool:
    """Forget the number. False when there was none."""
    with transaction() as connection:
        return connection.execute(delete(phones).where(phones.c.account_id == account_id)).rowcount == 1


def set_phone(account_id: str, number: str, *, takes_sms: bool, now: datetime) -> None:
    """Keep this proved number, in place of any before. Joins the caller's transaction."""
    with transaction() as connection:
        connection.execute(delete(phones).where(phones.c.account_id == account_id))
        connection.execute(
            insert(phones).values(
                account_id=account_id,
                number_index=vault().index(number, purpose="phone"),
                number=vault().seal(number, place="phones.number", row=account_id),
                takes_sms=takes_sms,
                proved_at=now,
            )
        )
