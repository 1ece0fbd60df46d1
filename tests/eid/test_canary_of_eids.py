"""Nothing of an eID is ever written down: numbers, names, the provider's secrets (SR-120; rule 8 of every eID)."""

from __future__ import annotations

import pytest

from idp.eid.connector import Failed, Outcome
from idp.rules.assurance import HIGH
from tests.eid.scripted import Scripted, verified
from tests.people import Provider
from tests.requirements.test_canary import Kept, Witness, found, logs, stored

__all__ = ["logs"]

BIRD = {"country": "NO", "number": "73167316731", "given_name": "Kanarifugla", "family_name": "Syngersen"}
OTHER = {**BIRD, "number": "92549254925", "family_name": "Papegøyesen"}
SECRET = "qr-secret-8841-of-the-provider"


def test_an_identity_is_found_nowhere(
    provider: Provider, eid: Scripted, logs: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    eid.secret = SECRET
    kari = provider.person().is_signed_in()
    witness = Witness(kari)
    kari.comes_from_portal(acr_values=HIGH).sends("start:test-eid:app")
    for said in (Failed(Outcome.PROOF_INVALID, "checked"), Failed(Outcome.USER_REFUSED), None):
        eid.says = said or (lambda now: verified(BIRD, at=now, reference="reference-5177-of-kari"))
        kari.sends("check")
        if said is not None:
            kari.sends("start:test-eid:app")
    tokens = kari.tokens()
    kari.comes_from_portal(acr_values=HIGH, max_age="0").sends("start:test-eid:app")
    eid.says = lambda now: verified(OTHER, at=now)
    kari.sends("check")
    assert "somebody else" in kari.page.text
    kari.goes(f"/eid/test-eid/return?state={eid.state}").goes("/eid/nobody/return?state=x")
    provider.deliver()

    everything = [BIRD["number"], OTHER["number"], "Kanarifugla", "Syngersen", "Papegøyesen", "reference-5177", SECRET]
    written = "\n".join([*logs.lines, *capfd.readouterr()])
    assert found([*everything, eid.state], written.encode()) == []
    assert found(everything, "\n".join(witness.locations).encode()) == []
    assert found(everything, "\n".join([*witness.errors, kari.page.html]).encode()) == []
    assert found(everything, str(tokens).encode()) == []
    for place, raw in stored(provider).items():
        assert found(everything, raw) == [], place
