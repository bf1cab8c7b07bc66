"""A name becomes two characters and a colour."""

from __future__ import annotations

import pytest

from blueprints.avatars import initials, tint


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("Ada Lovelace", "AL"),
        ("Ada King Lovelace", "AL"),
        ("ada", "AD"),
        ("王小明", "小明"),
        ("李明", "李明"),
        ("北方贸易有限公司", "北方"),
        ("Nils Åberg", "NÅ"),
        ("", "?"),
        ("  ", "?"),
        ("(!)", "?"),
    ],
)
def test_initials(name: str, mark: str) -> None:
    assert initials(name) == mark


def test_the_same_name_has_the_same_one_of_eight_colours() -> None:
    colours = {tint(f"Person {number}") for number in range(200)}

    assert colours == set(range(1, 9))
    assert tint("Ada") == tint("Ada")
