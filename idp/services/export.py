"""All that is kept about one person, and nothing of others (SR-126; GDPR art. 15, 20). Schema: docs/reference/data.md.

Secrets are left out: they are ours and the person's devices', and would open the account for whoever finds the file.
The national number is in it: what is kept about a person is the person's to see, behind both factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from idp import clock
from idp.delivery import outbox
from idp.rules.identifiers import email_address
from idp.services import clients, throttling
from idp.stores.durable import (
    accounts,
    audit,
    authenticator_apps,
    consents,
    credentials,
    eid_transactions,
    former_addresses,
    grants_given,
    guesses,
    identities,
    known_browsers,
    passkeys,
    recovery_codes,
    remembered_devices,
    undoable_changes,
)
from idp.stores.durable import sessions as listed
from idp.stores.durable.accounts import Account

FORMAT = "alumni-id-export/1"

Entries = list[dict[str, Any]]


def of_account(account_id: str) -> dict[str, Any] | None:
    """All that is kept about a person, as JSON can hold it. None when there is no such account."""
    account = accounts.by_id(account_id)
    if account is None:
        return None
    now = clock.now()
    found = {
        "format": FORMAT,
        "made_at": now,
        "account": _account(account),
        "sign_in": _sign_in(account_id),
        "identity": _identity(account_id),
        "identity_proofs": _proofs(account_id),
        "services": _services(account_id),
        "access": _access(account_id, now),
        "sign_ins": _sign_ins(account_id),
        "activity": _activity(account_id),
        "known_browsers": known_browsers.number(account_id),
        "waiting_messages": _waiting(account),
        "wrong_tries": _wrong_tries(account),
    }
    return {name: msgspec.to_builtins(value) for name, value in found.items()}


def recorded(account_id: str) -> None:
    """Write down that the data was handed out. An administrator's look-up is told to the person (SR-127)."""
    audit.record("person.exported", account_id=account_id)


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "email": account.email,
        "status": "active" if account.active else "leaving" if account.leaves_at else "locked",
        "language": account.locale,
        "time_zone": account.time_zone,
        "opened_at": account.created_at,
        "changed_at": account.updated_at,
        "erased_at": account.leaves_at,
    }


def _sign_in(account_id: str) -> dict[str, Any]:
    phone = credentials.phone_of(account_id)
    return {
        "password_set_at": credentials.password_set_at(account_id),
        "phone_number": phone.number if phone else None,
        "phone_takes_text_messages": phone.takes_sms if phone else None,
        "phone_confirmed_at": phone.proved_at if phone else None,
        "authenticator_app_added_at": authenticator_apps.added_at(account_id),
        "passkeys": [
            {"name": one.name, "added_at": one.created_at, "last_used_at": one.last_used_at}
            for one in passkeys.of_account(account_id)
        ],
        "remembered_devices": [
            {"device": one.device, "proved_at": one.proved_at, "until": one.expires_at}
            for one in remembered_devices.of_account(account_id)
        ],
        "recovery_codes": {"made_at": codes.made_at, "left": codes.count}
        if (codes := recovery_codes.left(account_id))
        else None,
        "former_addresses": former_addresses.of_account(account_id, now=clock.now()),
        "changes_that_may_be_undone": [
            {"kind": one.kind, "change": one.values, "began_at": one.begun_at, "until": one.until}
            for one in undoable_changes.of_account(account_id, now=clock.now())
        ],
    }


def _identity(account_id: str) -> dict[str, Any] | None:
    person = identities.of_account(account_id)
    if person is None:
        return None
    return {
        "country": person.country,
        "national_number": person.number,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birthdate": person.birthdate,
        "known_to_eids_as": person.references,
    }


def _proofs(account_id: str) -> Entries:
    return [
        {
            "eid": one.eid,
            "level": one.level,
            "outcome": one.outcome or one.status,
            "began_at": one.created_at,
            "proved_at": one.proved_at,
            "service": _name(one.client_id),
            "evidence": one.evidence,
        }
        for one in eid_transactions.of_account(account_id)
    ]


def _services(account_id: str) -> Entries:
    return [
        {"service": _name(one.client_id), "may_see": one.scopes, "records": one.details, "since": one.since}
        for one in consents.of_account(account_id)
    ]


def _access(account_id: str, now: datetime) -> Entries:
    return [
        {
            "service": _name(one.grant.client_id),
            "received": one.grant.scope.split(),
            "at": one.grant.resources,
            "records": one.grant.details,
            "given_at": one.issued_at,
            "ends_at": one.ended_at or one.grant.ends_at,
            "counts": one.counts,
        }
        for one in grants_given.of_account(account_id, now=now)
    ]


def _sign_ins(account_id: str) -> Entries:
    return [
        {"device": row.device, "began_at": row.started_at, "ended_at": row.ended_at or row.ends_at}
        for row in listed.of_account(account_id)
    ]


def _activity(account_id: str) -> Entries:
    pseudonym = audit.pseudonym_of(account_id)
    names = ("at", "event", "outcome", "network", "reason")
    return [
        {**{name: getattr(one, name) for name in names}, "service": _name(one.client) if one.client else None}
        for one in (audit.all_of(pseudonym) if pseudonym else ())
    ]


def _waiting(account: Account) -> Entries:
    found: Iterable[outbox.Message] = outbox.waiting_for({account.email}).values()
    return [{"kind": message.kind, "channel": message.channel, "asked_for_at": message.at} for message in found]


def _wrong_tries(account: Account) -> Entries:
    subjects = (account.id, throttling.address_key(email_address(account.email).canonical))
    return [
        {"what": factor.partition(":")[0], "in_a_row": in_a_row, "last_at": last_at}
        for factor, in_a_row, last_at in guesses.of_subjects(subjects)
    ]


def _name(client_id: str) -> str:
    client = clients.find(client_id)
    return client.name if client else client_id
