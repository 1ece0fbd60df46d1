"""Signing keys: who may sign when, what is published how long, and what is never believed (SR-91, 92, 100)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from idp.services import keys
from idp.services.keys import KeyProblem
from idp.settings import Tokens
from idp.signing import jws
from idp.signing.keyring import Keyring, NoSigningKey
from idp.stores.durable import keys as rows
from idp.stores.durable.db import db
from tests.administration import Clock, Shell, bare_shell, set_up, shell, the_clock

__all__ = ["bare_shell", "set_up", "shell", "the_clock"]

JSON = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["EC", "RSA", "OKP", "P-256", "AQAB"])
MEMBERS = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "d"]
TOKENS = Tokens(access_token=600, id_token=3600)


@pytest.fixture
def provider(shell: Shell, the_clock: Clock) -> Iterator[Clock]:
    """An application context whose first keys were made long ago."""
    with shell.stores():
        yield the_clock


def published(keyring: Keyring) -> dict[str, dict[str, Any]]:
    return {key["kid"]: key for key in json.loads(keyring.jwks())["keys"]}


def header_of(token: str) -> Any:
    return json.loads(b64decode(token.partition(".")[0] + "==", altchars=b"-_"))


def forged(header: dict[str, Any] | str, like: str) -> str:
    text = header if isinstance(header, str) else json.dumps(header)
    first = urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    return ".".join([first, *like.split(".")[1:]])


def signed_with(algorithm: str, keyring: Keyring) -> str:
    token = keyring.sign({"sub": "kari"}, algorithm=algorithm, typ="at+jwt")
    kid = header_of(token)["kid"]
    assert isinstance(kid, str)
    return kid


def test_setup_makes_one_key_each_for_es256_and_rs256(provider: Clock) -> None:
    assert [(key.algorithm, key.state) for key in keys.everyone()] == [("ES256", "active"), ("RS256", "active")]
    assert keys.first_keys() == []


def test_only_one_of_many_set_ups_makes_the_first_key(bare_shell: Shell) -> None:
    """SR-100: two workers never make two "first" keys."""
    assert bare_shell.run("setup").exit_code == 0
    with bare_shell.stores(), db.engine.begin() as connection:
        connection.execute(rows.signing_keys.delete())
    application = bare_shell.application()
    together = Barrier(6)

    def begin() -> int:
        with application.app_context():
            together.wait()
            return len(keys.first_keys())

    with ThreadPoolExecutor(6) as people:
        made = [work.result() for work in [people.submit(begin) for _ in range(6)]]
    with application.app_context():
        assert sum(made) == 2
        assert [key.algorithm for key in keys.everyone()] == ["ES256", "RS256"]
        db.engine.dispose()


def test_a_key_is_published_a_day_before_it_signs(provider: Clock) -> None:
    """SR-100."""
    keyring = Keyring(check_every=0)
    before = signed_with("ES256", keyring)
    new = keys.add("ES256", tokens=TOKENS)
    assert new.state == "published"
    assert new.kid in published(keyring)

    provider.passes(hours=23, minutes=59)
    with pytest.raises(KeyProblem, match="may sign from"):
        keys.promote(new.kid, tokens=TOKENS)
    assert signed_with("ES256", keyring) == before

    provider.passes(minutes=1)
    assert keys.promote(new.kid, tokens=TOKENS).state == "active"
    assert signed_with("ES256", keyring) == new.kid


def test_a_retired_key_is_published_until_a_day_after_its_last_token(provider: Clock) -> None:
    """SR-100: the longest token of these settings lives an hour."""
    keyring = Keyring(check_every=0)
    old_token = keyring.sign({"sub": "kari"}, algorithm="ES256", typ="JWT")
    old = header_of(old_token)["kid"]
    new = keys.add("ES256", at_once=True, tokens=TOKENS)
    assert signed_with("ES256", keyring) == new.kid
    assert keyring.verify_own(old_token, typ="JWT") == {"sub": "kari"}

    provider.passes(hours=24, minutes=59)
    assert old in published(keyring)
    provider.passes(minutes=2)
    assert old not in published(keyring)
    with pytest.raises(jws.Untrusted):
        keyring.verify_own(old_token, typ="JWT")


def test_the_private_part_is_erased_when_a_key_retires(provider: Clock) -> None:
    old = keys.everyone()[0]
    keys.add("ES256", at_once=True, tokens=TOKENS)
    row = rows.find(old.kid)

    assert row is not None
    assert row.sealed is None
    with pytest.raises(ValueError, match="no private part"):
        row.private()


def test_the_key_that_signs_is_not_given_up_by_accident(provider: Clock) -> None:
    with pytest.raises(KeyProblem, match="promote another"):
        keys.retire(keys.everyone()[0].kid, tokens=TOKENS)


def test_a_stolen_key_is_worth_nothing_at_once(provider: Clock) -> None:
    keyring = Keyring(check_every=0)
    token = keyring.sign({"sub": "kari"}, algorithm="ES256", typ="JWT")
    stolen = header_of(token)["kid"]
    keys.add("ES256", at_once=True, tokens=TOKENS)
    keys.retire(stolen, at_once=True, tokens=TOKENS)

    assert stolen not in published(keyring)
    with pytest.raises(jws.Untrusted):
        keyring.verify_own(token, typ="JWT")


def test_only_one_of_many_promotions_wins(provider: Clock, shell: Shell) -> None:
    new = [keys.add("ES256", tokens=TOKENS).kid for _ in range(4)]
    provider.passes(days=2)
    application = shell.application()
    together = Barrier(4)

    def promote(kid: str) -> None:
        with application.app_context():
            together.wait()
            keys.promote(kid, tokens=TOKENS)

    with ThreadPoolExecutor(4) as people:
        for work in [people.submit(promote, kid) for kid in new]:
            work.exception()
    active = [key.kid for key in keys.everyone() if key.algorithm == "ES256" and key.state == "active"]
    assert len(active) == 1
    with application.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
def test_a_standard_library_verifies_what_we_sign(provider: Clock, algorithm: str) -> None:
    """SR-91. EdDSA and Ed25519 are one key under two names."""
    if algorithm not in ("ES256", "RS256"):
        keys.add("EdDSA" if algorithm == "Ed25519" else algorithm, tokens=TOKENS)
    keyring = Keyring()
    assert algorithm in keyring.algorithms()

    token = keyring.sign({"sub": "kari"}, algorithm=algorithm, typ="at+jwt")

    assert header_of(token) == {"alg": algorithm, "kid": header_of(token)["kid"], "typ": "at+jwt"}
    with pytest.MonkeyPatch.context():
        found = KeySet.import_key_set(json.loads(keyring.jwks()))
        if algorithm != "EdDSA":  # the library warns of the older name
            assert jwt.decode(token, found, algorithms=[algorithm]).claims == {"sub": "kari"}
    assert keyring.verify_own(token, typ="at+jwt") == {"sub": "kari"}


def test_nothing_private_is_published_and_rsa_keys_are_long_enough(provider: Clock) -> None:
    keys.add("EdDSA", tokens=TOKENS)
    for key in published(Keyring()).values():
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert key["use"] == "sig"
        if key["kty"] == "RSA":
            assert len(b64decode(key["n"] + "==", altchars=b"-_")) * 8 >= 3072  # SR-91


def test_private_keys_are_sealed_in_the_database(provider: Clock, shell: Shell) -> None:
    """SR-100: encrypted at rest; the row cannot be opened in another's place."""
    first, second = rows.in_order()
    assert b64decode(first.private()) not in (first.sealed or b"")
    raw = sqlite3.connect(shell.folder / "var" / "idp.sqlite")
    raw.execute("update signing_keys set private = ? where kid = ?", (second.sealed, first.kid))
    raw.commit()
    raw.close()
    moved = rows.find(first.kid)
    assert moved is not None
    with pytest.raises(ValueError):  # noqa: PT011 - what the vault says
        moved.private()


