"""Creating and editing records over HTTP: each write route says all it can say."""

from __future__ import annotations

from typing import Any

import pytest

from builder.db.ids import from_public, to_public
from tests import factories
from tests.blueprints.workspace.desk import CLIENTS, MATTERS, NOBODY, change, make, matter, page_of, stored
from tests.fixtures.town import Town

NEW = f"{MATTERS}/new"


def form(**values: str) -> dict[str, str]:
    named = {key if key in ("pipeline", "revision") else f"f-{key}": text for key, text in values.items()}
    return {"pipeline": "flow", "f-title": "Fence at 李明's", **named}


def test_creating_works_and_redirects_without_htmx(town: Town) -> None:
    rita = town.as_("Rita")

    answer = rita.post(NEW, form(worth="1,250.50", due="2025-06-30", heat="hot"))

    assert answer.status_code == 303, answer.text
    row = stored(town, from_public(answer.headers["Location"].rsplit("/", 1)[1]))
    assert (row.name, row.pipeline_key, row.stage_key, row.outcome) == (
        "Fence at 李明's",
        "flow",
        "a",
        "open",
    )
    assert row.data["worth"] == "1250.50"
    assert row.data["holder"] == str(town.ids["Rita"])
    page = rita.get(answer.headers["Location"]).text
    assert "Fence at 李明" in page
    assert "Created." in page


def test_creating_works_with_htmx(sqlite_town: Town) -> None:
    answer = sqlite_town.as_("Rita").post(NEW, form(), htmx=True)

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/w/acme/r/")


def test_the_form_asks_for_the_process_where_there_are_several(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")
    page = rita.get(NEW).text

    assert "Choose a process" in page
    assert '<option value="flow">' in page

    assert 'name="pipeline"' not in rita.get(f"{CLIENTS}/new").text
    refused = rita.post(NEW, form(pipeline=""))
    assert refused.status_code == 422
    assert "pipeline-error" in refused.text
    assert rita.post(NEW, form(pipeline="-")).status_code == 303
    assert rita.post(NEW, form(pipeline="nothing")).status_code == 422


def test_a_process_in_the_address_is_chosen_already(sqlite_town: Town) -> None:
    assert '<option value="free" selected>' in sqlite_town.as_("Rita").get(f"{NEW}?pipeline=free").text


def test_a_record_in_the_address_fills_the_field_that_refers_to_it(sqlite_town: Town) -> None:
    client = make(sqlite_town, "client", {"title": "Steel & Söhne"})
    where = f"{NEW}?field=client&from={to_public(client)}"
    ada = sqlite_town.as_("Ada")

    page = ada.get(where)

    assert f'value="{client}"' in page.text
    assert "Steel &amp; Söhne" in page.text
    # Nobody owns clients, so a rep sees them as well.
    assert f'value="{client}"' in sqlite_town.as_("Rita").get(where).text
    for odd in (f"{NEW}?field=client&from=nonsense", f"{NEW}?field=title&from={NOBODY}", f"{NEW}?from=%00"):
        assert ada.get(odd).status_code == 200


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"title": " "}, "f-title-error"),
        ({"title": "nul\0"}, "f-title-error"),
        ({"worth": "much"}, "f-worth-error"),
        ({"due": "30/30/2025"}, "f-due-error"),
        ({"heat": "lukewarm"}, "f-heat-error"),
        ({"client": "Nobody Ltd"}, "f-client-error"),
        ({"holder": "123"}, "f-holder-error"),
    ],
)
def test_invalid_is_422_named_and_keeps_what_was_typed(
    sqlite_town: Town, wrong: dict[str, str], named: str, htmx: bool
) -> None:
    answer = sqlite_town.as_("Rita").post(NEW, form(**{"note": "typed long ago", **wrong}), htmx=htmx)

    assert answer.status_code == 422
    assert named in answer.text
    assert 'role="alert"' in answer.text
    assert "typed long ago" in answer.text
    assert ("<html" in answer.text) is not htmx


