"""Undoing an import over HTTP: asked, done, told; and who may not."""

from __future__ import annotations

import io

from sqlalchemy import select

from builder.db.records import Record
from tests.fixtures.town import Town, Visitor

FILE = b"ref,title,worth\nA1,First,5\nA2,Second,6\n"


def imported(visitor: Visitor) -> str:
    """The address of an import that has ended."""
    answer = visitor.client.post(
        "/w/acme/imports/",
        data={"object": "matter", "file": (io.BytesIO(FILE), "cases.csv")},
        headers={"X-CSRFToken": visitor.token},
        content_type="multipart/form-data",
    )
    place = str(answer.location).removesuffix("/mapping")
    chosen = {"field-1": "key:title", "field-2": "key:worth", "key_column": "ref"}
    assert visitor.post(f"{place}/mapping", chosen).status_code == 303
    assert visitor.post(f"{place}/start").status_code == 303
    return place


def live(town: Town) -> list[str]:
    uow = town.work()
    try:
        rows = uow.session.scalars(
            select(Record.name).where(Record.object_key == "matter", Record.deleted_at.is_(None))
        )
        return sorted(rows)
    finally:
        uow.session.close()


def edit_address(visitor: Visitor, name: str) -> str:
    page = visitor.get(f"/w/acme/search?q={name}").text
    place = page[: page.index(f"{name}</")].rpartition('href="')[2]
    return place[: place.index('"')]


def test_it_is_asked_done_and_told(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = imported(ada)
    assert f'href="{place}/undo"' in ada.get(place).text
    assert "Undo this import" in ada.get(f"{place}/undo").text
    assert live(importing) == ["First", "Second"]
    second = edit_address(ada, "Second")
    edited = ada.post(f"{second}/edit", {"f-title": "Second", "f-worth": "7", "revision": "1"})
    assert edited.status_code == 303
    answer = ada.post(f"{place}/undo")
    assert (answer.status_code, answer.location) == (303, place)
    assert live(importing) == ["Second"]
    told = ada.get(place).text
    assert "What this import did was taken back." in told
    assert "It was edited since." in told
    assert f'href="{second}"' in told
    assert f'href="{place}/undo"' not in told


def test_htmx_is_led_on(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = imported(ada)
    answer = ada.post(f"{place}/undo", htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, place)


def test_once_is_enough(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = imported(ada)
    ada.post(f"{place}/undo")
    for late in ("undo", "cancel"):
        answer = ada.post(f"{place}/{late}")
        assert answer.status_code == 409
        # Whoever comes second sees how it stands now, and why nothing was done.
        assert "What this import did was taken back." in answer.text
        assert "error-summary" in answer.text
    assert ada.get(f"{place}/undo").location == place


def test_whoever_may_not_and_whatever_is_not_there(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = imported(ada)
    for method in ("get", "post"):
        assert getattr(importing.as_("Rita"), method)(f"{place}/undo").status_code == 403
        assert getattr(importing.as_("Otto"), method)(f"{place}/undo").status_code == 404
        assert getattr(ada, method)("/w/acme/imports/AAAAAAAAAAA/undo").status_code == 404
    assert ada.client.delete(f"{place}/undo", headers={"X-CSRFToken": ada.token}).status_code == 405
    assert live(importing) == ["First", "Second"]
