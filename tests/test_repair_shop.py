"""A pack with another object walks form, board, move, import and funnel unchanged: over HTTP, with htmx and
with nothing but links, forms and 303s (the same journey without JavaScript)."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from builder.clock import FakeClock
from builder.db.tenancy import WorkspaceSession
from builder.exchange.blobs import FolderBlobStore
from builder.metadata import packs as pack_files
from builder.services import packs, people, workspaces
from builder.services.maintenance import verify
from tests.fixtures.html_forms import Form, Seen, read_page
from tests.fixtures.imports import InlineQueue
from tests.fixtures.town import HTMX, PASSWORD, Visitor

PACK = Path(__file__).parent / "packs" / "repair_shop"
ORDERS = (
    "Order no,What is wrong,Licence plate,Estimate,Ready on,Came by\n"
    'R1,Gearbox,AB-1,"1,250.00",2025-06-02,Tow truck\n'
    "R2,Lights,AB-2,80,2025-06-03,On its own wheels\n"
    "R3,,AB-2,80,2025-06-03,On its own wheels\n"
    "R4,Horn,AB-2,much,2025-06-03,On its own wheels\n"
)


class Walker:
    """A person at pages. With ``htmx`` every form goes the way that scripts send it."""

    def __init__(self, visitor: Visitor, *, htmx: bool) -> None:
        self.visitor, self.htmx = visitor, htmx

    def open(self, address: str, *, part: bool = False) -> Seen:
        """A page; ``part``: what htmx opens in place (a dialog), the page of its own without scripts."""
        headers = {**HTMX, "HX-Target": "fw-dialog"} if part and self.htmx else {}
        return self._seen(self.visitor.client.get(address, headers=headers), address)

    def send(self, seen: Seen, form: Form, button: tuple[str, str] | None = None, **typed: Any) -> Seen:
        """Fill a form, press a button, and follow where it leads."""
        data = form.filled(**typed)
        if button is not None:
            data[button[0]] = [button[1]]
        address = form.action or seen.address
        headers = {"HX-Request": "true", "HX-Target": "move-form"} if self.htmx else {}
        answer = self.visitor.client.post(address, data=data, headers=headers)
        assert answer.status_code in (200, 204, 303, 422), (answer.status_code, answer.text[:500])
        if self.htmx and "HX-Redirect" in answer.headers:
            return self.open(answer.headers["HX-Redirect"])
        if answer.status_code == 303:
            assert not self.htmx
            return self.open(answer.location)
        return self._seen(answer, address)

    def _seen(self, answer: Any, address: str) -> Seen:
        assert answer.status_code < 500
        return read_page(address, answer.status_code, answer.get_data(as_text=True))


@pytest.fixture
def shop(sqlite_app: Flask, clock: FakeClock) -> Flask:
    """Workspace shop with the pack, the boss Ada and the fitter Fred."""
    app = sqlite_app
    engine = app.extensions["funnelwright.engine"]
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        uow = workspaces.create(session, clock, workspaces.WorkspaceFacts("shop", time_zone="Asia/Shanghai"))
        packs.install(uow, pack_files.load(PACK))
        for name, role in (("Ada", "boss"), ("Fred", "fitter")):
            facts = people.PersonFacts(name, role, f"{name.lower()}@example.com")
            people.add(uow, facts, password=PASSWORD)
        uow.commit()
    blobs = FolderBlobStore(app.extensions["funnelwright.settings"].data_folder / "files")
    app.extensions["funnelwright.queue"] = InlineQueue(engine, clock, blobs)
    return app


@pytest.fixture(params=[False, True], ids=["plain forms", "htmx"])
def walker(request: pytest.FixtureRequest, shop: Flask) -> Walker:
    visitor = Visitor(shop.test_client())
    answer = visitor.sign_in("ada@example.com")
    assert answer.status_code == 302
    return Walker(visitor, htmx=request.param)


def asked(form: Form) -> set[str]:
    """What a move dialog asks to be filled in."""
    names = {name for name in form.names if name.startswith(("values-", "answers-"))}
    return names | ({"tasks"} & form.names) | ({"reason_key"} & form.names)


def new_order(walker: Walker, what: str = "Brakes squeal", **more: Any) -> Seen:
    """Through the list's link to the empty form, and on to the record's page."""
    page = walker.open("/w/shop/o/repair_order/new")
    form = page.form("/o/repair_order/new")
    page = walker.send(page, form, **{"f-complaint": what, "pipeline": "workshop", **more})
    assert page.status == 200, page.text
    assert what in page.text
    return page


def move(walker: Walker, page: Seen, to: str, **typed: Any) -> Seen:
    """Open the dialog of a move and fill it; what comes back."""
    dialog = walker.open(f"{place_of(page)}/move/{to}", part=True)
    return walker.send(dialog, dialog.form(f"/move/{to}"), **typed)


def place_of(page: Seen) -> str:
    found = re.match(r"/w/shop/r/[\w-]{11}", page.address)
    assert found, page.address
    return found.group()


def stage_of(shop: Flask, clock: FakeClock, page: Seen) -> str:
    from builder.db.ids import from_public
    from builder.db.records import Record

    with WorkspaceSession(shop.extensions["funnelwright.engine"]) as session:
        uow = workspaces.open_workspace(session, clock, "shop")
        record = uow.session.get_one(Record, (uow.workspace.id, from_public(place_of(page)[-11:])))
        return str(record.stage_key)


@pytest.fixture
def at(shop: Flask, clock: FakeClock) -> Callable[[Seen], str]:
    return lambda page: stage_of(shop, clock, page)


def test_forms_of_the_pack_apply_its_rules_and_compute_its_formulas(walker: Walker) -> None:
    page = walker.open("/w/shop/o/repair_order/new")
    form = page.form("/o/repair_order/new")
    page = walker.send(page, form, **{"f-complaint": "Squeals", "f-brakes": "broken", "pipeline": "workshop"})
    assert page.status == 422
    form = page.form("/o/repair_order/new")
    assert "f-brake_note" in form.names
    assert form.filled()["f-complaint"] == ["Squeals"]
    page = walker.send(page, form, ("_action", "add:f-parts"), **{"f-brake_note": "Discs worn"})
    form = next(form for form in page.forms if "f-parts-0-part" in form.names) if page.forms else None
    if form is None:  # htmx gets the body of the form alone
        form = read_page("", 200, f'<form action="/w/shop/o/repair_order/new">{page.markup}</form>').forms[0]
        form.names.add("pipeline")
    page = walker.send(
        page, form, pipeline="workshop",
        **{"f-parts-0-part": "Disc", "f-parts-0-pieces": "2", "f-parts-0-each": "40.50"},
    )  # fmt: skip
    assert page.status == 200, page.text
    assert "Discs worn" in page.text
    assert "81.00" in page.text


def test_a_repair_order_walks_the_workshop(walker: Walker, at: Callable[[Seen], str]) -> None:
    page = walker.open("/w/shop/o/vehicle/new")
    walker.send(page, page.form("/o/vehicle/new"), **{"f-plate": "AB-1", "f-model": "Combi"})
    order = new_order(walker)
    assert at(order) == "arrived"
    board = walker.open("/w/shop/p/workshop/board")
    assert "Brakes squeal" in board.text

    dialog = walker.open(f"{place_of(order)}/move/diagnosis", part=True)
    form = dialog.form("/move/diagnosis")
    assert asked(form) == {"values-vehicle", "values-came_by"}
    refused = walker.send(dialog, form)
    assert refused.status == 422
    assert at(order) == "arrived"
    typed = {"values-vehicle": ["", "", "AB-1"], "values-came_by": "tow_truck"}
    walker.send(refused, refused.form("/move/diagnosis"), **typed)
    assert at(order) == "diagnosis"

    dialog = walker.open(f"{place_of(order)}/move/agreed", part=True)
    form = dialog.form("/move/agreed")
    answers = {"answers-found", "answers-hours"}
    assert answers | {"values-estimate", "tasks"} <= asked(form) <= answers | {
        "values-estimate", "tasks", "values-brakes"
    }  # fmt: skip
    typed = {
        "answers-found": "Discs", "answers-hours": "50", "values-estimate": "420", "values-brakes": "worn",
        "tasks": ["lift_it/front", "lift_it/rear"],
    }  # fmt: skip
    refused = walker.send(dialog, form, **typed)
    assert refused.status == 422
    assert "More than 40 hours" in refused.text
    assert at(order) == "diagnosis"
    form = refused.form("/move/agreed")
    assert form.filled()["answers-found"] == ["Discs"]
    walker.send(refused, form, **{"answers-hours": "4"})
    assert at(order) == "agreed"

    assert move(walker, order, "on_lift").status == 422
    move(walker, order, "on_lift", **{"values-ready_on": "2025-05-20"})
    assert at(order) == "on_lift"
    noisy = move(walker, order, "picked_up", **{"answers-quiet": "false", "reason_key": "fast"})
    assert "still makes a noise" in noisy.text
    move(walker, order, "picked_up", **{"answers-quiet": "true", "reason_key": "fast", "reason_note": "Soon"})
    assert at(order) == "picked_up"
    page = walker.open(place_of(order))
    for text in ("Discs", "Picked up", "Fast", "420"):
        assert text in page.text, text


def test_going_where_the_pack_does_not_allow_is_refused(walker: Walker, at: Callable[[Seen], str]) -> None:
    order = new_order(walker)
    choice = walker.open(f"{place_of(order)}/move", part=True)
    assert not [link for link, _ in choice.links if link.endswith("/move/picked_up")]
    dialog = walker.open(f"{place_of(order)}/move/picked_up", part=True)
    assert "does not allow" in dialog.text
    assert at(order) == "arrived"


def test_another_role_sees_its_own_orders_only(walker: Walker, shop: Flask) -> None:
    order = new_order(walker)
    fred = Visitor(shop.test_client())
    fred.sign_in("fred@example.com")
    assert fred.get(place_of(order)).status_code == 404
    assert "Brakes squeal" not in fred.get("/w/shop/p/workshop/board").text
    assert fred.get("/w/shop/imports/").status_code == 403


def test_orders_are_imported_and_the_funnel_follows(
    walker: Walker, shop: Flask, clock: FakeClock, at: Callable[[Seen], str]
) -> None:
    order = new_order(walker)
    assert bars(walker) == [1, 0, 0, 0, 0]
    answer = walker.visitor.client.post(
        "/w/shop/imports/",
        data={"object": "repair_order", "file": (io.BytesIO(ORDERS.encode()), "orders.csv")},
        content_type="multipart/form-data",
        headers={"X-CSRFToken": walker.visitor.token},
    )
    assert answer.status_code == 303, answer.text
    page = walker.open(answer.location)
    form = next(each for each in page.forms if each.action.endswith("/mapping") and each.method == "post")
    chosen = {name: value for name, (value,) in form.filled().items() if name.startswith("field-")}
    assert chosen == {
        "field-0": chosen["field-0"], "field-1": "key:complaint", "field-2": chosen["field-2"],
        "field-3": "key:estimate", "field-4": "key:ready_on", "field-5": "key:came_by",
    }  # fmt: skip
    typed = {"key_column": "Order no", "field-2": "key:vehicle", "create_references": "1"}
    page = walker.send(page, form, **typed, entry_pipeline="workshop")
    assert "2 rows would be refused" in page.text, page.text[:2000]
    page = walker.send(page, page.form("/start"))
    page = walker.open(page.address)
    assert "is not a number" in page.text
    listed = walker.open("/w/shop/o/repair_order")
    assert "Gearbox" in listed.text
    assert "Horn" not in listed.text
    assert bars(walker) == [3, 0, 0, 0, 0]
    move(walker, order, "walked_away", reason_key="too_dear", reason_note="Elsewhere")
    assert at(order) == "walked_away"

    funnel = walker.open("/w/shop/insights/funnel?pipeline=workshop")
    found = [
        (link, int(text)) for link, text in funnel.links if "figure=entered" in link and text.isdecimal()
    ]
    assert found
    for link, count in found:
        drilled = walker.open(link)
        assert drilled.markup.count("/w/shop/r/") >= count
        assert ("Gearbox" in drilled.text) == (count > 0)
    uow = workspaces.open_workspace(WorkspaceSession(shop.extensions["funnelwright.engine"]), clock, "shop")
    assert not verify(uow).differences
    uow.session.close()


def bars(walker: Walker) -> list[int]:
    """The bars of the funnel: how many entered each step."""
    page = walker.open("/w/shop/insights/funnel?pipeline=workshop")
    island = re.search(r"data-chart='([^']*)'", page.markup)
    assert island, page.text
    config = json.loads(html.unescape(island.group(1)))
    data: list[int] = config["config"]["data"]["datasets"][0]["data"]
    return data


def test_views_and_funnels_of_the_pack_open(walker: Walker) -> None:
    new_order(walker)
    for address in ("/w/shop/o/repair_order?view=due_this_week", "/w/shop/insights/funnels/shop_funnel",
                    "/w/shop/insights/wins?pipeline=workshop", "/w/shop/"):  # fmt: skip
        assert walker.open(address).status == 200, address
