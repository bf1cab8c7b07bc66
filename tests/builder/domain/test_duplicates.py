"""How alike two records are: symmetric, reflexive, bounded; and that those who are alike share a key."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.domain.duplicates import (
    MATCH_MARK,
    Signs,
    Trait,
    comparable_domain,
    comparable_name,
    digest,
    likeness,
    match_keys,
    trait,
)
from builder.metadata.name_words import name_words

WORDS = name_words()
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["Acme Ltd", "ACME", "李明", "华为技术有限公司", "+8613800138000", "a@b.example", "x.example"]
    ),
)
KINDS = {"name": "name", "mobile": "phone", "mail": "email", "site": "domain", "tax": "text"}
RECORDS = st.dictionaries(st.sampled_from(sorted(KINDS)), TEXTS, max_size=5)


def traits(values: dict[str, str]) -> tuple[Trait, ...]:
    made = (trait(key, KINDS[key], text, WORDS) for key, text in values.items())  # type: ignore[arg-type]
    return tuple(item for item in made if item is not None)


def alike(one: dict[str, str], other: dict[str, str]) -> float:
    return likeness(traits(one), traits(other)).score


@settings(deadline=None, max_examples=50)
@given(RECORDS, RECORDS)
def test_likeness_is_symmetric_and_bounded(one: dict[str, str], other: dict[str, str]) -> None:
    there, back = likeness(traits(one), traits(other)), likeness(traits(other), traits(one))

    assert there == back
    assert 0 <= there.score <= 1


@settings(deadline=None, max_examples=50)
@given(RECORDS, RECORDS)
def test_what_is_passed_over_is_not_alike(one: dict[str, str], other: dict[str, str]) -> None:
    mine, theirs = Signs.of(traits(one)), Signs.of(traits(other))

    assert mine.may_be_alike(theirs) or not likeness(mine.traits, theirs.traits).is_alike


@settings(deadline=None, max_examples=50)
@given(RECORDS)
def test_a_record_is_altogether_like_itself_when_it_says_anything(values: dict[str, str]) -> None:
    assert alike(values, values) == (1 if traits(values) else 0)


@settings(deadline=None, max_examples=50)
@given(RECORDS, RECORDS)
def test_the_digest_changes_exactly_with_the_traits(one: dict[str, str], other: dict[str, str]) -> None:
    assert (digest(traits(one)) == digest(traits(other))) == (set(traits(one)) == set(traits(other)))


@settings(deadline=None, max_examples=50)
@given(RECORDS)
def test_match_keys_are_short_and_no_words(values: dict[str, str]) -> None:
    assert all(key.startswith(MATCH_MARK) and len(key) == 17 for key in match_keys(traits(values)))


@pytest.mark.parametrize(
    "names",
    [
        ("Acme Ltd.", "ACME Limited", "acme", "Acme Co., Ltd", "Ａｃｍｅ"),
        ("Müller GmbH & Co. KG", "Muller GmbH", "müller g.m.b.h."),
        ("华为技术有限公司", "华为技术股份有限公司", "华为技术"),
        ("トヨタ自動車株式会社", "株式会社トヨタ自動車"),
        ("Hans Meier", "Meier, Hans"),
        ("Telefónica S.A.", "TELEFONICA SA"),
    ],
)
def test_names_of_one_company_are_one_name(names: tuple[str, ...]) -> None:
    assert len({comparable_name(name, WORDS) for name in names}) == 1


def test_a_name_that_is_nothing_but_a_legal_form_stays() -> None:
    assert comparable_name("Company", WORDS) == "company"
    assert comparable_name("有限公司", WORDS) == "有限公司"


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.Acme.example/en?x=1", "acme.example"),
        ("http://shop.acme.example:8080", "shop.acme.example"),
        ("sales@acme.example", "acme.example"),
        ("https://gmail.com", ""),
        ("https://www.facebook.com/acme", ""),
        ("https://mail.qq.com", ""),
        ("localhost", ""),
    ],
)
def test_a_domain_is_the_company_s_own(address: str, domain: str) -> None:
    assert comparable_domain(address, WORDS) == domain


@pytest.mark.parametrize(
    ("one", "other", "reason", "percent"),
    [
        ({"name": "Jane Smith"}, {"name": "Jane Smyth"}, "name", 90),
        ({"name": "A", "mobile": "+8613800138000"}, {"name": "A", "mobile": "+13800138000"}, "phone", 99),
        ({"mail": "Jane@Acme.example"}, {"mail": "jane@acme.example"}, "email", 100),
        ({"tax": "DE 123"}, {"tax": "de  123"}, "text", 100),
    ],
)
def test_the_reasons_say_what_is_equal_and_how_much(
    one: dict[str, str], other: dict[str, str], reason: str, percent: int
) -> None:
    found = {item.kind: item.percent for item in likeness(traits(one), traits(other)).reasons}

    assert found[reason] == percent


def test_colleagues_with_the_phone_of_their_office_are_two_people() -> None:
    office = "+4930123456"
    anna = {"name": "Anna Berg", "mobile": office, "mail": "anna@acme.example"}
    bob = {"name": "Robert Kurz", "mobile": office, "mail": "bob@acme.example"}

    assert not likeness(traits(anna), traits(bob)).is_alike
    assert likeness(traits(anna), traits({**anna, "name": "Anna Bergh", "mail": ""})).is_alike


def test_one_name_with_other_ways_to_reach_is_another_person() -> None:
    one = {"name": "王伟", "mobile": "+8613800138000", "mail": "a@x.example"}
    other = {"name": "王伟", "mobile": "+8613900139000", "mail": "b@y.example"}

    assert not likeness(traits(one), traits(other)).is_alike
    assert likeness(traits({"name": "王伟"}), traits({"name": "王伟"})).is_alike


@pytest.mark.parametrize(
    "names",
    [("Jane Smith", "Jane Smyth"), ("Wolfgang Meier", "Meier Wolfgang"), ("Northwind", "Nortwind"),
     ("Acme Trading", "Acme Tradng"), ("深圳市华为技术有限公司", "深圳市华为技木有限公司")],
)  # fmt: skip
def test_names_with_one_fault_share_a_key(names: tuple[str, str]) -> None:
    for one, other in combinations(names, 2):
        assert match_keys(traits({"name": one})) & match_keys(traits({"name": other}))
