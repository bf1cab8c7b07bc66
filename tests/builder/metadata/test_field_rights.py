"""What a role does not see, and what it therefore does not see either."""

from __future__ import annotations

import copy
from typing import Any

from builder.domain.permissions import Veil
from builder.metadata.catalog import Catalog, PlainRow
from builder.metadata.documents import checksum
from tests import factories


def catalog(**rights: str) -> Catalog:
    """Matters with a formula over their worth and one over that, clients with totals; ``rights`` of reps."""
    case, client = copy.deepcopy(factories.CASE), copy.deepcopy(factories.ACCOUNT)
    fields = case["fields"]["properties"]
    fields["coin"] = {
        "x-type": "choice",
        "x-label": {"en": "Coin"},
        "x-role": "currency",
        "x-options": [{"key": "EUR", "label": {"en": "EUR"}}],
    }
    for key, formula in (("twice", "worth * 2"), ("fourfold", "twice * 2"), ("days", "due - 1")):
        fields[key] = {"x-type": "formula", "x-label": {"en": key}, "x-formula": formula}
    case["list"] = {"columns": ["title", "worth"], "sort": ["-worth", "title"]}
    case["fields"]["required"] = ["title", "worth", "note"]
    case["fields"]["x-rules"] = [
        {"effect": "require", "fields": ["due"], "when": {"field": "worth", "op": "not_empty"}},
        {"effect": "require", "fields": ["note", "due"], "when": {"field": "heat", "op": "not_empty"}},
    ]
    total: dict[str, Any] = {"x-type": "money_rollup", "x-label": {"en": "Sum"}, "x-from": "matter"}
    client["fields"]["properties"]["sum"] = {**total, "x-by": "client", "x-function": "sum", "x-of": "worth"}
    client["fields"]["properties"]["many"] = {
        **total, "x-type": "rollup", "x-by": "client", "x-function": "count"
    }  # fmt: skip
    role = {**factories.role("rep"), "fields": {"matter": rights}}
    documents = [client, case, role, factories.role("admin")]
    rows = (PlainRow(one["kind"], one["key"], 1, 1, checksum(one), one) for one in documents)
    return Catalog.build(1, 1, rows)


def test_what_is_computed_from_a_hidden_field_is_hidden_too_however_far() -> None:
    found = catalog(worth="hidden")
    hidden = frozenset({"worth", "twice", "fourfold"})
    assert found.veils_of("rep") == {
        "matter": Veil(hidden, frozenset({"amount"}), frozenset({"coin"})),
        "client": Veil(frozenset({"sum"})),
    }
    seen = found.seen_by("rep")
    assert not hidden & seen.object("matter").fields.by_key.keys()
    assert set(seen.object("client").fields.by_key) == {"title", "sector", "many"}
    assert "worth" in found.object("matter").fields.by_key


def test_a_hidden_reference_hides_all_that_is_counted_by_it() -> None:
    assert catalog(client="hidden").veils_of("rep")["client"].fields == {"sum", "many"}


def test_an_object_without_a_field_names_it_nowhere() -> None:
    seen = catalog(worth="hidden").seen_by("rep").object("matter")
    assert seen.list_columns == ("title",)
    assert seen.list_sort == ("title",)
    assert "worth" not in str(seen.fields.schema)
    # The rule would have told whether there is a worth.
    assert [rule.targets for rule in seen.fields.rules] == [("note", "due")]


def test_what_one_may_only_see_is_not_asked_for() -> None:
    seen = catalog(note="read_only").seen_by("rep").object("matter")
    assert seen.fields.by_key["note"].is_read_only
    assert [rule.targets for rule in seen.fields.rules] == [("due",), ("due",)]
    assert seen.fields.schema["required"] == ["title", "worth"]


def test_name_owner_and_currency_are_never_hidden_whatever_a_document_says() -> None:
    found = catalog(title="hidden", holder="hidden", coin="hidden")
    assert found.veils_of("rep") == {}
    assert found.seen_by("rep").object("matter") == found.object("matter")


def test_a_role_without_field_rights_sees_the_very_same_catalog() -> None:
    found = catalog(worth="hidden")
    assert found.seen_by("admin") is found
    assert found.seen_by("nobody") is found
    assert found.seen_by("rep") is found.seen_by("rep")
