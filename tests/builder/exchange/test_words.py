"""Words that mean yes, no and how a deal stands, in three languages."""

from __future__ import annotations

import pytest

from builder.exchange.words import outcome_of, trimmed, yes_or_no


@pytest.mark.parametrize("text", ["Yes", " ja ", "WAHR", "是", "1", "x"])
def test_words_that_mean_yes(text: str) -> None:
    assert yes_or_no(text) is True


@pytest.mark.parametrize("text", ["No", "Nein", "falsch", "否", "0"])
def test_words_that_mean_no(text: str) -> None:
    assert yes_or_no(text) is False


def test_other_words_mean_neither() -> None:
    assert yes_or_no("maybe") is None
    assert outcome_of("yes") is None


def test_words_that_say_how_a_deal_stands() -> None:
    assert [outcome_of(text) for text in ("Closed  WON", "Verloren", "进行中", "作废", "Demo")] == [
        "won", "lost", "open", "invalid", None,
    ]  # fmt: skip


def test_space_and_unseen_signs_around_a_text_are_taken_off() -> None:
    assert trimmed("\ufeff\u200b Acme\u00a0\u3000\u200e") == "Acme"