def test_a_process_learns_of_a_rotation_by_another_within_seconds(provider: Clock) -> None:
    keyring = Keyring(check_every=0)
    etag = keyring.published().etag
    kid = keys.add("ES256", at_once=True, tokens=TOKENS).kid

    assert signed_with("ES256", keyring) == kid
    assert keyring.published().etag != etag


def test_the_database_is_not_asked_for_every_signature(provider: Clock) -> None:
    keyring = Keyring()
    before = signed_with("ES256", keyring)
    keys.add("ES256", at_once=True, tokens=TOKENS)

    assert signed_with("ES256", keyring) == before


def test_keys_go_on_from_memory_while_the_database_is_away(bare_shell: Shell) -> None:
    """Section Q: discovery and JWKS keep answering."""
    bare_shell.path.write_text(bare_shell.path.read_text() + "[database]\ntimeout = 1\n")
    bare_shell.run("setup")
    with bare_shell.stores():
        keyring = Keyring(check_every=0)
        before = keyring.jwks()
        elsewhere = sqlite3.connect(bare_shell.folder / "var" / "idp.sqlite", isolation_level=None)
        elsewhere.execute("BEGIN IMMEDIATE")
        try:
            assert keyring.jwks() == before
        finally:
            elsewhere.close()


def test_an_algorithm_without_a_key_is_refused(provider: Clock) -> None:
    for algorithm in ("PS256", "none", "HS256"):
        with pytest.raises(NoSigningKey):
            Keyring().sign({}, algorithm=algorithm, typ="JWT")


