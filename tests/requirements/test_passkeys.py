"""Passkey ceremonies: what counts, and everything that does not (SR-37, SR-38; WebAuthn L3 §7.1, §7.2)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp import clock as idp_clock
from idp.factors.contract import Limited
from idp.factors.passkey import Accepted, Ceremony, NotAccepted, Passkey, passkey
from idp.rules.passkeys import NewPasskey
from idp.services import accounts, passkeys
from idp.services import audit as trail
from idp.settings import Settings
from idp.stores.durable import passkeys as kept
from tests.authenticators import Authenticator, encoded
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import Outside, Provider, new_provider, settings_for
from tests.races.together import in_parallel

AT_ONCE = 10
embedded = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@dataclass
class Desk:
    """Somebody with an account, and the factor that judges what they bring."""

    provider: Provider
    factor: Passkey
    account_id: str
    place: str = "the-journey/sign-in/login"

    def ceremony(self, account_id: str | None = None, *, place: str = "") -> Ceremony:
        return Ceremony(place or self.place, "the-journey", account_id, idp_clock.now())

    def enrols(self, device: Authenticator, **odd: Any) -> NewPasskey | NotAccepted:
        """Make a passkey for the account, and keep it if it is good."""
        there = self.ceremony(self.account_id, place="the-journey/add-passkey/new-passkey")
        with self.provider.app.app_context():
            options = self.factor.offer(there, address="kari@example.no")
            assert isinstance(options, dict)
            made = self.factor.made(there, device.create(options, **odd))
            if isinstance(made, NewPasskey):
                passkeys.add(self.account_id, made, device="")
        return made

    def asked(self, account_id: str | None = None, *, verified: bool = True) -> dict[str, Any]:
        with self.provider.app.app_context():
            options = self.factor.ask(self.ceremony(account_id), verified=verified)
        assert isinstance(options, dict)
        return options

    def checks(
        self, answer: str, account_id: str | None = None, *, verified: bool = True, place: str = ""
    ) -> Accepted | NotAccepted:
        with self.provider.app.app_context():
            return self.factor.check(self.ceremony(account_id, place=place), answer, verified=verified)

    def reasons(self) -> list[str]:
        """What the trail says of refusals, oldest first."""
        with self.provider.app.app_context():
            return [event.reason or "" for event in trail.newest(50) if event.event == "passkey.refused"]


def desk_of(provider: Provider) -> Desk:
    kari = member(provider)
    return Desk(provider, passkey(provider.parts.settings, provider.parts.store), account_id(kari))


@pytest.fixture
def desk(provider: Provider) -> Desk:
    return desk_of(provider)


@pytest.fixture
def device(desk: Desk) -> Authenticator:
    """Kari's phone, with a passkey of hers."""
    made = Authenticator()
    assert isinstance(desk.enrols(made), NewPasskey)
    return made


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
@embedded
def test_a_passkey_alone_says_who_it_is(desk: Desk, algorithm: str) -> None:
    device = Authenticator(algorithm=algorithm, counts=True, synced=True)
    assert isinstance(desk.enrols(device), NewPasskey)

    for _ in range(2):
        found = desk.checks(device.get(desk.asked()))
        assert isinstance(found, Accepted)
        assert (found.account_id, found.proved.method) == (desk.account_id, "passkey")


@embedded
def test_what_a_browser_is_asked(desk: Desk, device: Authenticator) -> None:
    """SR-37: 32 random bytes, user verification, and no list of passkeys before it is known who somebody is."""
    first, second = desk.asked(), desk.asked()
    assert first["challenge"] != second["challenge"]
    assert len(first["challenge"]) == 43
    assert first["rpId"] == "login.example"
    assert first["userVerification"] == "required"
    assert not first.get("allowCredentials")
    assert [one["id"] for one in desk.asked(desk.account_id)["allowCredentials"]] == [encoded(device.keys[0].id)]


@embedded
def test_what_a_new_passkey_is_made_of(desk: Desk, device: Authenticator) -> None:
    """A handle that is neither the `sub` nor anything about a person; discoverable; no attestation; no second one."""
    with desk.provider.app.app_context():
        options = desk.factor.offer(desk.ceremony(desk.account_id), address="kari@example.no")
    assert isinstance(options, dict)
    assert options["user"]["id"] == encoded(device.keys[0].handle)
    assert len(device.keys[0].handle) == 32
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [encoded(device.keys[0].id)]
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [-7, -8, -257]


