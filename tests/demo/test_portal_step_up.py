"""«Bekreft»: from the data service's challenge to the provider and back to the very page (RFC 9470, SR-96)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.demo.world import HIGH, SUBSTANTIAL, PortalVisitor


def test_confirm_asks_for_what_the_data_service_wants_and_comes_back_to_the_very_page(portal: PortalVisitor) -> None:
    """SR-96, RFC 9470: from the challenge to the request, and back."""
    portal.signs_in()
    assert ">Bekreft</button>" in portal.page("/payslips/fv1001-2026-06")

    asked = portal.leaves("/confirm", here="/payslips/fv1001-2026-06")
    assert asked["acr_values"] == f"{SUBSTANTIAL} {HIGH}"
    essential = {"essential": True, "values": [SUBSTANTIAL, HIGH]}
    assert json.loads(asked["claims"])["id_token"] == {"acr": essential}

    proved: dict[str, Any] = {"acr": SUBSTANTIAL}
    portal.provider.token_answers.append((200, portal.tokens(nonce=asked["nonce"], access=proved, **proved)))
    assert portal.returns(asked, grant=False).headers["location"] == "/payslips/fv1001-2026-06"
    page = portal.page("/payslips/fv1001-2026-06")
    assert "Identiteten din er bekreftet." in page
    assert "Lønnsslipp for juni 2026" in page
    assert "Fjordkraft Verksted AS" in portal.page()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("unmet_authentication_requirements", "Vi fikk ikke bekreftet hvem du er"),
        ("access_denied", "Du avbrøt"),
        ("server_error", "Noe gikk galt hos innloggingstjenesten"),
    ],
)
def test_a_refused_proof_is_said_in_words_and_the_portal_goes_on(portal: PortalVisitor, error: str, words: str) -> None:
    portal.signs_in()
    portal.page()
    answer = portal.returns(portal.leaves("/confirm", here="/"), grant=False, code=None, error=error)

    assert answer.headers["location"] == "/"
    page = portal.page()
    assert words in page
    assert "kari@example.org" in page
    assert ">Bekreft</button>" in page


def test_less_proof_than_asked_for_is_not_taken_for_enough(portal: PortalVisitor) -> None:
    """CLIENTS.md 7: no loop either."""
    portal.signs_in()
    portal.page()
    portal.returns(portal.leaves("/confirm", here="/"))
    assert "Vi fikk ikke bekreftet hvem du er" in portal.page()


def test_somebody_else_proving_themselves_does_not_land_on_the_first_persons_page(portal: PortalVisitor) -> None:
    portal.signs_in()
    portal.page()
    asked = portal.leaves("/confirm", here="/payslips/fv1001-2026-06")
    other: dict[str, Any] = {"acr": SUBSTANTIAL, "sub": "ola"}
    tokens = portal.tokens(nonce=asked["nonce"], access=other, email="ola@example.org", **other)
    portal.provider.token_answers.append((200, tokens))

    assert portal.returns(asked, grant=False).headers["location"] == "/"
    page = portal.page()
    assert "ola@example.org" in page
    assert "kari@example.org" not in page