def test_no_header_talks_us_into_another_key_or_algorithm(provider: Clock) -> None:
    """SR-91, SR-92."""
    keyring = Keyring()
    token = keyring.sign({"sub": "kari"}, algorithm="RS256", typ="JWT")
    kid = header_of(token)["kid"]
    public = published(keyring)[kid]
    good = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    mac = jwt.encode({"alg": "HS256", "kid": kid, "typ": "JWT"}, {"sub": "kari"}, OctKey.import_key(public["n"]))
    bad = [
        mac,
        forged({**good, "alg": "none"}, token),
        forged({**good, "alg": "none"}, token).rpartition(".")[0] + ".",
        forged({**good, "alg": "PS256"}, token),
        forged({**good, "alg": ["RS256"]}, token),
        forged({**good, "kid": "../../etc/passwd"}, token),
        forged({**good, "kid": [kid]}, token),
        forged({**good, "jku": "https://evil.example/jwks"}, token),
        forged({**good, "jwk": public}, token),
        forged({**good, "x5u": "https://evil.example/x5u"}, token),
        forged({**good, "x5c": ["AAAA"]}, token),
        forged({**good, "crit": ["exp"]}, token),
        forged({**good, "b64": False}, token),
        forged({**good, "zip": "DEF"}, token),
        forged(f'{{"alg":"RS256","alg":"RS256","kid":"{kid}","typ":"JWT"}}', token),
        forged("[]", token),
        forged("{", token),
        token + ".",
        token + "=",
        token[:-4] + "AAAA",
        token.replace(".", "..", 1),
        "",
        "å.ø.æ",
        "[" * 20_000,
        token + "A" * 16_384,
    ]
    for one in bad:
        with pytest.raises(jws.Untrusted):
            keyring.verify_own(one, typ="JWT")
    assert keyring.verify_own(token, typ="JWT") == {"sub": "kari"}


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}", fullmatch=True))
def test_whatever_is_sent_is_untrusted_and_nothing_worse(token: str) -> None:
    with pytest.raises(jws.Untrusted):
        jws.verify(token, (), algorithms=jws.ALGORITHMS, typ=None)


@given(st.recursive(JSON, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(MEMBERS), inner)))
def test_whatever_a_client_calls_its_keys_is_refused_in_words(jwks: Any) -> None:
    with contextlib.suppress(ValueError):
        jws.public_keys({"keys": jwks})


def test_a_token_of_one_type_never_passes_for_another(provider: Clock) -> None:
    keyring = Keyring()
    token = keyring.sign({"sub": "kari"}, algorithm="ES256", typ="JWT")
    with pytest.raises(jws.Untrusted):
        keyring.verify_own(token, typ="at+jwt")


def test_keys_of_clients_must_be_public_and_strong() -> None:
    ec = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}
    ec["y"] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    assert jws.public_keys({"keys": [ec]})[0].algorithms == ("ES256",)
    for keys_, words in (
        ([], "at least one"),
        ([{**ec, "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}], "secret"),
        ([{"kty": "oct", "k": "AAAA"}], "secret"),
        ([{**ec, "crv": "P-384"}], "cannot be used"),
        ([{**ec, "alg": "RS256"}], "must be one of ES256"),
        ([{**ec, "kid": 1}], "not text"),
        ([{**ec, "use": "enc", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}], "secret"),
        ([{**ec, "x": "AAAA"}], "cannot be used"),
        ([{**ec, "x": 1}], "cannot be used"),
        ([{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}], "cannot be used"),
        ([{"kty": "OKP", "crv": "X25519", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}], "cannot be used"),
        ([ec, ec], "same `kid`"),
        (["x"], "not an object"),
        ([{"kty": "RSA", "e": "AQAB", "n": "AQAB"}], "cannot be used"),
    ):
        with pytest.raises(ValueError, match=words):
            jws.public_keys({"keys": keys_})


@pytest.mark.parametrize("other", [{"use": "enc"}, {"key_ops": ["sign"]}, {"key_ops": "verify"}])
def test_a_key_for_something_else_is_no_signature_key(other: dict[str, Any]) -> None:
    ec = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}
    ec["y"] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

    assert jws.public_keys({"keys": [{**ec, **other}]}) == ()


def test_times_of_a_key_are_told_to_administrators(provider: Clock) -> None:
    new = keys.add("ES256", tokens=TOKENS)
    assert new.may_sign_from - new.published_at == timedelta(hours=24)
