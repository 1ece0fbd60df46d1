"""Nothing but the mailbox tells whether an address has an account (SR-10, SR-47; page spec A36)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from idp.services import accounts
from tests.people import PASSWORD, Outside, Person, Provider, new_provider, on_sqlite, settings_for

TRIES = 100
"""Of each kind, interleaved: 200 in all."""

MILLISECONDS = 10


@pytest.fixture
def patient(tmp_path: Path, outside: Outside) -> Iterator[Provider]:
    """A provider that does not mind so many tries from one place, and a hundred accounts."""
    many = {"sends_per_address_hour": 10**6, "sends_per_network_hour": 10**6, "password_failures_per_address": 10**6}
    more = {"password_failures_per_network": 10**6, "journeys_per_address_hour": 10**6, "sign_up_seconds": 0}
    settings = settings_for(on_sqlite(tmp_path), tmp_path, outside, limits={**many, **more})
    with new_provider(settings, outside) as made, made.app.app_context():
        verifier = made.parts.hashing.make(PASSWORD)
        for number in range(TRIES):
            accounts.open_account(
                canonical=f"known{number:03d}@example.no",
                typed=f"known{number:03d}@example.no",
                locale="en",
                verifier=verifier,
                phone={"e164": f"+4794{number:06d}", "takes_sms": "yes"},
            )
        yield made


WAYS = {"sign-in": None, "sign-up": "Sign up now", "reset": "Forgotten your password?"}
"""The three forms that take an address, and the link that leads to each."""


@pytest.mark.parametrize("way", WAYS)
def test_known_and_unknown_addresses_look_and_take_the_same(patient: Provider, way: str) -> None:
    link = WAYS[way]
    took: dict[str, list[float]] = {"known": [], "other": []}
    seen: dict[str, set[tuple[object, ...]]] = {"known": set(), "other": set()}
    for number in range(TRIES):
        for kind in ("known", "other") if number % 2 else ("other", "known"):
            address = f"{kind}{number:03d}@example.no"
            someone = patient.person().comes_from_portal()
            if link:
                someone.presses(link)
            form = someone.page.form_with()
            typed = {**form.fields, "email": address, "password": "not the right password", "do": form.buttons[0][1]}
            began = perf_counter()
            answer = someone.browser.post(form.action, base_url="https://login.example", data=typed)
            took[kind].append(perf_counter() - began)
            someone.answer = someone._follow(answer)
            seen[kind].add(_masked(someone, address))

    assert seen["known"] == seen["other"]
    assert len(seen["known"]) == 1
    # Each with its neighbour: what else this machine does meanwhile touches both alike.
    apart = abs(median(one - other for one, other in zip(took["known"], took["other"], strict=True))) * 1000
    assert apart < MILLISECONDS, f"medians are {apart:.1f} ms apart"


def _masked(person: Person, address: str) -> tuple[object, ...]:
    """Status, headers, cookies and page, less what is new for everybody."""
    assert person.answer is not None
    ids = person.answer.request.path.split("/")[2]
    page = person.page.html.replace(address, "ADDRESS").replace(ids, "ID")
    page = re.sub(r'name="form" value="[^"]*"', "", page)
    page = re.sub(r'datetime="[^"]*"', "", page)
    headers = [(name, value) for name, value in person.answer.headers if name not in ("Content-Length", "Date")]
    return person.answer.status_code, str(headers), page
