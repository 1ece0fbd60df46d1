"""Verified claims: what was asked for and no more, or nothing (OpenID Connect for Identity Assurance 1.0)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.verified_claims import ASIDE, MalformedRequest, Proved, check, select

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
EVIDENCE = {
    "type": "electronic_record",
    "check_details": [{"check_method": "data", "organization": "BankID BankAxept AS", "check_id": "txn-1"}],
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
    {
        "given_name": "Kari",
        "family_name": "Nordmann",
        "birthdate": "1986-10-15",
        "number": {"country": "NO", "number": "1"},
    },
)


def ask(verification: dict[str, Any], claims: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"verification": {"trust_framework": None, **verification}, "claims": claims or {"given_name": None}}


def nested(levels: int) -> Any:
    inner: Any = None
    for _ in range(levels):
        inner = {"x": inner}
    return inner


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
        {"evidence": [{"type": None, "record": {"source": {"country_code": {"value": "NOR"}}}}]},
        {"evidence": [{"type": None, "check_details": [{"check_method": {"value": "data"}}]}]},
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
        {"evidence": [{"type": None, "check_details": [{"check_method": {"value": "vpip"}}]}]},
        {"evidence": [{"type": None, "check_details": []}]},
        {"evidence": [{"type": None, "record": {"value": {"type": "eid"}}}]},
        {"unheard_of": {"value": 1}},
        {"unheard_of": {"inner": [{"values": []}]}},
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


def test_evidence_asked_for_without_a_filter_tells_its_type_alone() -> None:
    """What is inside has to be asked for by name."""
    assert told(ask({"evidence": None}))["verification"]["evidence"] == [{"type": "electronic_record"}]


@pytest.mark.parametrize(
    "nothing", [{"record": {"x": None}}, {"check_details": [{"x": None}]}, {"record": {"source": {"x": None}}}]
)
def test_what_would_be_empty_is_left_out(nothing: dict[str, Any]) -> None:
    asked = ask({"evidence": [{"type": None, **nothing}]})
    assert told(asked)["verification"]["evidence"] == [{"type": "electronic_record"}]
    assert told(ask({}, {"number": {"x": None}})) is None


def test_a_claim_of_several_members_is_compared_as_a_whole() -> None:
    kari, ola = {"country": "NO", "number": "1"}, {"country": "NO", "number": "2"}
    assert told(ask({}, {"number": {"value": kari}}))["claims"] == {"number": kari}
    assert told(ask({}, {"number": {"values": [ola, kari], "essential": True}}))["claims"] == {"number": kari}
    assert told(ask({}, {"number": {"value": ola}})) is None


def test_a_day_is_not_over_before_its_last_second() -> None:
    day = datetime(1986, 10, 15, 23, 59, 59, tzinfo=UTC)
    asked = ask({}, {"birthdate": {"max_age": 10}})
    assert select(asked, PROVED, now=day + timedelta(seconds=10)) is not None
    assert select(asked, PROVED, now=day + timedelta(seconds=11)) is None


def test_what_was_proved_shows_in_no_log() -> None:
    assert "Nordmann" not in repr(PROVED)


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
        ask({"evidence": []}),
        ask({"evidence": {"type": None}}),
        ask({"evidence": ["document"]}),
        ask({"evidence": [{"record": None}]}),
        ask({"evidence": [{"type": {"values": ["document", "electronic_record"]}}]}),
        ask({"time": nested(2000)}),
        ask({}, {"given_name": {"values": [nested(20)]}}),
    ],
)
def test_a_request_that_the_specification_does_not_allow_is_refused(wrong: Any) -> None:
    with pytest.raises(MalformedRequest):
        check(wrong)


@pytest.mark.parametrize("purpose", ["", "ab", "x" * 301, 1, None, ["abc"]])
def test_a_purpose_of_odd_length_is_no_request(purpose: Any) -> None:
    """Under a claim, under verification, and inside evidence."""
    for wrong in (
        ask({}, {"given_name": {"purpose": purpose}}),
        ask({"time": {"purpose": purpose}}),
        ask({"evidence": [{"type": None, "record": {"source": {"purpose": purpose}}}]}),
    ):
        with pytest.raises(MalformedRequest):
            check(wrong)
    assert told(ask({}, {"given_name": {"purpose": "to greet you", "essential": True}})) is not None


# What the conformance suite asks (ekyc-test-plan-oidccore), by the names of its tests


@pytest.mark.parametrize("plain", [None, {}, {"essential": False}, {"essential": True}])
def test_happy_path_and_empty_objects_and_essential(plain: Any) -> None:
    """ekyc-server-happypath, -emptyobject, -essentialfalse; "{}" is the same as null."""
    assert told(ask({}, {"given_name": plain}))["claims"] == {"given_name": "Kari"}
    assert told({"verification": {"trust_framework": plain}, "claims": {"given_name": plain}}) == {
        "verification": {"trust_framework": "no_bankid"},
        "claims": {"given_name": "Kari"},
    }


@pytest.mark.parametrize("unknown", ["3f8a6c", "a b/c", "æøå", "\u202e", "", "value", "given_name "])
@pytest.mark.parametrize("plain", [None, {"essential": True}])
def test_unknown_claims_are_omitted_and_the_others_told(unknown: str, plain: Any) -> None:
    """ekyc-server-unknown-claim-omitted, -essential-, -specialchars-."""
    assert told(ask({}, {"given_name": None, unknown: plain}))["claims"] == {"given_name": "Kari"}


@pytest.mark.parametrize("framework", [{"value": "unknown"}, {"values": ["unknown", "other"]}, {"values": []}])
def test_an_unknown_trust_framework_leaves_all_of_it_out(framework: Any) -> None:
    """§5.7.4: no error, and nothing told."""
    assert told({"verification": {"trust_framework": framework}, "claims": {"given_name": None}}) is None


def test_claims_that_are_null_name_nothing() -> None:
    """The schema of requests allows it; nothing that was not asked for by name is told."""
    assert told({"verification": {"trust_framework": None}, "claims": None}) is None


def test_max_age_of_a_thousand_years_limits_nothing() -> None:
    assert told(ask({"time": {"max_age": 31_556_926_000}}, {"birthdate": {"max_age": 31_556_926_000}})) is not None


names = st.sampled_from(["trust_framework", "assurance_level", "time", "evidence", "record", "type", "value", "x"])
anything = st.recursive(
    st.none() | st.sampled_from(["no_bankid", "high", "electronic_record"]) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
claims = st.dictionaries(st.sampled_from([*PROVED.claims, "salary"]), anything, min_size=1)


@given(verification=st.dictionaries(names, anything), asked=claims)
def test_nothing_unasked_is_ever_told(verification: dict[str, Any], asked: dict[str, Any]) -> None:
    requested = {"verification": {"trust_framework": None, **verification}, "claims": asked}
    try:
        found = told(requested)
    except MalformedRequest:
        return
    if found is not None:
        assert_within(found["verification"], requested["verification"])
        assert found["claims"]
        assert_within(found["claims"], asked)


def assert_within(found: Any, asked: Any) -> None:
    """Whatever is told was named, at every level down to where the request names no more."""
    if isinstance(found, dict) and isinstance(asked, dict) and (named := set(asked) - ASIDE):
        assert set(found) <= named
        for name, inner in found.items():
            assert_within(inner, asked[name])
    if isinstance(found, list) and isinstance(asked, list):
        names = set().union(*(one or {"type": None} for one in asked if isinstance(one, dict)))
        assert all(set(one) <= names for one in found)


@given(seconds=st.integers(0, 10**6))
def test_max_age_is_counted_in_seconds(seconds: int) -> None:
    age = NOW - datetime(2026, 3, 1, 9, 42, tzinfo=UTC)
    assert (told(ask({"time": {"max_age": seconds}})) is not None) == (timedelta(seconds=seconds) >= age)
