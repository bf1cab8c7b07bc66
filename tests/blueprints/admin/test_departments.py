"""The tree of departments over HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.people import Department
from tests.blueprints.workspace.test_once import key_in
from tests.fixtures.town import Town

LIST = "/w/acme/admin/departments"
NEW = f"{LIST}/new"
SEEN = {"revision": "1"}


def ids_of(town: Town) -> dict[str, str]:
    uow = town.work()
    rows = uow.session.execute(select(Department.name, Department.id)).all()
    uow.session.close()
    return {name: to_public(key) for name, key in rows}


def paths_of(town: Town) -> dict[str, str]:
    uow = town.work()
    rows = uow.session.execute(select(Department.name, Department.path)).all()
    uow.session.close()
    return dict(rows)  # type: ignore[arg-type]


def test_adding_works_redirects_and_shows_the_tree(town: Town) -> None:
    ada = town.as_("Ada")

    answer = ada.post(NEW, {"name": "Port", "parent_id": ids_of(town)["East"]})

    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    page = ada.get(LIST).text
    assert page.index("East") < page.index("Port")
    assert paths_of(town)["Port"].startswith(paths_of(town)["East"])


def test_renaming_and_moving_takes_everything_below_along(town: Town) -> None:
    ada = town.as_("Ada")
    ada.post(NEW, {"name": "West"})
    ada.post(NEW, {"name": "Port", "parent_id": ids_of(town)["East"]})
    ada.post(NEW, {"name": "Dock", "parent_id": ids_of(town)["Port"]})

    known = ids_of(town)
    answer = ada.post(
        f"{LIST}/{known['Port']}", {"name": "Harbour", "parent_id": known["West"], "revision": "1"}
    )

    assert answer.status_code == 303
    paths = paths_of(town)
    assert paths["Harbour"].startswith(paths["West"])
    assert paths["Dock"].startswith(paths["Harbour"])
    assert not paths["Dock"].startswith(paths["East"])


def test_a_department_is_made_once(town: Town) -> None:
    ada = town.as_("Ada")
    form = {"name": "Port", "once": key_in(ada.get(NEW).text)}
    for _ in range(2):
        assert ada.post(NEW, form).headers["Location"] == LIST
    assert ada.get(LIST).text.count(">Port<") == 1
    port = ids_of(town)["Port"]
    assert ada.post(f"{LIST}/{port}/end", SEEN).status_code == 303
    assert ada.post(NEW, form).status_code == 303
    assert ids_of(town)["Port"] != port, "the one that was closed is another one"


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"name": ""}, "name-error"),
        ({"name": "east"}, "name-error"),
        ({"name": "x" * 201}, "name-error"),
        ({"name": "Typed", "parent_id": "nonsense"}, "parent_id-error"),
    ],
)
def test_invalid_is_422_named_and_keeps_what_was_typed(
    sqlite_town: Town, form: dict[str, str], named: str, htmx: bool
) -> None:
    answer = sqlite_town.as_("Ada").post(NEW, form, htmx=htmx)

    assert answer.status_code == 422
    assert named in answer.text
    assert f'value="{form["name"]}"' in answer.text
    assert ("<html" in answer.text) is not htmx


def test_a_department_never_stands_below_itself(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    ada.post(NEW, {"name": "Port", "parent_id": ids_of(sqlite_town)["East"]})
    known = ids_of(sqlite_town)

    for parent in (known["East"], known["Port"]):
        answer = ada.post(f"{LIST}/{known['East']}", {"name": "East", "parent_id": parent, "revision": "1"})
        assert answer.status_code == 422
        assert "parent_id-error" in answer.text


def test_a_stale_change_is_409_and_tells_what_is_stored(town: Town) -> None:
    ada, east = town.as_("Ada"), ids_of(town)["East"]
    assert ada.post(f"{LIST}/{east}", {"name": "Orient", **SEEN}).status_code == 303

    answer = ada.post(f"{LIST}/{east}", {"name": "Sunrise", **SEEN})

    assert answer.status_code == 409
    assert 'value="Sunrise"' in answer.text
    assert "Now stored: Orient" in answer.text
    assert ada.post(f"{LIST}/{east}/end", SEEN).status_code == 409
    assert ada.post(f"{LIST}/{east}", {"name": "Sunrise"}).status_code == 400
    assert "Orient" in ada.get(LIST).text


def test_only_an_empty_department_closes(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    ada.post(NEW, {"name": "Port"})
    known = ids_of(sqlite_town)

    refused = ada.post(f"{LIST}/{known['East']}/end", SEEN)
    assert refused.status_code == 422
    assert "Move its people" in refused.text
    assert ada.post(f"{LIST}/{known['Port']}/end", SEEN).status_code == 303
    assert "Port" not in ada.get(LIST).text
    assert ada.get(f"{LIST}/{known['Port']}").status_code == 404


def test_forbidden_without_the_right_missing_404_wrong_verb_405(sqlite_town: Town) -> None:
    rita, ada, east = sqlite_town.as_("Rita"), sqlite_town.as_("Ada"), ids_of(sqlite_town)["East"]

    for path in (LIST, NEW, f"{LIST}/{east}"):
        assert rita.get(path).status_code == 403
    for path in (NEW, f"{LIST}/{east}", f"{LIST}/{east}/end"):
        assert rita.post(path, {"name": "Mine", **SEEN}).status_code == 403
    assert ada.get(f"{LIST}/{to_public(99)}").status_code == 404
    assert ada.post(f"{LIST}/{to_public(99)}/end", SEEN).status_code == 404
    assert ada.post(LIST).status_code == 405
    assert ada.get(f"{LIST}/{east}/end").status_code == 405
