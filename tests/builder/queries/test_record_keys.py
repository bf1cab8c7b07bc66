"""Keys by which a file of ours names a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.queries.record_keys import id_behind, id_of_key, record_key, with_key

IDS = st.integers(min_value=1, max_value=(1 << 63) - 1)


@given(IDS, st.text(max_size=30))
def test_a_key_and_a_name_with_a_key_mean_their_record(record_id: int, name: str) -> None:
    assert id_of_key(record_key(record_id)) == record_id
    assert id_behind(with_key(name, record_id)) == record_id


def test_of_two_keys_behind_a_name_the_last_one_counts() -> None:
    assert id_behind(with_key(with_key("Acme", 5), 7)) == 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Acme",
        "fw:",
        "fw:AAAAAAAAAA",
        "fw:AAAAAAAAAAAA",
        "fw:!!!!!!!!!!!",
        "Acme [fw:x]",
        "[]",
        "fw:___________",
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert id_of_key(text) is None
    assert id_behind(text) is None
