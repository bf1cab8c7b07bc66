"""Packs: read, checked as a whole, exported byte for byte; the shipped ones are sound and bilingual."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import NotFound
from builder.metadata import packs
from builder.metadata.catalog import Catalog, PlainRow
from builder.metadata.compiler import compiled
from builder.metadata.documents import checksum
from builder.metadata.grammar import DefinitionProblem
from tests.builder.metadata import samples

REPAIR_SHOP = Path(__file__).parents[2] / "packs" / "repair_shop"
FOLDERS = [*(packs.locate(key) for key in packs.shipped()), REPAIR_SHOP]


def _errors(pack: dict[str, Any]) -> list[DefinitionProblem]:
    return [problem for problem in packs.check(pack) if problem.is_error]


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_the_b2b_pack_is_shipped() -> None:
    assert "b2b" in packs.shipped()


def test_a_pack_has_nothing_wrong_and_nothing_worth_a_second_look(folder: Path) -> None:
    assert packs.check(packs.load(folder)) == []


def test_an_export_equals_the_files_byte_for_byte(folder: Path) -> None:
    pack = packs.load(folder)
    installed = json.loads(json.dumps(packs.documents(pack)))
    exported = packs.files(packs.assemble(packs.head(pack), reversed(installed)))
    on_disk = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.json")
    }
    on_disk.pop("demo.json", None)  # the plan of a demo company is no part of the template
    assert exported == on_disk


def test_the_combined_file_reads_back_as_the_same_pack(folder: Path, tmp_path: Path) -> None:
    pack = packs.load(folder)
    (tmp_path / "one.json").write_text(packs.combined(pack), "utf-8")
    assert packs.load(tmp_path / "one.json") == pack


def test_a_written_pack_reads_back_as_the_same_pack(folder: Path, tmp_path: Path) -> None:
    pack = packs.load(folder)
    packs.write(pack, tmp_path)
    assert packs.load(tmp_path) == pack


def test_everything_in_a_pack_compiles_to_one_catalog(folder: Path) -> None:
    pack = packs.load(folder)
    rows = [
        PlainRow(document["kind"], document["key"], number, 1, checksum(document), document, {})
        for number, document in enumerate(packs.documents(pack), 1)
    ]
    catalog = Catalog.build(1, 1, rows)
    assert len(catalog.objects) == len(pack["objects"])
    assert len(catalog.pipelines) == len(pack["pipelines"])
    assert len(catalog.views) == len(pack["views"])


def test_what_is_referred_to_is_installed_first(folder: Path) -> None:
    pack = packs.load(folder)
    order = [(document["kind"], document["key"]) for document in packs.documents(pack)]
    kinds = list(dict.fromkeys(kind for kind, _ in order))
    known = ["role", "object", "feedback", "pipeline", "view", "funnel"]
    assert kinds == [kind for kind in known if kind in kinds]


def test_an_object_follows_the_objects_that_it_refers_to() -> None:
    first = samples.changed(
        samples.OBJECT, "fields", "properties", "box", to=samples.field("reference", "Box", x_target="zebra")
    )
    second = {**samples.OBJECT, "key": "zebra"}
    pack = packs.normalised({**samples.PACK, "objects": [first, second]})
    keys = [document["key"] for document in packs.documents(pack) if document["kind"] == "object"]
    assert keys == ["zebra", "ticket"]


def _texts(value: Any) -> list[dict[str, str]]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if not isinstance(value, dict):
        return []
    if "en" in value and set(value) <= {"en", "zh_Hans"}:
        return [value]
    return [text for item in value.values() for text in _texts(item)]


# Texts that are written alike in both languages.
ALIKE = frozenset({"%"})


def test_every_text_is_in_both_languages_and_the_chinese_is_chinese(folder: Path) -> None:
    for text in _texts(packs.load(folder)):
        assert set(text) == {"en", "zh_Hans"}, text
        assert re.search(r"[\u4e00-\u9fff]", text["zh_Hans"]) or text["en"] in ALIKE, text
        assert not re.search(r"[\u4e00-\u9fff]", text["en"]), text


def test_the_b2b_pack_has_what_s19_asks_for() -> None:
    pack = packs.load(packs.locate("b2b"))
    assert {document["key"] for document in pack["objects"]} >= {
        "account", "contact", "lead", "opportunity", "product", "order", "activity", "campaign",
    }  # fmt: skip
    (funnel,) = pack["funnels"]
    labels = [step["label"]["zh_Hans"] for step in funnel["steps"]]
    assert labels == ["线索获取", "意向筛选", "商机培育", "成交转化", "复购推荐"]
    assert len({step["pipeline"] for step in funnel["steps"]}) == 3


def test_every_stage_of_the_b2b_pack_is_explained_and_every_closing_has_reasons() -> None:
    for document in packs.load(packs.locate("b2b"))["pipelines"]:
        pipeline = compiled(document)
        assert isinstance(pipeline, Pipeline)
        for stage in pipeline.stages:
            assert stage.definition, stage.key
            assert stage.color, stage.key
        for stage in pipeline.open_stages:
            assert stage.goal, stage.key
            assert stage.key_actions, stage.key
            assert stage.indicators, stage.key
            assert stage.marker, stage.key
        assert all(pipeline.reasons[kind] for kind in ("won", "lost", "invalid"))
        assert len({stage.color for stage in pipeline.stages}) == len(pipeline.stages)


def test_the_b2b_pack_asks_for_contact_and_customer_address_before_the_next_stage() -> None:
    """S35: required feedback before the next stage."""
    pack = packs.load(packs.locate("b2b"))
    required = {key for form in pack["feedback"] for key in form["fields"].get("required", ())}
    assert {"contact", "customer_address"} <= required


def test_the_loss_reasons_of_the_b2b_pack_include_those_of_s41() -> None:
    pipelines = {document["key"]: document for document in packs.load(packs.locate("b2b"))["pipelines"]}
    reasons = {reason["key"] for reason in pipelines["opportunity_process"]["reasons"]["lost"]}
    assert {"timing", "price", "rival", "no_decision"} <= reasons


def test_the_lead_of_the_b2b_pack_carries_its_need_into_the_opportunity() -> None:
    lead = next(item for item in packs.load(packs.locate("b2b"))["objects"] if item["key"] == "lead")
    found = compiled(lead)
    assert isinstance(found, ObjectDefinition)
    assert found.conversion is not None
    assert found.conversion.main == "opportunity"
    assert [target for target, _ in found.conversion.targets] == ["account", "contact", "opportunity"]


def test_the_two_packs_share_no_key_of_a_stage_or_an_object() -> None:
    keys = [
        {stage["key"] for pipeline in pack["pipelines"] for stage in pipeline["stages"]}
        | {document["key"] for document in pack["objects"]}
        for pack in (packs.load(packs.locate("b2b")), packs.load(REPAIR_SHOP))
    ]
    assert not keys[0] & keys[1]


# ------------------------------------------------------------------ broken packs


def test_a_pack_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        packs.locate(str(tmp_path / "nothing"))
    with pytest.raises(NotFound):
        packs.load(tmp_path)


def test_each_unreadable_file_is_named_at_once(tmp_path: Path) -> None:
    shutil.copytree(REPAIR_SHOP, tmp_path / "shop")
    shop = tmp_path / "shop"
    (shop / "objects" / "vehicle.json").write_text("{", "utf-8")
    (shop / "roles" / "boss.json").write_bytes(b"\xff\xff")
    (shop / "views" / "extra.json").write_text(
        (shop / "views" / "shop_floor.json").read_text("utf-8"), "utf-8"
    )
    (shop / "readme.json").write_text("{}", "utf-8")
    with pytest.raises(packs.BrokenPack) as caught:
        packs.load(shop)
    files = {problem.file for problem in caught.value.problems if isinstance(problem, DefinitionProblem)}
    assert files == {"objects/vehicle.json", "roles/boss.json", "views/extra.json", "readme.json"}
    assert str(caught.value)


def test_all_problems_are_told_with_file_and_pointer() -> None:
    pack = samples.changed(samples.PACK, "pipelines", 0, "stages", 0, "kind", to="opn")
    pack = samples.changed(pack, "objects", 0, "fields", "properties", "worth", "x-type", to="riches")
    assert {(problem.file, problem.place) for problem in _errors(pack)} == {
        ("pipelines/flow.json", "/stages/0/kind"),
        ("objects/ticket.json", "/fields/properties/worth/x-type"),
    }


def test_references_between_documents_are_checked() -> None:
    pack = samples.changed(samples.PACK, "feedback", to=[])
    found = {(problem.file, problem.rule) for problem in _errors(pack)}
    assert ("pipelines/flow.json", "unknown_feedback") in found


def test_definitions_of_the_workspace_count_as_present() -> None:
    pack = samples.changed(samples.PACK, "roles", to=[])
    assert _errors(pack)
    assert not [problem for problem in packs.check(pack, [samples.ROLE, samples.READER]) if problem.is_error]


def test_a_missing_translation_is_an_error_and_a_copied_one_a_warning() -> None:
    pack = samples.changed(samples.PACK, "roles", 0, "label", to={"en": "Agent"})
    assert [(problem.file, problem.place) for problem in _errors(pack)] == [("roles/agent.json", "/label")]
    pack = samples.changed(samples.PACK, "roles", 0, "label", to={"en": "Agent", "zh_Hans": "Agent"})
    assert [(problem.severity, problem.place) for problem in packs.check(pack)] == [("warn", "/label")]


def test_two_documents_with_one_key_are_refused() -> None:
    pack = {**samples.PACK, "roles": [samples.ROLE, samples.ROLE, samples.READER]}
    assert [(problem.file, problem.message) for problem in _errors(pack)] == [
        ("roles/agent.json", packs.TWICE)
    ]


@pytest.mark.parametrize(
    "pack",
    [
        {},
        {"grammar": 1},
        {**samples.PACK, "objects": 7},
        {**samples.PACK, "objects": [1, None, {"key": []}]},
        {**samples.PACK, "version": "latest"},
        {**samples.PACK, "grammar": 2},
        {**samples.PACK, "surprise": []},
        [],
    ],
)
def test_a_crooked_pack_is_refused_and_not_crashed_on(pack: Any) -> None:
    assert _errors(pack)
    if isinstance(pack, dict):
        with pytest.raises(packs.BrokenPack):
            packs.refuse_broken(pack)


def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    pack = {**samples.PACK, "roles": [{**samples.ROLE, "key": "../../../escaped"}]}
    with pytest.raises(packs.BrokenPack):
        packs.write(pack, tmp_path / "inner")
    assert not list(tmp_path.glob("escaped*"))


def test_a_pack_is_not_written_over_another_one(tmp_path: Path) -> None:
    packs.write(samples.PACK, tmp_path)
    with pytest.raises(FileExistsError):
        packs.write({**samples.PACK, "key": "other"}, tmp_path)
