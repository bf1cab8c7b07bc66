"""Templates over HTTP: gallery, preview, install and upgrade, library, export, taking away (S18, B9)."""

from __future__ import annotations

import copy
import io
import json
import re
from typing import Any

from builder.metadata import packs
from builder.queries.packs import installed_packs
from builder.services import packs as services
from builder.services.records import NewRecord, create
from tests import factories
from tests.fixtures.town import Town, Visitor

TEMPLATES = "/w/acme/studio/templates"
CHANGES = "/w/acme/studio/changes"
HEAD = {
    "grammar": 1,
    "kind": "pack",
    "key": "law",
    "label": {"en": "Law firms"},
    "version": "1.0.0",
    "locales": ["en"],
}
CASES: dict[str, Any] = {**copy.deepcopy(factories.CASE), "key": "mandate", "label": {"en": "Mandate"}}
PACK = packs.assemble(HEAD, [*factories.DOCUMENTS, CASES])


def later(version: str, **client: Any) -> dict[str, Any]:
    changed = [
        {**factories.ACCOUNT, **client},
        *(each for each in PACK["objects"] if each["key"] != "client"),
    ]
    return packs.normalised({**PACK, "version": version, "objects": changed})


def upload(visitor: Visitor, source: dict[str, Any] | bytes) -> Any:
    content = source if isinstance(source, bytes) else json.dumps(source).encode()
    data = {"file": (io.BytesIO(content), "template.json")}
    headers = {"X-CSRFToken": visitor.token}
    return visitor.client.post(TEMPLATES, data=data, headers=headers, content_type="multipart/form-data")


def ref_of(visitor: Visitor, version: str) -> str:
    """The address part of the pack of that version in the library."""
    cards = visitor.get(TEMPLATES).text.split('class="card pack-card"')
    card = next(each for each in cards if f"version {version}" in each and "library-" in each)
    return re.search(r"templates/(library-[^/\"?]+)", card).group(1)  # type: ignore[union-attr]


def seen(page: str) -> str:
    return re.search(r'name="seen" value="([^"]+)"', page).group(1)  # type: ignore[union-attr]


def installed(town: Town, pack: dict[str, Any] = PACK) -> None:
    uow = town.work()
    services.install(uow, pack)
    uow.commit()
    uow.session.close()


def versions(town: Town) -> list[str]:
    uow = town.work()
    found = [each.version for each in installed_packs(uow.session)]
    uow.session.close()
    return found


def test_a_template_is_brought_looked_at_and_installed_through_the_changes(town: Town) -> None:
    ada = town.as_("Ada")
    answer = upload(ada, PACK)
    assert (answer.status_code, answer.headers["Location"]) == (303, TEMPLATES)
    ref = ref_of(ada, "1.0.0")
    assert "Law firms" in ada.get(TEMPLATES, htmx=True).text
    page = ada.get(f"{TEMPLATES}/{ref}?form=object/mandate").text
    assert 'name="preview-' in page
    address = f"{TEMPLATES}/{ref}/install"
    plan = ada.get(address).text
    assert "Is added" in plan
    assert "There already" in plan
    answer = ada.post(address, {"seen": seen(plan)})
    assert (answer.status_code, answer.headers["Location"]) == (303, CHANGES)
    page = ada.get(CHANGES).text
    assert "Mandate" in page
    assert "Law firms" in page
    assert ada.post(CHANGES, {"seen": seen(page)}).status_code == 303
    assert versions(town) == ["1.0.0"]
    answer = ada.get(f"{TEMPLATES}/{ref}/file")
    assert answer.data.decode() == packs.combined(PACK)


