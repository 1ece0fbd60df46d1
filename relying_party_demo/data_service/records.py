"""Employees, their payslips, and the window in which each may see them.

The former employer's HR decides the window. Whose account is which employee's is found once, by the
identity that the provider has verified, and kept in `links.json` (subject of the provider → employee number).
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from .matching import Identity, is_near, match

WITHHELD = "Forskuddstrekk"
"""The line of a payslip that says how much tax was kept back."""

EMPLOYEES = Path(__file__).with_name("employees.json")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Employee:
    """One person's employment, as the former employer left it here."""

    number: str
    name: str = field(repr=False)
    country: str
    national_number: str = field(repr=False)
    birthdate: str = field(repr=False)
    employer: str
    opens: datetime
    closes: datetime
    payslips: tuple[dict[str, Any], ...] = field(repr=False)

    def payslip(self, payslip_id: str) -> dict[str, Any] | None:
        """This employee's payslip of that id; never another's."""
        return next((payslip for payslip in self.payslips if payslip["id"] == payslip_id), None)

    def tax_papers(self) -> list[dict[str, Any]]:
        """What the payslips of each year come to, newest first."""
        years = sorted({payslip["period"][:4] for payslip in self.payslips}, reverse=True)
        return [self._tax_paper(year) for year in years]

    def _tax_paper(self, year: str) -> dict[str, Any]:
        slips = [payslip for payslip in self.payslips if payslip["period"].startswith(year)]
        lines = [line for payslip in slips for line in payslip["lines"]]
        return {
            "year": year,
            "currency": slips[0]["currency"],
            "paid": sum(line["amount"] for line in lines if line["amount"] > 0),
            "tax_withheld": -sum(line["amount"] for line in lines if line["text"] == WITHHELD),
        }

    def window(self) -> dict[str, str]:
        """From when until when they may look."""
        return {"opens": self.opens.isoformat(), "closes": self.closes.isoformat()}


class Records:
    """All employees, and the subjects they were found to be."""

    def __init__(self, links: Path, employees: Path = EMPLOYEES) -> None:
        """`links` may be missing; it is written when somebody is found. `employees` is read once."""
        self._links = links
        self._lock = Lock()
        self._employees = {entry["number"]: _employee(entry) for entry in json.loads(employees.read_text("utf-8"))}

    def of(self, subject: str) -> Employee | None:
        """The employee this subject was found to be, or None."""
        number = self._linked().get(subject)
        return self._employees.get(number) if isinstance(number, str) else None

    def find(self, subject: str, identity: Identity) -> Employee | None:
        """The employee with this identity, kept from now on; None for a stranger."""
        employee = match(identity, self._employees.values())
        if employee is None:
            for near in (one for one in self._employees.values() if is_near(identity, one)):
                log.info("employee %s has the name and birth date of somebody with another number: for HR", near.number)
            return None
        with self._lock:
            others = {known: number for known, number in self._linked().items() if number != employee.number}
            beside = self._links.with_name(f"{self._links.name}.new")
            beside.write_text(json.dumps({**others, subject: employee.number}, indent=2), "utf-8")
            beside.replace(self._links)
        return employee

    def _linked(self) -> dict[str, str]:
        try:
            links: dict[str, str] = json.loads(self._links.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return links


def _employee(entry: dict[str, Any]) -> Employee:
    return Employee(
        number=entry["number"],
        name=entry["name"],
        country=entry["country"],
        national_number=entry["national_number"],
        birthdate=entry["birthdate"],
        employer=entry["employer"],
        opens=datetime.fromisoformat(entry["window"]["opens"]),
        closes=datetime.fromisoformat(entry["window"]["closes"]),
        payslips=tuple(entry["payslips"]),
    )
