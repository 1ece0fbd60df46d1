"""Employees, their payslips, and the window in which each may see them.

The former employer's HR decides the window and says whose account belongs to which employee
(`links.json`: subject of the identity provider → employee number).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

EMPLOYEES = Path(__file__).with_name("employees.json")


@dataclass(frozen=True, slots=True)
class Employee:
    """One person's employment, as the former employer left it here."""

    number: str
    employer: str
    opens: datetime
    closes: datetime
    payslips: tuple[dict[str, Any], ...]

    def payslip(self, payslip_id: str) -> dict[str, Any] | None:
        """This employee's payslip of that id; never another's."""
        return next((payslip for payslip in self.payslips if payslip["id"] == payslip_id), None)


class Records:
    """All employees, by the subject that HR linked to them."""

    def __init__(self, links: Path, employees: Path = EMPLOYEES) -> None:
        """`links` may be missing or change at any time; `employees` is read once."""
        self._links = links
        self._employees = {entry["number"]: _employee(entry) for entry in json.loads(employees.read_text("utf-8"))}

    def of(self, subject: str) -> Employee | None:
        """The employee behind this subject, or None."""
        try:
            links = json.loads(self._links.read_text("utf-8"))
        except FileNotFoundError:
            return None
        number = links.get(subject)
        return self._employees.get(number) if isinstance(number, str) else None


def _employee(entry: dict[str, Any]) -> Employee:
    return Employee(
        number=entry["number"],
        employer=entry["employer"],
        opens=datetime.fromisoformat(entry["window"]["opens"]),
        closes=datetime.fromisoformat(entry["window"]["closes"]),
        payslips=tuple(entry["payslips"]),
    )
