"""Segmentation of text and of queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.search import (
    MAX_TERMS,
    MAX_TOKEN,
    MAX_TOKENS,
    QueryTerm,
    name_token,
    query_tokens,
    record_tokens,
    tokens,
)


def finds(text: str, query: str) -> bool:
    """Whether a record with only this text has every term of the query."""
    have = tokens(text)
    return all(
        any(token.startswith(term.token) for token in have) if term.is_prefix else term.token in have
        for term in query_tokens(query)
    )


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("华为技术有限公司", "华为"),
        ("华为技术有限公司", "技术有限"),
        ("华为技术有限公司", "为"),
        ("客户经理李明", "李明"),
        ("東京カブシキガイシャ", "ｶﾌﾞｼｷ"),
        ("삼성전자", "삼성"),
        ("Huawei Technologies", "HUAWEI tech"),
        ("Straße 7", "STRASSE"),
        ("José Müller", "jose mull"),
        ("José Müller", "josé"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("li.ming@huawei.com", "li.ming@huawei.com"),
        ("li.ming@huawei.com", "huawei"),
        ("+86 138-0013-8000", "13800138000"),
        ("+86 138-0013-8000", "8613800138"),
        ("+1 (415) 555-2671", "415 555 2671"),
        ("138 0013 8000", "138-0013"),
        ("华为Mate60", "mate"),
        ("华为Mate60", "华为mate60"),
        ("Order 2024-0015", "order 2024-001"),
        ("नमस्ते दुनिया", "दुनि"),
    ],
)
def test_a_text_is_found_by_its_parts(text: str, query: str) -> None:
    assert finds(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("华为技术", "华技"),
        ("李明", "李强"),
        ("Huawei", "wei"),
        ("Huawei Technologies", "tech huawei x"),
        ("Huawei Technologies", "techn huawei"),
        ("138 0013 8000", "13900138000"),
    ],
)
def test_a_text_is_not_found_by_what_it_does_not_hold(text: str, query: str) -> None:
    assert not finds(text, query)


def test_only_the_last_word_is_a_prefix() -> None:
    assert query_tokens("Acme Sol") == (QueryTerm("acme"), QueryTerm("sol", is_prefix=True))
    assert query_tokens("acme 华为") == (QueryTerm("acme"), QueryTerm("华为"))


def test_two_numbers_are_not_taken_for_one_phone_number() -> None:
    assert [term.token for term in query_tokens("2024001 2024002")] == ["2024001", "2024002"]


@pytest.mark.parametrize("text", ["", " ", "—!?", "\x00\ud800", "%_'\";--"])
def test_a_query_without_letters_or_digits_asks_for_nothing(text: str) -> None:
    assert query_tokens(text) == ()
    assert tokens(text) == set()


def test_the_name_token_is_the_folded_name_with_single_spaces() -> None:
    assert name_token("  Hua\x00Wei \n LTD ") == "=hua wei ltd"
    assert name_token(" \t") == ""
    assert record_tokens(["Acme"], "Acme  Inc") == {"acme", "=acme inc"}


@given(st.text(max_size=300))
def test_every_text_finds_itself(text: str) -> None:
    assert finds(text, text)


@given(st.lists(st.text(alphabet=st.characters(), max_size=500), max_size=5))
def test_tokens_can_be_stored(texts: list[str]) -> None:
    found = record_tokens(texts, texts[0] if texts else "")
    assert len(found) <= MAX_TOKENS
    for token in found:
        assert 0 < len(token) <= MAX_TOKEN
        assert "\x00" not in token
        token.encode()


def test_a_huge_text_is_cut_and_a_long_query_keeps_its_prefix() -> None:
    assert len(tokens(" ".join(f"w{number}" for number in range(100_000)))) <= MAX_TOKENS
    terms = query_tokens(" ".join(f"w{number}" for number in range(20)))
    assert len(terms) == MAX_TERMS
    assert terms[-1] == QueryTerm("w19", is_prefix=True)