def test_creating_without_the_right_is_403(sqlite_town: Town) -> None:
    sqlite_town.take_right("rep", "record.create")
    rita = sqlite_town.as_("Rita")

    assert rita.get(NEW).status_code == 403
    assert rita.post(NEW, form()).status_code == 403
    assert rita.post(f"{MATTERS}/form", form()).status_code == 403


@pytest.mark.parametrize(
    "path", ["/w/acme/o/nothing/new", "/w/other/o/matter/new", "/w/nowhere/o/matter/new"]
)
def test_a_missing_object_or_anothers_workspace_is_404(sqlite_town: Town, path: str) -> None:
    rita = sqlite_town.as_("Rita")

    assert rita.get(path).status_code == 404
    assert rita.post(path, form()).status_code == 404


def test_the_wrong_verb_is_405(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    record = matter(sqlite_town)

    assert ada.client.delete(NEW, headers={"X-CSRFToken": ada.token}).status_code == 405
    assert ada.post(page_of(record)).status_code == 405
    for part in ("/form", "/restore", "/tasks", "/marker", "/feedback", "/start"):
        assert ada.get(page_of(record, part)).status_code == 405
    assert ada.get(f"{MATTERS}/views").status_code == 405


def test_editing_works_and_redirects_without_htmx(town: Town) -> None:
    record = matter(town, worth="10.00")
    rita = town.as_("Rita")
    page = rita.get(page_of(record, "/edit")).text
    assert 'name="revision" value="1"' in page

    answer = rita.post(page_of(record, "/edit"), form(title="Wall", worth="99", revision="1"))

    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(record))
    row = stored(town, record)
    assert (row.name, row.data["worth"], row.revision) == ("Wall", "99.00", 2)
    timeline = rita.get(page_of(record)).text
    assert "changed values" in timeline
    assert "Worth" in timeline
    assert "$10.00" in timeline


@pytest.mark.parametrize(("who", "most"), [("Rita", 7), ("Mia", 8)])
def test_a_save_takes_few_statements_with_the_wall(
    town: Town, count_statements: Any, who: str, most: int
) -> None:
    """Neither stays nor slices nor the roll-up are touched while no reported column changes."""
    record = matter(town, worth="10.00", holder=str(town.ids["Rita"]))
    visitor = town.as_(who)
    assert visitor.get(page_of(record, "/edit")).status_code == 200

    with count_statements(town.app) as sent:
        answer = visitor.post(
            page_of(record, "/edit"), form(title="Fence", worth="10.00", heat="hot", revision="1")
        )

    assert answer.status_code == 303, answer.text
    assert stored(town, record).data["heat"] == "hot"
    assert len(sent) <= most, sent


def test_editing_with_htmx_shows_faults_in_the_form_alone(sqlite_town: Town) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(
        page_of(record, "/edit"), form(title="", note="kept", revision="1"), htmx=True
    )

    assert answer.status_code == 422
    assert "f-title-error" in answer.text
    assert "kept" in answer.text
    assert "<html" not in answer.text
    assert stored(sqlite_town, record).revision == 1


def test_a_stale_save_is_409_and_shows_both_sides(town: Town) -> None:
    record = matter(town, worth="10.00", note="first")
    rita = town.as_("Rita")
    change(town, record, "Mia", worth="20.00", heat="hot")

    answer = rita.post(
        page_of(record, "/edit"), form(title="Fence", worth="30.00", note="mine", heat="", revision="1")
    )

    assert answer.status_code == 409
    assert "Mia changed this record" in answer.text
    assert "$10.00" in answer.text
    assert "$20.00" in answer.text
    assert "$30.00" in answer.text
    assert 'value="30.00"' in answer.text
    assert "mine" in answer.text
    assert 'name="revision" value="2"' in answer.text
    assert stored(town, record).data["worth"] == "20.00"