def test_parts_are_ticked_and_what_they_need_comes_along(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    upload(ada, PACK)
    address = f"{TEMPLATES}/{ref_of(ada, '1.0.0')}/install"
    ticked = {"chosen": "1", "part": ["object/mandate"]}
    page = ada.post(address, {**ticked, "refresh": "1"}, htmx=True).text
    assert "comes along" in page
    assert ada.post(address, {**ticked, "seen": seen(page)}, htmx=True).headers["HX-Redirect"] == CHANGES
    assert "2 changes" in ada.get(CHANGES).text.replace("Publish ", "")  # the object, and where it came from


def test_where_nothing_is_at_stake_it_is_published_at_once(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    upload(ada, PACK)
    address = f"{TEMPLATES}/{ref_of(ada, '1.0.0')}/install"
    page = ada.get(address).text
    assert 'name="at_once"' in page
    assert ada.post(address, {"seen": seen(page), "at_once": "1"}).status_code == 303
    assert versions(sqlite_town) == ["1.0.0"]


def test_collisions_ask_keep_what_was_typed_and_are_never_settled_by_themselves(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    upload(ada, later("2.0.0", icon="star", label={"en": "Patron"}))
    address = f"{TEMPLATES}/{ref_of(ada, '2.0.0')}/install"
    page = ada.get(address).text
    answer = ada.post(address, {"seen": seen(page), "choice:object/mandate": "theirs"})
    assert answer.status_code == 422
    assert "is in the workspace already and differs" in answer.text
    assert 'href="#part-object-client"' in answer.text
    answer = ada.post(address, {"seen": seen(page), "choice:object/client": "both"})
    assert answer.status_code == 303
    changes = ada.get(CHANGES).text
    assert "Patron" not in changes  # the workspace's own name stays, the icon that it lacked comes
    assert ada.post(address, {"seen": seen(page), "choice:object/client": "both"}).status_code == 409


def test_an_upgrade_names_each_contradiction_and_keeps_local_edits(sqlite_town: Town) -> None:
    town = sqlite_town
    installed(town)
    uow = town.work()
    factories.publish(uow, [{**factories.ACCOUNT, "icon": "flag"}])
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")
    upload(ada, later("1.1.0", icon="star", color="blue"))
    assert "Update for 1.0.0" in ada.get(TEMPLATES).text
    address = f"{TEMPLATES}/{ref_of(ada, '1.1.0')}/install"
    page = ada.get(address).text
    side = "side:object/client#/icon"
    assert side in page
    answer = ada.post(address, {"seen": seen(page)})
    assert (answer.status_code, "at the same place" in answer.text) == (422, True)
    assert ada.post(address, {"seen": seen(page), side: "ours"}).status_code == 303
    assert ada.post(CHANGES, {"seen": seen(ada.get(CHANGES).text)}).status_code == 303
    uow = town.work()
    client = uow.catalog.object("client")
    assert (client.icon, client.color) == ("flag", "blue")
    uow.session.close()
    assert versions(town) == ["1.1.0"]


def test_what_is_exported_is_what_was_installed_byte_for_byte(sqlite_town: Town) -> None:
    town = sqlite_town
    installed(town)
    ada = town.as_("Ada")
    page = ada.get(f"{TEMPLATES}/export").text
    everything = re.findall(r'name="part"\s+value="([^"]+)"', page)
    form = {"key": "law", "label_en": "Law firms", "version": "1.0.0", "part": everything}
    answer = ada.post(f"{TEMPLATES}/export", form)
    assert answer.data.decode() == packs.combined(PACK)
    assert 'filename="law-1.0.0.json"' in answer.headers["Content-Disposition"]
    part = ada.post(f"{TEMPLATES}/export", {**form, "part": ["object/matter"]}).json
    assert [each["key"] for each in part["objects"]] == ["client", "matter"]
    assert part["pipelines"] == []
    wrong = ada.post(f"{TEMPLATES}/export", {**form, "version": "one", "label_en": "Kept name"})
    assert (wrong.status_code, "Kept name" in wrong.text) == (422, True)
    assert ada.post(f"{TEMPLATES}/export", {**form, "part": []}).status_code == 422
    assert ada.post(f"{TEMPLATES}/export", {**form, "keep": "1"}).headers["Location"] == TEMPLATES
    ref = ref_of(ada, "1.0.0")
    assert ada.post(f"{TEMPLATES}/{ref}/remove").status_code == 303
    assert ada.post(f"{TEMPLATES}/{ref}/remove").status_code == 404


def test_what_is_in_use_stays_with_a_link_and_the_rest_goes_with_the_next_publish(sqlite_town: Town) -> None:
    town = sqlite_town
    uow = town.work()
    services.install(uow, PACK)
    create(uow, "client", NewRecord({"title": "One"}))
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")
    address = f"{TEMPLATES}/installed/law/uninstall"
    page = ada.get(address).text
    assert 'href="/w/acme/o/client"' in page
    assert "object/mandate" in page
    refused = ada.post(address, {"part": ["object/client"]})
    assert (refused.status_code, "is in use: 1" in refused.text) == (409, True)
    assert ada.post(address, {}).status_code == 422
    answer = ada.post(address, {"part": ["object/mandate"]})
    assert (answer.status_code, answer.headers["Location"]) == (303, CHANGES)
    assert "Goes" in ada.get(CHANGES).text


def test_broken_files_are_refused_with_the_place_and_nothing_is_kept(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    wrong = upload(ada, {**PACK, "objects": [{**factories.ACCOUNT, "label": 7}]})
    assert (wrong.status_code, "objects/client.json#/label" in wrong.text) == (422, True)
    assert upload(ada, b" " * 5_000_001).status_code == 413
    assert ada.post(TEMPLATES).status_code == 422
    assert upload(ada, PACK).status_code == 303
    again = upload(ada, {**PACK, "label": {"en": "Another"}})
    assert (again.status_code, "higher version" in again.text) == (409, True)
    assert ada.get(TEMPLATES).text.count('class="card pack-card"') == len(packs.shipped()) + 1


def test_scripts_in_names_stay_words(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    upload(ada, {**PACK, "label": {"en": "<script>alert(1)</script>"}})
    page = ada.get(TEMPLATES).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_who_may_not_edit_definitions_is_403_strangers_and_the_missing_404(sqlite_town: Town) -> None:
    ada, rita, otto = (sqlite_town.as_(name) for name in ("Ada", "Rita", "Otto"))
    upload(ada, PACK)
    ref = ref_of(ada, "1.0.0")
    gets = [f"{TEMPLATES}{each}" for each in ("", f"/{ref}", f"/{ref}/install", f"/{ref}/file", "/export")]
    posts = [TEMPLATES, f"{TEMPLATES}/{ref}/install", f"{TEMPLATES}/{ref}/remove", f"{TEMPLATES}/export"]
    uninstall = f"{TEMPLATES}/installed/law/uninstall"
    for path in [*gets, uninstall]:
        assert (rita.get(path).status_code, otto.get(path).status_code) == (403, 404), path
    for path in [*posts, uninstall]:
        form = {"seen": "x", "part": "object/client"}
        assert (rita.post(path, form).status_code, otto.post(path, form).status_code) == (403, 404), path
    # somebody else's library is not there
    assert otto.get(f"/w/other/studio/templates/{ref}").status_code == 404
    assert ref not in otto.get("/w/other/studio/templates").text
    for path in (
        f"{TEMPLATES}/nothing",
        f"{TEMPLATES}/library-zzz",
        f"{TEMPLATES}/nothing/install",
        uninstall,
    ):
        assert ada.get(path).status_code == 404
    assert ada.post(uninstall, {"part": "object/client"}).status_code == 404
    assert ada.get(f"{TEMPLATES}/{ref}?form=object/ghost").status_code == 404
    assert ada.get(f"{TEMPLATES}/{ref}/remove").status_code == 405
    assert ada.post(f"{TEMPLATES}/{ref}").status_code == 405
    assert ada.post(f"{TEMPLATES}/{ref}/install", {}).status_code == 400
