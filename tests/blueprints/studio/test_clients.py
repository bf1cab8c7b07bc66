"""A consultant's workspaces: cloned without data, compared, and a library that goes along (S116)."""

from __future__ import annotations

from sqlalchemy import func, select

from builder.db.people import Member
from builder.db.records import Record
from builder.metadata import packs as files
from builder.queries.packs import installed_packs
from builder.services import packs
from builder.services.records import NewRecord, create
from tests import factories
from tests.blueprints.studio.test_packs import PACK, TEMPLATES, ref_of, upload
from tests.fixtures.town import Town

CLIENTS = "/w/acme/studio/clients"
COMPARE = f"{CLIENTS}/compare?with=beta"


def test_a_clone_works_holds_no_records_and_differs_in_nothing(town: Town) -> None:
    uow = town.work()
    packs.install(uow, PACK)
    create(uow, "client", NewRecord({"title": "Secret customer"}))
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")
    upload(ada, PACK)
    answer = ada.post(CLIENTS, {"key": "beta", "name": "Beta Ltd"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/w/beta/studio/clients")
    page = ada.get(CLIENTS).text
    assert "Beta Ltd" in page
    assert "Law firms 1.0.0" in page
    assert "No difference" in ada.get(COMPARE).text
    beta = town.work("beta")
    assert beta.session.scalar(select(func.count()).select_from(Record)) == 0
    assert beta.session.scalars(select(Member.name)).all() == ["Ada"]
    assert beta.workspace.time_zone == "Asia/Shanghai"
    # it follows later versions of the template as the first one does
    packs.upgrade(beta, files.normalised({**PACK, "version": "1.1.0"}))
    factories.publish(beta, [{**factories.ACCOUNT, "label": {"en": "Patron"}}])
    beta.commit()
    assert [each.version for each in installed_packs(beta.session)] == ["1.1.0"]
    beta.session.close()
    assert ada.post("/w/beta/o/client/new", {"f-title": "First"}).status_code in (200, 303)
    assert "Secret customer" not in ada.get("/w/beta/o/client").text
    assert "Patron" in ada.get(COMPARE).text
    # what she put into a library lies on her shelf everywhere, and is removed only where it is
    ref = ref_of(ada, "1.0.0")
    assert ref in ada.get("/w/beta/studio/templates").text
    assert ada.post(f"/w/beta/studio/templates/{ref}/remove").status_code == 404
    assert ada.get(f"/w/beta/studio/templates/{ref}/install").status_code == 200
    assert ref not in town.as_("Otto").get("/w/other/studio/templates").text


def test_what_cannot_be_made_says_so_and_keeps_what_was_typed(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    wrong = ada.post(CLIENTS, {"key": "Not A Key", "name": "Kept name"})
    assert (wrong.status_code, "Kept name" in wrong.text, 'href="#key"' in wrong.text) == (422, True, True)
    taken = ada.post(CLIENTS, {"key": "other"}, htmx=True)
    assert (taken.status_code, "already" in taken.text) == (409, True)
    assert ada.post(CLIENTS, {"key": "beta"}, htmx=True).headers["HX-Redirect"] == "/w/beta/studio/clients"


def test_only_workspaces_of_ones_own_are_shown_or_compared(sqlite_town: Town) -> None:
    ada, rita, otto = (sqlite_town.as_(name) for name in ("Ada", "Rita", "Otto"))
    assert "Other" not in ada.get(CLIENTS).text
    for path in (f"{CLIENTS}/compare?with=other", f"{CLIENTS}/compare"):
        assert ada.get(path).status_code == 404
    assert (rita.get(CLIENTS).status_code, otto.get(CLIENTS).status_code) == (403, 404)
    assert (rita.post(CLIENTS, {"key": "x"}).status_code, otto.post(CLIENTS).status_code) == (403, 404)
    assert rita.get(f"{CLIENTS}/compare?with=acme").status_code == 403
    assert ada.post(f"{CLIENTS}/compare").status_code == 405
    assert TEMPLATES in ada.get(CLIENTS).text
