"""Objects over HTTP: a new one, its settings, and new feedback forms."""

from __future__ import annotations

from blueprints.languages import in_language
from blueprints.studio.icon_words import icon_words
from builder.icons import palette_icons
from tests.blueprints.studio.test_designer import STUDIO, mark, publish
from tests.fixtures.town import Town

NEW = f"{STUDIO}/objects/new"
SETTINGS = f"{STUDIO}/objects/matter/settings"


def test_a_new_object_is_a_draft_with_a_name_field_until_it_is_published(town: Town) -> None:
    ada, rita = town.as_("Ada"), town.as_("Rita")
    sent = {
        "label-en": "Machine", "label-zh_Hans": "设备", "plural-en": "Machines", "icon": "tool", "color": "teal",
        "number_format": "M-{number:4}", "owner": "1",
    }  # fmt: skip
    answer = ada.post(NEW, sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{STUDIO}/objects/machine/fields")
    assert "Machines" in ada.get(f"{STUDIO}/objects").text
    assert rita.get("/w/acme/o/machine").status_code == 404
    assert publish(ada).status_code == 303
    made = rita.post("/w/acme/o/machine/new", {"f-name": "Press"})
    assert made.status_code == 303, made.text
    assert "M-0001" in rita.get("/w/acme/o/machine").text


def test_two_objects_of_one_name_get_two_keys(town: Town) -> None:
    ada = town.as_("Ada")
    for key in ("machine", "machine_2"):
        answer = ada.post(NEW, {"label-en": "Machine"}, htmx=True)
        assert answer.headers["HX-Redirect"] == f"{STUDIO}/objects/{key}/fields"


def test_a_new_object_without_a_name_or_with_a_broken_number_is_refused(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(NEW, {"label-en": "", "plural-en": "Kept"})
    assert answer.status_code == 422
    assert 'id="label-en-error"' in answer.text
    assert 'value="Kept"' in answer.text
    wrong = ada.post(NEW, {"label-en": "Machine", "icon": "<b>"})
    assert wrong.status_code == 422
    assert town.as_("Rita").post(NEW, {"label-en": "X"}).status_code == 403


def test_settings_of_an_object_are_kept_in_its_draft(town: Town) -> None:
    ada = town.as_("Ada")
    sent = {
        "checksum": mark(ada, SETTINGS), "label-en": "Case", "plural-en": "Cases", "icon": "briefcase", "color": "red",
        "position": "3", "columns": ["worth", "title"], "sort": "worth", "descending": "1", "search": ["title"],
        "duplicate_keys": ["title"],
    }  # fmt: skip
    assert ada.post(SETTINGS, sent).status_code == 303
    page = ada.get(SETTINGS).text
    assert 'value="Cases"' in page
    assert publish(ada).status_code == 303
    shown = town.as_("Rita").get("/w/acme/o/matter").text
    assert "Cases" in shown


def test_colours_are_said_in_words_of_the_language(town: Town) -> None:
    page = town.as_("Ada").get(NEW, **{"Accept-Language": "zh-CN"}).text

    assert 'aria-label="橙"' in page
    assert 'aria-label="orange"' not in page


def test_settings_that_cannot_be_are_refused_and_kept(town: Town) -> None:
    ada = town.as_("Ada")
    sent = {"checksum": mark(ada, SETTINGS), "label-en": "", "plural-en": "Kept", "position": "9999"}
    answer = ada.post(SETTINGS, sent)
    assert answer.status_code == 422
    assert 'value="Kept"' in answer.text


def test_a_new_form_belongs_to_an_object(town: Town) -> None:
    ada = town.as_("Ada")
    new = f"{STUDIO}/forms/new"
    assert ada.get(new).status_code == 200
    assert ada.post(new, {"label-en": "Visit", "object": "none"}).status_code == 422
    assert ada.post(new, {"label-en": "", "object": "matter"}).status_code == 422
    answer = ada.post(new, {"label-en": "Visit", "object": "matter"})
    assert answer.headers["Location"] == f"{STUDIO}/forms/visit/fields"
    assert "Visit" in ada.get(f"{STUDIO}/forms").text
    assert publish(ada).status_code == 303


def test_every_icon_of_the_palette_has_a_name_in_both_languages(sqlite_town: Town) -> None:
    with sqlite_town.app.test_request_context():
        words = icon_words()
    assert set(words) == set(palette_icons())
    assert len(set(words.values())) == len(words)
    ada = sqlite_town.as_("Ada")
    assert 'title="Price tag"' in ada.get(NEW).text
    with sqlite_town.app.test_request_context(), in_language("zh_Hans"):
        chinese = icon_words()
    assert [icon for icon, word in chinese.items() if word.isascii()] == []
