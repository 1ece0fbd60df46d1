"""Verified claims: what was asked for and no more, or nothing (OpenID Connect for Identity Assurance 1.0 §5.7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.verified_claims import MalformedRequest, Proved, check, select

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
EVIDENCE = {
    "type": "electronic_record",
    "check_details": [{"check_method": "data", "organization": "BankID BankAxept AS", "txn": "txn-1"}],
    "time": "2026-03-01T09:42:00Z",
    "record": {"type": "eid", "source": {"name": "BankID", "country_code": "NOR"}},
}
PROVED = Proved(
    {
        "trust_framework": "no_bankid",
        "assurance_level": "high",
        "time": "2026-03-01T09:42:00Z",
        "verification_process": "process-1",
        "evidence": [EVIDENCE],
    },
    {"given_name": "Kari", "family_name": "Nordmann", "birthdate": "1986-10-15"},
)


def ask(verification: dict[str, Any], claims: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"verification": {"trust_framework": None, **verification}, "claims": claims or {"given_name": None}}


def told(requested: Any) -> Any:
    check(requested)
    return select(requested, PROVED, now=NOW)


def test_only_what_was_asked_for_is_told() -> None:
    assert told(ask({})) == {"verification": {"trust_framework": "no_bankid"}, "claims": {"given_name": "Kari"}}


def test_every_member_has_to_be_asked_for_by_name() -> None:
    asked = ask({"assurance_level": None, "time": None}, {"family_name": None, "birthdate": {"essential": True}})
    assert told(asked) == {
        "verification": {"trust_framework": "no_bankid", "assurance_level": "high", "time": "2026-03-01T09:42:00Z"},
        "claims": {"family_name": "Nordmann", "birthdate": "1986-10-15"},
    }


@pytest.mark.parametrize(
    "met",
    [
        {"trust_framework": {"value": "no_bankid"}},
        {"trust_framework": {"values": ["se_bankid", "no_bankid"]}},
        {"assurance_level": {"value": "high"}},
        {"time": {"max_age": 3600}},
        {"evidence": [{"type": {"value": "electronic_record"}}]},
        {"evidence": [{"type": {"value": "document"}}, {"type": {"value": "electronic_record"}}]},
        {"evidence": [{"record": {"source": {"country_code": {"value": "NOR"}}}}]},
        {"unheard_of": None},
    ],
)
def test_a_constraint_that_is_met_lets_the_claims_through(met: dict[str, Any]) -> None:
    assert told(ask(met))["claims"] == {"given_name": "Kari"}


@pytest.mark.parametrize(
    "unmet",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": {"values": ["de_aml"]}},
        {"trust_framework": {"values": "no_bankid"}},
        {"assurance_level": {"value": "substantial", "essential": True}},
        {"time": {"max_age": 60}},
        {"time": {"max_age": True}},
        {"evidence": [{"type": {"value": "document"}}]},
        {"evidence": [{"type": {"value": "electronic_record"}, "record": {"type": {"value": "mortgage"}}}]},
        {"unheard_of": {"value": 1}},
        {"verification_process": {"max_age": 60}},
    ],
)
def test_a_constraint_under_verification_leaves_all_of_it_out(unmet: dict[str, Any]) -> None:
    assert told(ask(unmet)) is None


def test_a_constraint_under_a_claim_leaves_that_claim_out() -> None:
    asked = ask({}, {"given_name": {"value": "Ola"}, "family_name": None})
    assert told(asked)["claims"] == {"family_name": "Nordmann"}
    assert told(ask({}, {"given_name": {"value": "Ola"}})) is None
    assert told(ask({}, {"salary": None})) is None


def test_evidence_is_told_as_far_as_it_was_asked_for() -> None:
    asked = ask({"evidence": [{"type": {"value": "electronic_record"}, "record": {"source": {"name": None}}}]})
    assert told(asked)["verification"]["evidence"] == [
        {"type": "electronic_record", "record": {"source": {"name": "BankID"}}}
    ]


def test_an_array_is_answered_with_those_that_hold() -> None:
    asked = [ask({"trust_framework": {"value": "de_aml"}}), ask({}, {"birthdate": None})]
    assert [one["claims"] for one in told(asked)] == [{"birthdate": "1986-10-15"}]
    assert told([asked[0]]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "given_name",
        [],
        {},
        {"verification": None, "claims": {"given_name": None}},
        {"verification": {}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None}},
        {"verification": {"trust_framework": None}, "claims": {}},
        {"verification": {"trust_framework": None}, "claims": ["given_name"]},
    ],
)
def test_a_request_that_the_specification_does_not_allow_is_refused(wrong: Any) -> None:
    with pytest.raises(MalformedRequest):
        check(wrong)


names = st.sampled_from(["trust_framework", "assurance_level", "time", "evidence", "record", "type", "value", "x"])
anything = st.recursive(
    st.none() | st.sampled_from(["no_bankid", "high", "electronic_record"]) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
claims = st.dictionaries(st.sampled_from([*PROVED.claims, "salary"]), anything, min_size=1)


@given(verification=st.dictionaries(names, anything), asked=claims)
def test_nothing_unasked_is_ever_told(verification: dict[str, Any], asked: dict[str, Any]) -> None:
    found = told({"verification": {"trust_framework": None, **verification}, "claims": asked})
    if found is not None:
        assert set(found["verification"]) <= {"trust_framework", *verification}
        assert set(found["claims"]) <= set(asked) & set(PROVED.claims)
        assert all(found["claims"][name] == PROVED.claims[name] for name in found["claims"])


@given(seconds=st.integers(0, 10**6))
def test_max_age_is_counted_in_seconds(seconds: int) -> None:
    age = NOW - datetime(2026, 3, 1, 9, 42, tzinfo=UTC)
    assert (told(ask({"time": {"max_age": seconds}})) is not None) == (timedelta(seconds=seconds) >= age)
