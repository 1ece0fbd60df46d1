"""S-APPS: the services that have access, what they may see and what they got, and taking that back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from idp.rules.authorization_details import AlumniRecords
from idp.services import clients, consents
from idp.services.consents import Service
from idp.web import scopes
from idp.web.account.contract import HOME, Act, Answer, Member, Page, Part, Tools, Went

PATH = f"{HOME}/services"


def services(_tools: Tools, member: Member) -> dict[str, Any]:
    """One entry for each service."""
    return {"services": [_told(service) for service in consents.services(member.account_id)]}


def withdraw(_tools: Tools, member: Member, typed: Mapping[str, str]) -> Answer:
    """Take back what a service may have. What was taken back already stays so."""
    consents.withdraw(member.account_id, typed.get("service", ""))
    return Went(PATH, "consent-withdrawn")


PARTS: tuple[Part, ...] = (Page(PATH, "services", services), Act(f"{PATH}/withdraw", withdraw))


def _told(service: Service) -> dict[str, Any]:
    client = clients.find(service.client_id)
    given, agreed = service.given, service.agreed
    newest = given[0].grant if given else None
    received = dict.fromkeys(scope for one in given for scope in one.grant.scope.split())
    asked = agreed.scopes if agreed else newest.scope.split() if newest else ()
    records = agreed.details if agreed else newest.details if newest else ()
    return {
        "id": service.client_id,
        "name": client.name if client else service.client_id,
        "may": _words(asked, records),
        "since": agreed.since if agreed else given[-1].issued_at,
        "received": _words(received, [detail for one in given for detail in one.grant.details]),
        "last": given[0].issued_at if given else None,
    }


def _words(names: Iterable[str], details: Iterable[AlumniRecords]) -> list[str]:
    found = (*scopes.items(names, optional=()), *scopes.of_records(details))
    return list(dict.fromkeys(item.text for item in found))
