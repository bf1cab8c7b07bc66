"""Converting a record over HTTP (S26)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import from_public
from builder.db.records import Record
from builder.services import deletion
from tests import factories
from tests.blueprints.workspace.desk import NOBODY, change, make, matter, page_of, sent_by, stored
from tests.fixtures.town import Town

ENQUIRY: dict[str, Any] = {
    "grammar": 1,
    "kind": "object",
    "key": "enquiry",
    "label": {"en": "Enquiry"},
    "label_plural": {"en": "Enquiries"},
    "conversion": {
        "main": "matter",
        "pipeline": "free",
        "targets": [
            {"object": "client", "map": {"title": "firm"}},
            {
                "object": "matter",
                "map": {"title": "wish", "holder": "holder", "client": "@client", "worth": "worth"},
            },
        ],
    },
    "fields": {
        "type": "object",
        "required": ["wish"],
        "properties": {
            "wish": factories.text_field("Wish", **{"x-role": "name", "x-filterable": True}),
            "firm": factories.text_field("Firm"),
            "worth": {"x-type": "money", "x-label": {"en": "Worth"}},
            "holder": {
                "x-type": "user",
                "x-label": {"en": "Holder"},
                "x-role": "owner",
                "x-filterable": True,
            },
        },
    },
}
COURT: dict[str, Any] = {
    **factories.FREE,
    "key": "court",
    "object": "enquiry",
    "stages": [factories.stage("new", 10), *factories.FREE["stages"][3:]],
}


@pytest.fixture
def prepared(sqlite_town: Town) -> Town:
    return prepare(sqlite_town)


def prepare(town: Town) -> Town:
    uow = town.work()
    factories.publish(uow, [ENQUIRY, COURT])
    uow.commit()
    uow.session.close()
    return town


def enquiry(town: Town, owner: str = "Rita") -> int:
    values = {"wish": "A fence", "firm": "华为 Farms", "worth": "99.50"}
    return make(town, "enquiry", values, "court", owner=owner)


def test_converting_makes_everything_and_opens_the_main_record(town: Town) -> None:
    prepare(town)
    record, rita = enquiry(town), town.as_("Rita")
    page = rita.get(page_of(record, "/convert")).text
    assert 'value="华为 Farms"' in page
    assert 'value="A fence"' in page

    answer = rita.post(
        page_of(record, "/convert"), dict([*sent_by(page, "convert-form"), ("c-matter-title", "Fence 2")])
    )

    assert answer.status_code == 303, answer.text
    made = stored(town, from_public(answer.headers["Location"].rsplit("/", 1)[1]))
    assert (made.name, made.stage_key, made.data["worth"]) == ("Fence 2", "a", "99.50")
    assert stored(town, int(made.data["client"])).name == "华为 Farms"
    assert stored(town, record).outcome == "won"
    told = rita.get(page_of(record)).text
    assert "converted it into" in told
    assert "Matter Fence 2" in told
    assert "from A fence" in rita.get(answer.headers["Location"]).text


def test_an_existing_record_is_used_instead(prepared: Town) -> None:
    record, client = enquiry(prepared), make(prepared, "client", {"title": "Known Farms"})
    ada = prepared.as_("Ada")
    sent = [
        pair
        for pair in sent_by(ada.get(page_of(record, "/convert")).text, "convert-form")
        if "existing" not in pair[0]
    ]

    refused = ada.client.post(
        page_of(record, "/convert"),
        data={**dict(sent), "c-client-existing": ["", "", "Nobody Known"]},
        headers={"X-CSRFToken": ada.token},
    )
    assert refused.status_code == 422
    answer = ada.client.post(
        page_of(record, "/convert"),
        data={**dict(sent), "c-client-existing": [str(client), "Known Farms", "Known Farms"]},
        headers={"X-CSRFToken": ada.token},
    )

    assert answer.status_code == 303, answer.text
    made = stored(prepared, from_public(answer.headers["Location"].rsplit("/", 1)[1]))
    assert made.data["client"] == str(client)


@pytest.mark.parametrize("existing", ["77", "nonsense", "9223372036854775808", "matter"])
def test_an_existing_record_that_is_none_is_422(prepared: Town, existing: str) -> None:
    record, other = enquiry(prepared), matter(prepared)
    text = str(other) if existing == "matter" else existing
    rita = prepared.as_("Rita")

    answer = rita.post(
        page_of(record, "/convert"), {"revision": "1", "c-matter-title": "Fence", "c-client-existing": text}
    )

    assert answer.status_code == 422
    assert stored(prepared, record).outcome == "open"


@pytest.mark.parametrize("htmx", [False, True])
def test_invalid_is_422_named_and_keeps_what_was_typed(prepared: Town, htmx: bool) -> None:
    record = enquiry(prepared)

    answer = prepared.as_("Rita").post(
        page_of(record, "/convert"),
        {"revision": "1", "c-client-title": "", "c-matter-title": "Typed", "c-matter-worth": "much"},
        htmx=htmx,
    )

    assert answer.status_code == 422
    assert "c-client-title-error" in answer.text
    assert "c-matter-worth-error" in answer.text
    assert 'value="Typed"' in answer.text
    assert ("<html" in answer.text) is not htmx
    assert stored(prepared, record).outcome == "open"


def test_stale_is_409_and_a_second_time_too(prepared: Town) -> None:
    record, rita = enquiry(prepared), prepared.as_("Rita")
    sent = dict(sent_by(rita.get(page_of(record, "/convert")).text, "convert-form"))
    change(prepared, record, "Mia", firm="Other")

    assert rita.post(page_of(record, "/convert"), sent).status_code == 409
    fresh = dict(sent_by(rita.get(page_of(record, "/convert")).text, "convert-form"))
    assert rita.post(page_of(record, "/convert"), fresh).status_code == 303
    now = str(stored(prepared, record).revision)
    assert rita.post(page_of(record, "/convert"), {**fresh, "revision": now}).status_code == 409


def test_not_yours_and_nothing_are_404_and_without_the_right_403(prepared: Town) -> None:
    mine, of_mia, plain = enquiry(prepared), enquiry(prepared, "Mia"), matter(prepared)
    rita = prepared.as_("Rita")

    assert rita.get(page_of(of_mia, "/convert")).status_code == 404
    assert rita.post(page_of(of_mia, "/convert")).status_code == 404
    assert rita.post(f"/w/acme/r/{NOBODY}/convert").status_code == 404
    assert rita.get(page_of(plain, "/convert")).status_code == 422
    prepared.take_right("rep", "record.create")
    assert rita.get(page_of(mine, "/convert")).status_code == 403
    assert rita.post(page_of(mine, "/convert")).status_code == 403
    assert rita.client.put(page_of(mine, "/convert"), headers={"X-CSRFToken": rita.token}).status_code == 405


COLD = {
    "enter": {
        "conditions": [
            {
                "when": {"field": "heat", "op": "eq", "value": "hot"},
                "message": {"en": "It is not hot."},
                "severity": "warn",
            }
        ]
    }
}


def with_warnings(town: Town, **court: Any) -> None:
    """The first stage of the process for matters warns of cold ones."""
    free = {**factories.FREE, "stages": [factories.stage("a", 10, gate=COLD), *factories.FREE["stages"][1:]]}
    uow = town.work()
    factories.publish(uow, [free, {**COURT, **court}])
    uow.commit()
    uow.session.close()


@pytest.mark.parametrize("htmx", [False, True])
def test_a_warning_is_read_and_confirmed(prepared: Town, htmx: bool) -> None:
    with_warnings(prepared)
    record, rita = enquiry(prepared), prepared.as_("Rita")
    page = rita.get(page_of(record, "/convert")).text
    assert 'name="confirmed"' not in page

    warned = rita.post(page_of(record, "/convert"), dict(sent_by(page, "convert-form")), htmx=htmx)

    assert warned.status_code == 422
    assert "It is not hot." in warned.text
    assert 'name="confirmed"' in warned.text
    assert stored(prepared, record).outcome == "open"
    sent = {**dict(sent_by(warned.text, "convert-form")), "confirmed": "1"}
    assert rita.post(page_of(record, "/convert"), sent, htmx=htmx).status_code == (204 if htmx else 303)
    assert stored(prepared, record).outcome == "won"


def test_where_several_stages_close_it_one_is_chosen(prepared: Town) -> None:
    stages = [*COURT["stages"][:2], factories.stage("gift", 100, "won"), *COURT["stages"][2:]]
    uow = prepared.work()
    factories.publish(uow, [{**COURT, "stages": stages}])
    uow.commit()
    uow.session.close()
    record, rita = enquiry(prepared), prepared.as_("Rita")
    sent = dict(sent_by(rita.get(page_of(record, "/convert")).text, "convert-form"))
    assert sent["to_stage"] == ""

    refused = rita.post(page_of(record, "/convert"), sent)
    assert refused.status_code == 422
    assert 'href="#to_stage"' in refused.text
    assert rita.post(page_of(record, "/convert"), {**sent, "to_stage": "gift"}).status_code == 303
    assert stored(prepared, record).stage_key == "gift"


def test_a_record_in_no_process_is_converted_once(prepared: Town) -> None:
    record = make(prepared, "enquiry", {"wish": "A fence", "firm": "Farms"}, owner="Rita")
    rita = prepared.as_("Rita")
    sent = dict(sent_by(rita.get(page_of(record, "/convert")).text, "convert-form"))

    assert rita.post(page_of(record, "/convert"), sent).status_code == 303
    again = rita.post(page_of(record, "/convert"), sent)
    assert again.status_code == 409
    assert "was converted already" in again.text
    page = rita.get(page_of(record, "/convert")).text
    assert "It was converted already." in page
    assert ">Convert</button>" not in page
    uow = prepared.work()
    made = uow.session.scalars(select(Record).where(Record.object_key == "matter")).one()
    deletion.delete(uow, made.id)
    uow.commit()
    uow.session.close()
    page = rita.get(page_of(record, "/convert")).text
    assert "lies in the recycle bin" in page
    sent = dict(sent_by(page, "convert-form"))
    assert rita.post(page_of(record, "/convert"), sent).status_code == 303


def test_a_new_record_whose_process_warns_is_confirmed(prepared: Town) -> None:
    with_warnings(prepared)
    rita, address = prepared.as_("Rita"), "/w/acme/o/matter/new"
    typed = {"f-title": "Cold", "pipeline": "free"}

    warned = rita.post(address, typed)

    assert warned.status_code == 422
    assert "It is not hot." in warned.text
    assert 'value="Cold"' in warned.text
    sent = dict(sent_by(warned.text, "record-form"))
    assert rita.post(address, sent).status_code == 422
    assert rita.post(address, {**sent, "confirmed": "1"}).status_code == 303


def test_starting_in_a_process_that_warns_is_confirmed(prepared: Town) -> None:
    with_warnings(prepared)
    record, rita = matter(prepared, flow=None), prepared.as_("Rita")

    warned = rita.post(page_of(record, "/start"), {"pipeline": "free", "revision": "1"})

    assert warned.status_code == 422
    assert "It is not hot." in warned.text
    assert stored(prepared, record).pipeline_key is None
    sent = dict(sent_by(warned.text, "start-form"))
    assert sent["revision"] == "1"
    assert rita.post(page_of(record, "/start"), {**sent, "confirmed": "1"}).status_code == 303
    assert stored(prepared, record).stage_key == "a"


def test_a_win_says_what_began_by_itself(prepared: Town) -> None:
    uow = prepared.work()
    plan = {**ENQUIRY["conversion"], "automatic": True}
    factories.publish(uow, [{**ENQUIRY, "conversion": plan}])
    uow.commit()
    uow.session.close()
    for record, board in ((enquiry(prepared), "court"), (enquiry(prepared), "")):
        address = page_of(record, f"/move/won?board={board}")
        rita = prepared.as_("Rita")
        page = rita.get(address, htmx=True).text
        answer = rita.post(address, dict(sent_by(page, "move-form")), htmx=bool(board))
        assert answer.status_code in (200, 303), answer.text
        told = answer.text if board else rita.get(answer.headers["Location"]).text
        assert "Begun by itself: Client, Matter." in told


def test_a_win_whose_sequel_cannot_begin_says_so_in_the_dialog(prepared: Town) -> None:
    uow = prepared.work()
    factories.publish(uow, [{**ENQUIRY, "conversion": {**ENQUIRY["conversion"], "automatic": True}}])
    uow.commit()
    uow.session.close()
    record = make(prepared, "enquiry", {"wish": "A fence"}, "court", owner="Rita")
    rita = prepared.as_("Rita")
    page = rita.get(page_of(record, "/move/won"), htmx=True).text
    for is_dialog in (True, False):
        answer = rita.post(page_of(record, "/move/won"), dict(sent_by(page, "move-form")), htmx=is_dialog)
        assert answer.status_code == 422
        assert "cannot be won yet: what follows it, “Matter”, cannot begin." in answer.text
        assert 'id="move-form"' in answer.text
    assert stored(prepared, record).stage_key == "new"
