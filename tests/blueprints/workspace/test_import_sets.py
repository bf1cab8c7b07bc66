"""Several files at once over HTTP: from the upload to the result, and what is refused."""

from __future__ import annotations

import io
import re

from tests import factories
from tests.blueprints.workspace.test_imports import form_of, records
from tests.fixtures.town import Town, Visitor

FILES = {
    "matters.csv": "ref,title,worth,client\nM1,First,100,K2\nM2,Second,200,K1\n",
    "clients.csv": "id,name\nK1,Acme\nK2,Beta\n",
}


def upload(visitor: Visitor, files: dict[str, str]) -> str:
    """The address of the page of all files."""
    data = {"object": "matter", "file": [(io.BytesIO(text.encode()), name) for name, text in files.items()]}
    answer = visitor.client.post(
        "/w/acme/imports/", data=data, headers={"X-CSRFToken": visitor.token},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    assert answer.location.endswith("/together")
    return str(answer.location)


def mapped(visitor: Visitor, place: str) -> None:
    """A person says by which columns rows are known again."""
    page = visitor.get(place).text
    for address in re.findall(r'href="(/w/acme/imports/[^"/]+/mapping)"', page):
        columns = visitor.get(address).text
        key = "ref" if 'value="ref"' in columns else "id"
        data = form_of(columns)
        answer = visitor.post(address, data | {"key_column": key})
        assert (answer.status_code, answer.location) == (303, place)


def test_linked_files_are_brought_in_one_run(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILES)
    mapped(ada, place)
    page = ada.get(place).text
    assert page.index("clients.csv") < page.index("matters.csv")
    answer = ada.post(f"{place}/start")
    assert (answer.status_code, answer.location) == (303, place)
    clients = {row.external_key: str(row.id) for row in records(importing, "client")}
    assert [(row.external_key, row.data["client"]) for row in records(importing)] == [
        ("M1", clients["K2"]), ("M2", clients["K1"]),
    ]  # fmt: skip
    shown = ada.get(place, htmx=True).text
    assert shown.index("clients.csv") < shown.index("matters.csv")
    assert shown.lstrip().startswith("<section")
    assert "hx-trigger" not in shown
    assert ada.post(f"{place}/start").status_code == 409


def test_what_the_rows_become_is_said_for_each_file(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILES)
    data = form_of(ada.get(place).text)
    names = sorted(name for name in data if name.startswith("object-"))
    assert sorted(data[name] for name in names) == ["client", "matter"]
    answer = ada.post(place, data | dict.fromkeys(names, "client"))
    assert (answer.status_code, answer.location) == (303, place)
    assert {form_of(ada.get(place).text)[name] for name in names} == {"client"}
    assert ada.post(place, data | dict.fromkeys(names, "nothing")).status_code == 404
    assert ada.post(place, data, htmx=True).headers["HX-Redirect"] == place


def test_a_file_may_be_left_out_and_taken_in_again(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, {**FILES, "users.csv": "USER_ID,Email\n7,ann@example.com\n"})
    page = ada.get(place).text
    assert page.count("It is not imported with the others.") == 1
    data = form_of(page)
    (users,) = (name for name in data if data[name] == "-")
    everything = dict.fromkeys((name for name in data if name.startswith("object-")), "-")
    assert ada.post(place, data | everything).status_code == 303
    page = ada.get(place).text
    assert page.count("It is not imported with the others.") == 3
    assert f'href="{place}/check"' not in page
    assert ada.get(f"{place}/check").location == place
    assert ada.post(f"{place}/start").status_code == 409
    assert ada.post(place, data).status_code == 303
    page = ada.get(place).text
    assert form_of(page)[users] == "-"
    assert f'href="{place}/check"' in page


def test_nothing_starts_while_something_must_be_decided(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, {**FILES, "more.csv": "title,due\nA,01/02/2025\n"})
    page = ada.get(place).text
    assert "cannot be told apart" in page
    answer = ada.post(f"{place}/start")
    assert answer.status_code == 422
    assert "cannot be told apart" in answer.text
    assert records(importing) == []


def test_a_file_that_cannot_be_read_is_named_and_none_is_kept(importing: Town) -> None:
    ada = importing.as_("Ada")
    data = {
        "object": "matter",
        "file": [(io.BytesIO(b"a\n1\n"), "good.csv"), (io.BytesIO(b"%PDF-1.7"), "bad.csv")],
    }
    answer = ada.client.post(
        "/w/acme/imports/", data=data, headers={"X-CSRFToken": ada.token}, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert "bad.csv: " in answer.text
    assert "good.csv" not in ada.get("/w/acme/imports/").text
    folder = importing.app.extensions["funnelwright.settings"].data_folder / "files"
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_a_set_is_for_whoever_brought_it(importing: Town) -> None:
    uow = importing.work()
    factories.publish(uow, [factories.role("manager", (*factories.REP_RIGHTS, "import"), "subtree")])
    uow.commit()
    uow.session.close()
    ada, mia, rita, otto = (importing.as_(name) for name in ("Ada", "Mia", "Rita", "Otto"))
    place = upload(ada, FILES)
    for path in (place, f"{place}/start"):
        assert mia.post(path).status_code == 404
        assert rita.post(path).status_code == 403
        assert otto.post(path).status_code == 404
    assert mia.get(place).status_code == 404
    assert ada.get(f"{place}/start").status_code in (404, 405)
    assert ada.get(re.sub(r"/[^/]+/together", "/AAAAAAAAAAA/together", place)).status_code == 404


def test_what_all_files_would_bring_is_shown_before_they_start(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILES | {"matters.csv": FILES["matters.csv"] + "M3,Third,300,K9\n"})
    mapped(ada, place)
    assert f'href="{place}/check"' in ada.get(place).text
    page = ada.get(f"{place}/check").text
    rows = re.findall(r"<tr>\s*<td>\s*<span[^>]*>\d\. (.*?)</tr>", page, re.DOTALL)
    counts = [re.findall(r'"text-end"[^>]*>\s*(?:<a[^>]*>)?(\d+)', row) for row in rows]
    assert counts == [["2", "2", "0", "0", "0"], ["3", "2", "0", "0", "1"]]
    assert "Nothing is called “K9”." in page
    assert "Import all files" in page
    assert records(importing) == []
    assert ada.post(f"{place}/check").status_code == 405
    assert importing.as_("Otto").get(f"{place}/check").status_code == 404
    ada.post(f"{place}/start")
    assert ada.get(f"{place}/check").location == place


def test_the_check_of_all_files_says_what_must_be_decided(importing: Town) -> None:
    ada = importing.as_("Ada")
    page = ada.get(upload(ada, {**FILES, "more.csv": "title,due\nA,01/02/2025\n"}) + "/check").text
    assert "cannot be told apart" in page
    assert "Import all files" not in page
