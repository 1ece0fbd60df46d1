"""What the Swedish BankID service takes (RP API v6): fields, limits and nothing beside them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from .swedish_bankid_faults import ERRORS

ON_FILE, ON_CARD, MOBILE = "1.2.3.4.5", "1.2.3.4.10", "1.2.3.4.25"
"""Policies of the certificates that the banks of the test environment issue."""

NOWHERE_ELSE = "1.2.752.60.1.6"
"""Another policy of the test environment, of no BankID that people have."""

Policy = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+){3}(\.[0-9]+)*(\.\*)?\Z", max_length=64)]
"""An object identifier; a `*` may stand from the fifth position on."""

Encoded = Annotated[str, Meta(min_length=1, max_length=1500)]
Short = Annotated[str, Meta(min_length=1, max_length=64)]
T = TypeVar("T")


class Refused(Exception):
    """The service answers with an error. `details` are for developers."""

    def __init__(self, status: int, details: str, *, code: str = "") -> None:
        super().__init__(details)
        self.status, self.details, self.code = status, details, code or ERRORS[status]


class Requirement(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Who may complete the order, and how."""

    pin_code: bool = False
    mrtd: bool = False
    card_reader: Literal["class1", "class2"] | UnsetType = UNSET
    certificate_policies: Annotated[tuple[Policy, ...], Meta(min_length=1)] | UnsetType = UNSET
    personal_number: Annotated[str, Meta(pattern=r"^[0-9]{12}\Z")] | UnsetType = UNSET
    risk: Literal["low", "moderate", "LOW", "MODERATE"] | UnsetType = UNSET

    @property
    def policies(self) -> tuple[str, ...]:
        """Those that were asked for; none for the service's own choice."""
        return self.certificate_policies or ()

    @property
    def person(self) -> str | None:
        """The only number that may complete the order."""
        return self.personal_number or None


class Web(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """The browser, for judging the risk."""

    referring_domain: Annotated[str, Meta(min_length=3, max_length=253)] | UnsetType = UNSET
    user_agent: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    device_identifier: Short | UnsetType = UNSET


class App(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """The service's own app, for judging the risk."""

    app_identifier: Short | UnsetType = UNSET
    device_os: Short | UnsetType = field(default=UNSET, name="deviceOS")
    device_model_name: Short | UnsetType = UNSET
    device_identifier: Short | UnsetType = UNSET


class Auth(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The body of `/auth`."""

    end_user_ip: str
    requirement: Requirement = Requirement()
    return_risk: bool = False
    return_url: Annotated[str, Meta(min_length=1, max_length=512)] | UnsetType = UNSET
    user_visible_data: Encoded | UnsetType = UNSET
    user_visible_data_format: Literal["plaintext", "simpleMarkdownV1"] = "plaintext"
    user_non_visible_data: Encoded | UnsetType = UNSET
    web: Web | UnsetType = UNSET
    app: App | UnsetType = UNSET

    def __repr__(self) -> str:
        return "Auth()"

    @property
    def text(self) -> str:
        """What the app shows."""
        return b64decode(self.user_visible_data or "").decode()


class Named(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The body of `/collect` and `/cancel`."""

    order_ref: Annotated[str, Meta(min_length=1, max_length=64)]

    def __repr__(self) -> str:
        return "Named()"


def read(body: bytes, kind: type[T]) -> T:
    """The body of a request. Raises `Refused`."""
    try:
        found = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Refused(400, f"Invalid parameters: {problem}") from problem
    if isinstance(found, Auth):
        for wrong, details in _wrong(found):
            if wrong:
                raise Refused(400, f"Invalid parameters: {details}")
    return found


def has_check_digit(number: str) -> bool:
    """Whether the last of twelve digits fits the nine before it (Luhn)."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(number[2:])]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def covers(asked: Iterable[str], policy: str) -> bool:
    """Whether a certificate of this policy is among those that were asked for."""
    return any(one == policy or (one.endswith(".*") and policy.startswith(one.removesuffix("*"))) for one in asked)


def _wrong(found: Auth) -> Iterable[tuple[bool, str]]:
    """What a schema cannot say."""
    requirement = found.requirement
    number = requirement.person
    yield not _is_address(found.end_user_ip), "endUserIp is no IP address"
    yield bool(found.web) and bool(found.app), "web and app"
    yield found.web == Web() or found.app == App(), "web or app without a member"
    yield not _is_encoded(found.user_visible_data or "", text=True), "userVisibleData is no base64 of UTF-8"
    yield not _is_encoded(found.user_non_visible_data or ""), "userNonVisibleData is no base64"
    yield number is not None and not has_check_digit(number), "personalNumber has a wrong check digit"
    on_card_only = all(covers([policy], ON_CARD) for policy in requirement.policies) and requirement.policies
    yield bool(requirement.card_reader) and not on_card_only, "cardReader without policies of cards alone"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_encoded(value: str, *, text: bool = False) -> bool:
    try:
        raw = b64decode(value, validate=True)
        if text:
            raw.decode()
    except ValueError:
        return False
    return True