ODD_ANSWERS: dict[str, dict[str, Any]] = {
    "another type": {"client_data": {"type": "webauthn.create"}},
    "a suffix of our origin": {"origin": "https://badlogin.example"},
    "our origin and more": {"origin": "https://login.example.evil.example"},
    "another port": {"origin": "https://login.example:8443"},
    "plain http": {"origin": "http://login.example"},
    "no origin": {"origin": ""},
    "another relying party": {"rp": "example"},
    "a relying party that ends alike": {"rp": "badlogin.example"},
    "nobody there": {"present": False},
    "not verified": {"verified": False},
    "in a frame of another origin": {"client_data": {"crossOrigin": True}},
    "in a frame, said otherwise": {"client_data": {"crossOrigin": "yes"}},
    "below another page": {"client_data": {"topOrigin": "https://evil.example"}},
    "another owner's handle": {"handle": b"somebody else"},
    "no handle": {"handle": None},
    "a signature of something else": {"signed": b"something else"},
    "learnt to be synced": {"synced": True},
}


@pytest.mark.parametrize("odd", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
@embedded
def test_nothing_else_signs_anybody_in(desk: Desk, device: Authenticator, odd: dict[str, Any]) -> None:
    """SR-37, SR-38; and the challenge is gone after the first answer, whatever it was."""
    options = desk.asked()
    assert desk.checks(device.get(options, **odd)) == NotAccepted()
    assert desk.checks(device.get(options)) == NotAccepted()
    assert desk.reasons()[-1] == "no such challenge"


ODD_PASSKEYS: dict[str, dict[str, Any]] = {
    "another type": {"client_data": {"type": "webauthn.get"}},
    "another origin": {"origin": "https://badlogin.example"},
    "another relying party": {"rp": "example"},
    "nobody there": {"present": False},
    "not verified": {"verified": False},
    "in a frame of another origin": {"client_data": {"crossOrigin": True}},
    "below another page": {"client_data": {"topOrigin": "https://login.example"}},
    "an algorithm of yesterday": {"public": {1: 3, 3: -65535, -1: b"n" * 256, -2: b"\x01\x00\x01"}},
    "no key": {"public": {}},
    "a statement that is none": {"statement": {"alg": -7}},
    "an unknown kind of statement": {"fmt": "compound"},
}


@pytest.mark.parametrize("odd", ODD_PASSKEYS.values(), ids=ODD_PASSKEYS)
@embedded
def test_nothing_else_is_kept_as_a_passkey(desk: Desk, odd: dict[str, Any]) -> None:
    """SR-37."""
    assert desk.enrols(Authenticator(), **odd) == NotAccepted()


@pytest.mark.parametrize(
    "answer",
    ["", "{}", "[]", "null", '"x"', "{", '{"id":"a","rawId":"a","type":"public-key","response":{}}', "[" * 5000],
)
@embedded
def test_what_cannot_be_read_is_refused_in_the_same_words(desk: Desk, device: Authenticator, answer: str) -> None:
    assert desk.checks(answer) == NotAccepted()
    with desk.provider.app.app_context():
        assert desk.factor.made(desk.ceremony(desk.account_id), answer) == NotAccepted()


@embedded
def test_bytes_that_were_turned_over_are_refused(desk: Desk, device: Authenticator) -> None:
    """Every part of an answer is read by somebody: none of them brings us down."""
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        for value in ("", "AA", "!!!!", encoded(b"\xff" * 200), encoded(b"{}")):
            told = json.loads(device.get(desk.asked()))
            told["response"][part] = value
            assert desk.checks(json.dumps(told)) == NotAccepted()


@embedded
def test_a_challenge_is_for_one_step_of_one_journey(desk: Desk, device: Authenticator) -> None:
    """SR-37: bound to session and purpose."""
    for place in ("the-journey/sign-in/second-step", "another-journey/sign-in/login"):
        assert desk.checks(device.get(desk.asked()), place=place) == NotAccepted()
    assert desk.checks(device.get(desk.asked()), desk.account_id) == NotAccepted()
    assert desk.reasons()[-1] == "a challenge for something else"


@embedded
def test_a_challenge_lives_for_five_minutes(desk: Desk, device: Authenticator, clock: Clock) -> None:
    """SR-37: by the server's clock, and whatever the store brings back."""
    options = desk.asked()
    clock.advance(299)
    assert isinstance(desk.checks(device.get(options)), Accepted)
    options = desk.asked()
    clock.advance(301)
    assert desk.checks(device.get(options)) == NotAccepted()


@embedded
def test_a_journey_gets_only_so_many_challenges(desk: Desk) -> None:
    """SR-34."""
    with desk.provider.app.app_context():
        asked = [desk.factor.ask(desk.ceremony(), verified=True) for _ in range(61)]
    assert not any(isinstance(one, Limited) for one in asked[:60])
    assert isinstance(asked[60], Limited)


@embedded
def test_another_accounts_passkey_is_no_second_step(desk: Desk, device: Authenticator) -> None:
    """SR-38: the credential belongs to the account of the flow."""
    other = desk_of(desk.provider)
    stranger = Authenticator()
    other.enrols(stranger)

    answer = stranger.get(desk.asked(desk.account_id), key=stranger.keys[0])

    assert desk.checks(answer, desk.account_id) == NotAccepted()
    assert desk.reasons()[-1] == "another account's passkey"


@embedded
def test_without_verification_it_is_possession_and_only_where_that_is_enough(desk: Desk, device: Authenticator) -> None:
    """SR-37: UV=0 counts as one factor."""
    found = desk.checks(
        device.get(desk.asked(desk.account_id, verified=False), verified=False), desk.account_id, verified=False
    )
    assert isinstance(found, Accepted)
    assert found.proved.method == "security_key"


@embedded
def test_a_passkey_that_nobody_has_is_named_so_that_its_keeper_can_forget_it(desk: Desk) -> None:
    stranger = Authenticator()
    key = stranger.new_key(b"nobody")
    assert desk.checks(stranger.get(desk.asked())) == NotAccepted(unknown=key.id)


@embedded
def test_a_locked_account_is_not_opened_and_its_passkey_is_not_forgotten(desk: Desk, device: Authenticator) -> None:
    """SR-60."""
    with desk.provider.app.app_context():
        accounts.lock(desk.account_id)
    assert desk.checks(device.get(desk.asked())) == NotAccepted()


@pytest.mark.parametrize("behind", [0, 1])
def test_a_counter_that_went_back_is_refused_and_told(desk: Desk, behind: int) -> None:
    """SR-38, WebAuthn L3 §7.2 step 22: it is that of a copy. Its owner hears of it, and the trail."""
    device = Authenticator(counts=True)
    desk.enrols(device)
    copy = device.copy()
    for _ in range(1 + behind):
        assert isinstance(desk.checks(device.get(desk.asked())), Accepted)

    assert desk.checks(copy.get(desk.asked())) == NotAccepted()

    with desk.provider.app.app_context():
        assert trail.newest(1)[0].event == "passkey.copied"
        account = accounts.by_id(desk.account_id)
    desk.provider.deliver()
    assert account
    assert desk.provider.outside.messages(account.email)[-1]["subject"] == "A passkey was refused at Alumni"


@embedded
def test_a_counter_is_not_judged_before_the_signature(desk: Desk) -> None:
    """Nobody without the key can make us alarm its owner."""
    device = Authenticator(counts=True)
    desk.enrols(device)
    assert isinstance(desk.checks(device.get(desk.asked())), Accepted)

    assert desk.checks(device.copy().get(desk.asked(), signed=b"x")) == NotAccepted()
    device.keys[0].count = 0
    assert desk.checks(device.get(desk.asked(), signed=b"x")) == NotAccepted()

    with desk.provider.app.app_context():
        assert not [event for event in trail.newest(50) if event.event == "passkey.copied"]


def test_of_one_answer_from_ten_places_one_counts(desk: Desk, device: Authenticator) -> None:
    """SR-37, SR-49: single use is one conditional write, on both pairs of stores."""
    answer = device.get(desk.asked())
    heard = in_parallel(AT_ONCE, lambda: type(desk.checks(answer)))
    assert Counter(heard) == {Accepted: 1, NotAccepted: AT_ONCE - 1}


def test_of_one_answer_one_counts_whatever_the_cache_brings_back(
    desk: Desk, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirements, section Q: a fail-over that revives the challenge revives no answer."""
    answer = device.get(desk.asked())
    store = desk.factor.store
    monkeypatch.setattr(type(store), "take", type(store).get)
    heard = in_parallel(AT_ONCE, lambda: type(desk.checks(answer)))
    assert Counter(heard) == {Accepted: 1, NotAccepted: AT_ONCE - 1}
    assert set(desk.reasons()) == {"used again"}


def test_of_one_counter_used_at_once_one_counts(desk: Desk) -> None:
    """SR-38: two copies of a key at the same moment."""
    device = Authenticator(counts=True)
    desk.enrols(device)
    answers = [device.copy().get(desk.asked()) for _ in range(AT_ONCE)]
    heard = in_parallel(AT_ONCE, lambda: type(desk.checks(answers.pop())))
    assert Counter(heard) == {Accepted: 1, NotAccepted: AT_ONCE - 1}


def test_a_removed_passkey_is_not_used_however_close_it_was(desk: Desk, device: Authenticator) -> None:
    """Removal against use: whoever comes second finds it as the first left it."""
    with desk.provider.app.app_context():
        id = kept.of_account(desk.account_id)[0].id
    answer = device.get(desk.asked())

    def remove() -> str:
        with desk.provider.app.app_context():
            return str(passkeys.remove(desk.account_id, id, device="", except_sid=None))

    doing: list[Callable[[], str]] = [remove, lambda: type(desk.checks(answer)).__name__]

    def whichever() -> str:
        return doing.pop()()

    assert set(in_parallel(2, whichever)) <= {"True", "Accepted", "NotAccepted"}
    assert isinstance(desk.checks(device.get(desk.asked())), NotAccepted)


def test_one_credential_is_one_accounts_only(desk: Desk, device: Authenticator) -> None:
    """SR-38, SR-49: also when two accounts bring it at the same moment."""
    others = [desk_of(desk.provider) for _ in range(2)]
    new = NewPasskey(
        credential_id=b"the same", public_key=b"k", sign_count=0, aaguid="", may_be_synced=False, is_synced=False
    )

    def keep(one: Desk) -> str:
        with one.provider.app.app_context():
            kept.handle_of(one.account_id)
            try:
                passkeys.add(one.account_id, new, device="")
            except passkeys.NotKept:
                return "refused"
            return "kept"

    waiting = list(others)
    assert Counter(in_parallel(2, lambda: keep(waiting.pop()))) == {"kept": 1, "refused": 1}


def test_an_account_has_so_many_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    heard = in_parallel(5, lambda: _kept(desk))
    assert Counter(heard) == {"kept": 3, "refused": 2}


def _kept(desk: Desk) -> str:
    try:
        desk.enrols(Authenticator())
    except passkeys.NotKept:
        return "refused"
    return "kept"


def provider_with(folder: Path, outside: Outside, stores: tuple[str, str], **section: Any) -> Settings:
    return settings_for(stores, folder, outside, passkeys=section)


@embedded
def test_several_origins_each_as_a_whole(stores: tuple[str, str], tmp_path: Path, outside: Outside) -> None:
    """SR-38: equality, never a suffix."""
    told = provider_with(tmp_path, outside, stores, origins=["https://portal.example"])
    with new_provider(told, outside) as provider:
        desk, device = desk_of(provider), Authenticator()
        desk.enrols(device)
        assert isinstance(desk.checks(device.get(desk.asked(), origin="https://portal.example")), Accepted)
        for origin in ("https://badportal.example", "https://www.portal.example", "https://portal.example/"):
            assert desk.checks(device.get(desk.asked(), origin=origin)) == NotAccepted()


@embedded
def test_a_domain_above_the_issuers_host(stores: tuple[str, str], tmp_path: Path, outside: Outside) -> None:
    told = provider_with(tmp_path, outside, stores, relying_party_id="example")
    with new_provider(told, outside) as provider:
        desk, device = desk_of(provider), Authenticator()
        desk.enrols(device)
        assert isinstance(desk.checks(device.get(desk.asked())), Accepted)
        assert desk.checks(device.get(desk.asked(), rp="login.example")) == NotAccepted()
