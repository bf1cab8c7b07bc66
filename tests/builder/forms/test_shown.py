"""Values as pages show them."""

from __future__ import annotations

from typing import Any

import pytest

from builder.domain.fields import FieldDefinition, Option
from builder.domain.labels import Label
from builder.fieldtypes.base import FieldContext
from builder.forms.shown import shown

LABEL = Label.of({"en": "Hot", "zh_Hans": "热"})
CONTEXT = FieldContext(
    locale="zh_Hans", currency="CNY", record_names={"7": "华为"}, member_names={"3": "李明"}
)


def show(kind: str, value: Any, **params: Any) -> Any:
    options = (Option("hot", LABEL, "red"), Option("old", LABEL, "", True))
    return shown(FieldDefinition("f", kind, LABEL, options=options, params=params), value, CONTEXT)


@pytest.mark.parametrize(
    "kind", ["text", "money", "choice", "choices", "reference", "user", "yes_no", "table"]
)
def test_an_empty_value_shows_nothing(kind: str) -> None:
    assert not show(kind, None)


def test_choices_show_coloured_badges_in_the_language_of_the_reader() -> None:
    assert show("choice", "hot").badges == (("热", "red"),)
    assert show("choices", ["hot", "old"]).badges == (("热", "red"), ("热", "gray"))


def test_an_option_nobody_knows_shows_its_key() -> None:
    assert show("choice", "gone").text == "gone"
    assert show("choice", "gone").badges == ()


def test_no_is_a_value() -> None:
    assert show("yes_no", False).text == "否"


def test_references_and_people_carry_their_ids() -> None:
    assert (show("reference", "7", target="account").record_id, show("reference", "7").text) == (7, "华为")
    assert (show("user", "3").member_id, show("user", "3").text) == (3, "李明")


def test_only_web_mail_and_telephone_lead_out() -> None:
    assert show("url", "https://x.y").href == "https://x.y"
    assert show("text", "https://x.y").href is None


def test_numbers_stand_to_the_right() -> None:
    assert show("money", "1234.50").is_number
    assert show("money", "1234.50").text == "¥1,234.50"
    assert not show("text", "1").is_number
