"""Whom a text mentions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.mentions import MOST_SIGNS, mentioned, spans

PEOPLE = [(1, "Ann"), (2, "Ann Lee"), (3, "李明"), (4, "李明华"), (5, "Zoë"), (6, "Ann"), (7, "")]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("@Ann Lee please call", (2,)),
        ("please call, @ann!", (1, 6)),
        ("@Anna is nobody", ()),
        ("write to me@Ann or x.y@ann.example", ()),
        ("请@李明看一下", (3,)),
        ("@李明华看一下", (4,)),
        ("@ZOE\u0308 and @Zoë", (5,)),
        ("(@Ann Lee)(@Ann)", (2, 1, 6)),
        ("@ Ann", ()),
        ("@@Ann", (1, 6)),
        ("", ()),
        ("@", ()),
    ],
)
def test_a_mention_is_a_sign_and_the_longest_name(text: str, members: tuple[int, ...]) -> None:
    assert mentioned(text, PEOPLE) == members


def test_the_piece_of_a_mention_is_the_sign_and_the_name_as_written() -> None:
    assert [span.text for span in spans("Hi @ANN lee, ok?", PEOPLE)] == ["Hi ", "@ANN lee", ", ok?"]


def test_only_the_first_signs_are_compared_with_names() -> None:
    flood = "@ " * MOST_SIGNS
    assert mentioned(f"{flood[2:]}@Ann Lee", PEOPLE) == (2,)
    assert mentioned(f"{flood}@Ann Lee", PEOPLE) == ()


@given(
    st.lists(
        st.sampled_from(["@", "Ann", " ", "Lee", "李明", "华", "a", "\u0308", "zoe", "\n", "İ", "ß"])
    ).map("".join)
)
def test_nothing_of_the_text_is_lost(text: str) -> None:
    assert "".join(span.text for span in spans(text, PEOPLE)) == text