def test_saving_again_after_a_conflict_keeps_both_peoples_fields(sqlite_town: Town) -> None:
    record = matter(sqlite_town, worth="10.00", note="first")
    rita = sqlite_town.as_("Rita")
    change(sqlite_town, record, "Mia", heat="hot")
    shown = rita.post(
        page_of(record, "/edit"), form(title="Fence", worth="10.00", note="mine", heat="", revision="1")
    )
    assert '<option value="hot" selected>' in shown.text

    again = rita.post(
        page_of(record, "/edit"), form(title="Fence", worth="10.00", note="mine", heat="hot", revision="2")
    )

    assert again.status_code == 303
    data = stored(sqlite_town, record).data
    assert (data["heat"], data["note"]) == ("hot", "mine")


def test_a_revision_that_never_was_is_409(sqlite_town: Town) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(page_of(record, "/edit"), form(title="Wall", revision="99"))

    assert answer.status_code == 409


@pytest.mark.parametrize("part", ["/edit", ""])
def test_what_is_not_yours_is_404(sqlite_town: Town, part: str) -> None:
    of_mia, foreign = (
        matter(sqlite_town, owner="Mia"),
        make(sqlite_town, "matter", {"title": "Far"}, at="other"),
    )
    rita = sqlite_town.as_("Rita")

    assert rita.get(page_of(of_mia, part)).status_code == 404
    assert rita.get(page_of(foreign, part)).status_code == 404
    assert rita.get(page_of(foreign, part, "other")).status_code == 404
    assert rita.get(f"/w/acme/r/{NOBODY}{part}").status_code == 404
    assert sqlite_town.as_("Ada").get(page_of(foreign, part)).status_code == 404


def test_saving_what_is_not_yours_is_404_and_changes_nothing(sqlite_town: Town) -> None:
    of_mia = matter(sqlite_town, owner="Mia")

    answer = sqlite_town.as_("Rita").post(page_of(of_mia, "/edit"), form(title="Mine now", revision="1"))

    assert answer.status_code == 404
    assert stored(sqlite_town, of_mia).name == "Fence"


def test_editing_without_the_right_is_403(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    sqlite_town.take_right("rep", "record.edit")
    rita = sqlite_town.as_("Rita")

    assert rita.get(page_of(record, "/edit")).status_code == 403
    assert rita.post(page_of(record, "/edit"), form(revision="1")).status_code == 403
    assert rita.get(page_of(record)).status_code == 200
    assert "/edit" not in rita.get(page_of(record)).text


def test_giving_a_record_away_without_the_right_is_refused_at_its_field(sqlite_town: Town) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(
        page_of(record, "/edit"), form(title="Fence", holder=str(sqlite_town.ids["Mia"]), revision="1")
    )

    assert answer.status_code == 422
    assert "f-holder-error" in answer.text


def test_a_refresh_saves_nothing_and_keeps_what_is_typed(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    rita = sqlite_town.as_("Rita")

    for path in (page_of(record, "/form"), f"{MATTERS}/form"):
        answer = rita.post(path, form(title="", note="half a sen", _action="refresh"), htmx=True)
        assert answer.status_code == 200
        assert "half a sen" in answer.text
        assert "data-form-body" in answer.text
    assert stored(sqlite_town, record).revision == 1


def test_an_empty_choice_that_is_required_prompts_and_is_no_answer(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")
    assert '<option value="">None</option>' in rita.get(NEW).text
    fields = factories.CASE["fields"]
    uow = sqlite_town.work()
    factories.publish(uow, [{**factories.CASE, "fields": {**fields, "required": ["title", "heat"]}}])
    uow.commit()
    uow.session.close()

    page = rita.get(NEW).text
    assert '<option value="">Choose …</option>' in page
    assert ">None</option>" not in page
    refused = rita.post(NEW, form(title="Fence", heat="", pipeline="flow"))
    assert refused.status_code == 422
    assert 'href="#f-heat"' in refused.text
