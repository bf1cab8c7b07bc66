"""Mappings of columns under a name: saved with an import, offered again, renamed and deleted over HTTP."""

from __future__ import annotations

import re

import pytest

from builder.queries.import_mappings import MappingRow, mappings
from tests.blueprints.workspace.test_imports import form_of, records, upload
from tests.fixtures.town import Town, Visitor

FILE = "ref,title,worth,due,extra\nA1,First,100,01/02/2025,x\n"
LIST = "/w/acme/imports/mappings"


def saved(town: Town) -> list[MappingRow]:
    uow = town.work()
    found = mappings(uow.session)
    uow.session.close()
    return found


def keep(visitor: Visitor, name: str = "Monthly", text: str = FILE) -> str:
    """Save a mapping with an import; the address of the import."""
    place = upload(visitor, text)
    data = form_of(visitor.get(f"{place}/mapping?start=").text)
    data |= {"key_column": "ref", "order-3": "mdy", "field-4": "new:text", "save_as": name}
    answer = visitor.post(f"{place}/mapping", data)
    assert answer.status_code == 303, answer.text
    return place


def address(town: Town) -> str:
    page = town.as_("Ada").get(LIST).text
    found = re.search(r'action="(/w/acme/imports/mappings/[^"/]+)"', page)
    assert found, page
    return found.group(1)


def test_a_saved_mapping_is_taken_when_a_file_with_the_same_headers_comes_again(importing: Town) -> None:
    ada = importing.as_("Ada")
    ada.post(f"{keep(ada)}/start")
    place = upload(ada, "extra,due,worth,title,ref\ny,03/04/2025,200,Second,A2\n")
    page = ada.get(f"{place}/mapping").text
    assert "The mapping “Monthly” was saved for these headers." in page
    data = form_of(page)
    assert data["start"].startswith("saved:")
    assert (data["key_column"], data["order-1"], data["save_as"]) == ("ref", "mdy", "Monthly")
    # The field that was new then is one like the others now.
    assert data["field-0"] == "key:extra"
    ada.post(f"{place}/mapping", data)
    ada.post(f"{place}/start")
    assert [(row.data["due"], row.data["extra"]) for row in records(importing)] == [
        ("2025-01-02", "x"), ("2025-03-04", "y"),
    ]  # fmt: skip
    assert [row.name for row in saved(importing)] == ["Monthly"]


def test_other_headers_are_not_offered_the_mapping(importing: Town) -> None:
    ada = importing.as_("Ada")
    keep(ada)
    place = upload(ada, "ref,title\n1,A\n")
    page = ada.get(f"{place}/mapping").text
    assert "Monthly" not in page


def test_saving_under_the_same_name_replaces(importing: Town) -> None:
    ada = importing.as_("Ada")
    keep(ada)
    keep(ada, "MONTHLY", "ref,title,worth,due,more\nA1,First,100,01/02/2025,x\n")
    assert [(row.name, row.columns[-1], row.revision) for row in saved(importing)] == [("MONTHLY", "more", 2)]


@pytest.mark.parametrize(
    ("name", "told"), [("x" * 101, "at most 100 characters"), ("a\x00b", "cannot be stored")]
)
def test_a_bad_name_is_told_at_its_field_and_nothing_is_kept(importing: Town, name: str, told: str) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    data = form_of(ada.get(f"{place}/mapping").text) | {"order-3": "mdy", "save_as": name}
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'href="#save_as"' in answer.text
    assert 'aria-describedby="save_as-help save_as-error"' in answer.text
    assert saved(importing) == []


def test_a_mapping_is_renamed_and_deleted(importing: Town) -> None:
    ada = importing.as_("Ada")
    keep(ada)
    place = address(importing)
    answer = ada.post(place, {"name": "  Each  month ", "revision": "1"})
    assert (answer.status_code, answer.location) == (303, LIST)
    assert [(row.name, row.revision) for row in saved(importing)] == [("Each month", 2)]
    answer = ada.post(place, {"name": "Other", "revision": "2"}, htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, LIST)
    answer = ada.post(f"{place}/delete", {"revision": "3"})
    assert (answer.status_code, answer.location) == (303, LIST)
    assert saved(importing) == []
    assert "No mapping was saved yet" in ada.get(LIST).text


def test_a_name_that_is_taken_or_missing_is_told_with_what_was_typed(importing: Town) -> None:
    ada = importing.as_("Ada")
    keep(ada, "One")
    place = address(importing)
    keep(ada, "Two")
    for typed, told in (("two", "already a mapping called “two”"), (" ", "Give the mapping a name.")):
        answer = ada.post(place, {"name": typed, "revision": "1"})
        assert answer.status_code == 422
        assert told in answer.text
        assert f'value="{typed}"' in answer.text
    assert sorted(row.name for row in saved(importing)) == ["One", "Two"]


def test_a_mapping_that_somebody_changed_meanwhile_stays_as_it_is(importing: Town) -> None:
    ada = importing.as_("Ada")
    keep(ada)
    place = address(importing)
    ada.post(place, {"name": "Newer", "revision": "1"})
    answer = ada.post(place, {"name": "Older", "revision": "1"})
    assert answer.status_code == 409
    assert 'value="Older"' in answer.text
    assert ada.post(f"{place}/delete", {"revision": "1"}).status_code == 409
    assert ada.post(place, {"name": "Older"}).status_code == 400
    assert [row.name for row in saved(importing)] == ["Newer"]


def test_mappings_are_for_those_of_the_workspace_who_may_import(importing: Town) -> None:
    ada, rita, otto = importing.as_("Ada"), importing.as_("Rita"), importing.as_("Otto")
    keep(ada)
    place = address(importing)
    data = {"name": "Mine", "revision": "1"}
    for path in (place, f"{place}/delete"):
        assert rita.post(path, data).status_code == 403
        assert otto.post(path, data).status_code == 404
        assert otto.post(path.replace("/acme/", "/other/"), data).status_code == 404
        assert ada.get(path).status_code in (404, 405)
    assert rita.get(LIST).status_code == 403
    assert "Monthly" not in otto.get("/w/other/imports/mappings").text
    nobody = re.sub(r"[^/]+$", "AAAAAAAAAAA", place)
    assert ada.post(nobody, data).status_code == 404
    assert ada.get(f"{upload(ada, FILE)}/mapping?start=saved:AAAAAAAAAAA").status_code == 404
    assert [row.name for row in saved(importing)] == ["Monthly"]
