"""What a customer is worth, on their page (M29)."""

from __future__ import annotations

import html

import pytest

from builder.db.ids import to_public
from builder.services import transitions
from builder.services.transitions import MoveRecord
from tests import factories
from tests.blueprints.workspace.desk import make, page_of
from tests.factories import CASE
from tests.fixtures.town import Town


@pytest.fixture
def selling(town: Town) -> Town:
    """Matters name their client as the customer."""
    uow = town.work()
    fields = CASE["fields"]
    client = {**fields["properties"]["client"], "x-role": "account"}
    factories.publish(
        uow, [{**CASE, "fields": {**fields, "properties": {**fields["properties"], "client": client}}}]
    )
    uow.commit()
    uow.session.close()
    return town


def won(town: Town, client: int, worth: str, owner: str = "Rita") -> None:
    values = {"title": "Fence", "client": str(client), "worth": worth}
    record = make(town, "matter", values, "free", owner=owner)
    uow = town.work()
    transitions.move(uow, MoveRecord(record, "won"))
    uow.commit()
    uow.session.close()


def page(town: Town, client: int, who: str = "Ada") -> str:
    text = html.unescape(town.as_(who).get(page_of(client)).text)
    return " ".join(text.partition('id="worth"')[2].partition("</section>")[0].split())


def test_the_value_so_far_and_expected_is_told_with_its_parts(selling: Town) -> None:
    client = make(selling, "client", {"title": "Steel"})
    assert page(selling, client) == ""
    won(selling, client, "100.00")
    one = page(selling, client)
    assert "$100.00" in one
    assert "from one won order" in one
    assert "needs at least two won orders" in one

    won(selling, client, "50.00", owner="Ada")
    make(selling, "matter", {"title": "Open", "client": str(client), "worth": "999.00"}, "free")
    two = page(selling, client)

    assert "$150.00" in two
    assert "$75.00 on average × 2 orders a year × 3 years" in two
    assert "$450.00" in two


def test_only_what_the_reader_sees_counts(selling: Town) -> None:
    client = make(selling, "client", {"title": "Steel"}, owner="Rita")
    won(selling, client, "100.00")
    won(selling, client, "50.00", owner="Ada")

    assert "$100.00" in page(selling, client, "Rita")
    assert "$150.00" in page(selling, client, "Ada")
    assert to_public(client) in selling.as_("Rita").get("/w/acme/o/client").text
