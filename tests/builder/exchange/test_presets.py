"""Presets: sound documents, recognised by the headers of real files, and what they say of columns."""

from __future__ import annotations

import io
import json

import pytest
from jsonschema import Draft202012Validator

from builder.exchange.csv import Table, detect
from builder.exchange.presets import Preset, lists_people, presets, recognised
from builder.exchange.profile import TableProfile, profile
from builder.resources import resource_folder
from tests.builder.exchange.test_mapping import CASE, make_field, make_object
from tests.fixtures.imports import shared

FOLDER = resource_folder("schemas") / "exchange"
SHORT = FOLDER / "preset.schema.json"


def profiled(*headers: str, values: str = "") -> TableProfile:
    text = ";".join(headers) + "\n" + (values or ";".join("x" for _ in headers)) + "\n"
    stream = io.BytesIO(text.encode())
    return profile(Table(stream, detect(stream)))


@pytest.mark.parametrize("path", sorted((FOLDER / "presets").glob("*.json")), ids=lambda path: path.stem)
def test_a_preset_is_a_sound_document_and_named_like_its_file(path: object) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    schema = json.loads(SHORT.read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == []
    assert document["key"] == path.stem  # type: ignore[attr-defined]


def test_there_are_presets_for_four_products_and_two_languages() -> None:
    assert set(presets()) == {"hubspot", "pipedrive", "salesforce", "zoho", "excel_german", "excel_chinese"}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("imports/hubspot_deals.csv", "hubspot"),
        ("imports/pipedrive_deals_prefixed.csv", "pipedrive"),
        ("imports/excel_german_cp1252_semicolon.csv", "excel_german"),
        ("salesforce_devorg/Opportunity.csv", "salesforce"),
        ("salesforce_devorg/Account.csv", "salesforce"),
        ("salesforce_devorg/Contact.csv", "salesforce"),
        ("salesforce_devorg/Lead.csv", "salesforce"),
        ("zoho/Accounts.csv", "zoho"),
        ("zoho/Contacts.csv", "zoho"),
        ("zoho/Leads.csv", "zoho"),
        ("salesforce_devorg/OpportunityHistory.csv", "salesforce"),
        ("salesforce_devorg/OpportunityHistoryGroup.csv", None),
        ("zoho/Users.csv", None),
        ("maven/sales_pipeline.csv", None),
        ("maven/products.csv", None),
    ],
)
def test_a_real_file_is_recognised_by_its_headers(name: str, key: str | None) -> None:
    with shared(name).open("rb") as stream:
        found = recognised(profile(Table(stream, detect(stream)), 50))
    assert (found.key if found else None) == key


def test_a_list_of_visits_and_a_list_of_colleagues_are_told_by_their_headers() -> None:
    visits = profiled("Id", "OpportunityId", "StageName", "CreatedDate", "Amount")
    found = recognised(visits)
    assert found is not None
    assert found.is_log(visits)
    assert not found.is_log(profiled("Id", "Name", "StageName", "CloseDate", "CreatedDate"))
    assert lists_people(profiled("USER_ID", "First Name", "Last Name", "Email"))
    assert not lists_people(profiled("CONTACTID", "Last Name", "Email"))


def test_a_chinese_sheet_is_recognised_by_what_its_columns_are_usually_called() -> None:
    found = recognised(profiled("商机名称", "客户名称", "销售阶段", "金额", "负责人", "自定义"))
    assert found is not None
    assert found.key == "excel_chinese"
    assert recognised(profiled("title", "worth", "due")) is None


def preset(key: str) -> Preset:
    return presets()[key]


def test_columns_fill_fields_by_role_and_by_what_fields_are_called() -> None:
    columns = profiled("商机名称", "客户名称", "金额", "负责人", values="a;b;1200;c")
    assert preset("excel_chinese").fields(columns, CASE) == {
        "商机名称": "title", "客户名称": "client", "金额": "worth", "负责人": "keeper",
    }  # fmt: skip
    person = make_object(
        make_field("who", label="Contact person", role="name"), make_field("call", "phone", "Phone")
    )
    columns = profiled("Company name", "Phone Number", values="Acme;+49 30 1234567")
    assert preset("hubspot").fields(columns, person) == {"Company name": "who", "Phone Number": "call"}


def test_a_column_whose_values_speak_against_the_field_is_left_to_the_person() -> None:
    assert preset("excel_chinese").fields(profiled("金额", values="一些"), CASE) == {}


def test_each_field_is_filled_once_and_derived_columns_are_left_out() -> None:
    columns = profiled("Deal - Title", "Deal - Organization", "Deal - Weighted value", values="a;b;1")
    assert preset("pipedrive").fields(columns, CASE) == {
        "Deal - Title": "title", "Deal - Organization": "client", "Deal - Weighted value": None,
    }  # fmt: skip


def test_stages_are_known_by_their_texts_and_stand_in_their_usual_order() -> None:
    known = preset("hubspot")
    assert [known.kind_of(text) for text in ("Closed Won", "closed lost", "Contract sent", "Anything")] == [
        "won", "lost", "open", "open",
    ]  # fmt: skip
    assert known.in_order(["Mine", "Contract sent", "Appointment scheduled"]) == (
        "Appointment scheduled", "Contract sent", "Mine",
    )  # fmt: skip
