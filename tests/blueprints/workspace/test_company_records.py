"""A rep of the B2B pack, who sees their own records only, works with products, which nobody owns."""

from __future__ import annotations

from typing import Any

import pytest

from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.metadata import packs as files
from builder.services import packs, people, records, workspaces
from builder.services.records import NewRecord
from tests import factories
from tests.blueprints.workspace.desk import page_of, stored
from tests.blueprints.workspace.test_lists import titles
from tests.fixtures.town import Town

SHOP = "/w/shop"


class Shop:
    """A workspace of the pack: Rita is a rep, Otto the admin, who made everything in it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        engine = town.app.extensions["funnelwright.engine"]
        with WorkspaceSession(engine, expire_on_commit=False) as session:
            uow = workspaces.create(session, town.clock, workspaces.WorkspaceFacts("shop", currency="CNY"))
            packs.install(uow, files.load(files.locate("b2b")))
            self.ids = {
                name: people.add(uow, people.PersonFacts(name, role, f"{name.lower()}@example.com")).member_id
                for name, role in (("Rita", "rep"), ("Otto", "admin"))
            }
            uow.commit()
        self.pump = self.make("product", name="Pump 华为 300", price="1200.00")
        self.lead = self.make("lead", name="Lead of Otto")

    def make(self, object_key: str, **values: Any) -> int:
        uow = self.town.work("shop")
        role = uow.catalog.role("admin")
        uow.actor = Actor(self.ids["Otto"], "Otto", role.key, role.rights, role.visibility)
        made = records.create(uow, object_key, NewRecord(values)).record_id
        uow.commit()
        uow.session.close()
        return made


@pytest.fixture
def shop(sqlite_town: Town) -> Shop:
    return Shop(sqlite_town)


def test_nobody_is_asked_for_an_owner_where_there_is_none(shop: Shop) -> None:
    uow = shop.town.work("shop")
    factories.publish(uow, [{**factories.FREE, "object": "product", "reasons": {}}])
    uow.commit()
    uow.session.close()
    otto = shop.town.as_("Otto")

    for path, product, others in (
        ("board", f"{SHOP}/p/free/board", f"{SHOP}/p/opportunity_process/board"),
        (
            "funnel",
            f"{SHOP}/insights/funnel?pipeline=free",
            f"{SHOP}/insights/funnel?pipeline=opportunity_process",
        ),
    ):
        assert 'name="owner"' not in otto.get(product).text, path
        assert 'name="owner"' in otto.get(others).text, path
    page = otto.get(f"{SHOP}/insights/funnel?pipeline=free").text
    assert 'value="owner"' not in page
    assert 'name="department"' not in page


def test_a_rep_finds_products_and_nothing_of_others(shop: Shop) -> None:
    rita = shop.town.as_("Rita")

    assert titles(rita.get(f"{SHOP}/o/product").text) == ["Pump 华为 300"]
    assert titles(rita.get(f"{SHOP}/o/lead").text) == []
    assert titles(rita.get(f"{SHOP}/search?q=华为").text) == ["Pump 华为 300"]
    assert titles(rita.get(f"{SHOP}/search?q=Otto").text) == []
    page = rita.get(page_of(shop.pump, workspace="shop"))
    assert (page.status_code, "Pump 华为 300" in page.text) == (200, True)
    assert rita.get(page_of(shop.lead, workspace="shop")).status_code == 404
    assert rita.get(page_of(shop.pump, workspace="acme")).status_code == 404


def test_a_rep_picks_a_product(shop: Shop) -> None:
    rita = shop.town.as_("Rita")

    assert f'data-id="{shop.pump}"' in rita.get(f"{SHOP}/lookup/records/product?q=pump", htmx=True).text
    assert f'data-id="{shop.pump}"' in rita.get(f"{SHOP}/lookup/records/product?q=", htmx=True).text
    assert "Otto" not in rita.get(f"{SHOP}/lookup/records/lead?q=", htmx=True).text
    for name, typed in (
        ("New pump", [str(shop.pump), "Pump 华为 300", "Pump 华为 300"]),
        ("Well in Fez", ["", "", "pump 华为 300"]),
    ):
        sent = {"pipeline": "lead_process", "f-name": name, "f-product": typed}
        answer = rita.post(f"{SHOP}/o/lead/new", sent)
        assert answer.status_code == 303, answer.text
        made = rita.get(answer.headers["Location"])
        assert "Pump 华为 300" in made.text
    assert titles(rita.get(f"{SHOP}/o/lead").text) == ["Well in Fez", "New pump"]


def test_a_rep_changes_a_product_by_right_and_does_not_delete_it(shop: Shop) -> None:
    rita = shop.town.as_("Rita")

    answer = rita.post(
        page_of(shop.pump, "/edit", "shop"), {"revision": "1", "f-name": "Pump 400", "f-price": "1300.00"}
    )
    assert answer.status_code == 303, answer.text
    assert stored(shop.town, shop.pump, "shop").name == "Pump 400"
    refused = rita.post(page_of(shop.pump, "/delete", "shop"), {"revision": "2"})
    assert refused.status_code == 403
    assert stored(shop.town, shop.pump, "shop").deleted_at is None
