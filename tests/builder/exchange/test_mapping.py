"""Columns find their fields by name, synonym, likeness and values; unknown ones become fields."""

from __future__ import annotations

import io

import pytest

from builder.domain.fields import FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.labels import Label
from builder.exchange.csv import Table, detect
from builder.exchange.mapping import suggest
from builder.exchange.new_fields import new_field, slug
from builder.exchange.profile import TableProfile, profile
from builder.fieldtypes.address import parts


def profiled(text: str) -> TableProfile:
    stream = io.BytesIO(text.encode())
    return profile(Table(stream, detect(stream)))


def make_object(*fields: FieldDefinition, key: str = "case", label: str = "Case") -> ObjectDefinition:
    return ObjectDefinition(
        key=key, label=Label.of({"en": label, "zh_Hans": "案件"}), label_plural=Label.of(label), icon="",
        color="",
        fields=FieldSet(fields, (), (), {}, ""), list_columns=(), list_sort=(), search_fields=(),
        duplicate_keys=(), version_id=1, number=1, checksum="",
    )  # fmt: skip


def make_field(
    key: str, type_key: str = "text", label: str = "", zh: str = "", role: str | None = None
) -> FieldDefinition:
    return FieldDefinition(key, type_key, Label.of({"en": label or key, "zh_Hans": zh or key}), role=role)


CASE = make_object(
    make_field("title", label="Title", zh="标题", role="name"),
    make_field("worth", "money", "Worth", "金额", role="amount"),
    make_field("keeper", "user", "Keeper", "负责人", role="owner"),
    make_field("client", "reference", "Client", "客户", role="account"),
    make_field("due_on", "date", "Due date", "到期日"),
    make_field("city", label="City"),
)


def mapped(text: str) -> dict[str, str | None]:
    return {found.column: found.field for found in suggest(profiled(text), CASE)}


def test_labels_of_every_language_keys_and_synonyms_name_a_field() -> None:
    assert mapped("标题,金额,负责人\na,1,x\n") == {"标题": "title", "金额": "worth", "负责人": "keeper"}
    assert mapped("Due Date,CITY\n2020-01-02,x\n") == {"Due Date": "due_on", "CITY": "city"}
    assert mapped("Umsatz (€),Verkäufer,Kunde\n1 €,x,y\n") == {
        "Umsatz (€)": "worth", "Verkäufer": "keeper", "Kunde": "client"
    }  # fmt: skip


def test_a_slip_of_the_pen_is_forgiven() -> None:
    assert mapped("Citty\nBerlin\n") == {"Citty": "city"}


def test_values_that_a_field_cannot_take_speak_against_it() -> None:
    assert mapped("Worth,Due date\nlots,soon\n") == {"Worth": None, "Due date": None}


def test_what_all_columns_begin_with_is_left_out() -> None:
    found = mapped("Deal - Title,Deal - Value,Deal - Owner,Deal - Organization\na,1,x,y\n")
    assert list(found.values()) == ["title", "worth", "keeper", "client"]


def test_the_name_of_the_object_above_a_column_means_the_records_name() -> None:
    assert mapped("case,amount\na,1\n") == {"case": "title", "amount": "worth"}


def test_a_field_is_filled_by_one_column_only_and_a_person_decides_first() -> None:
    rows = profiled("amount,value\n1,2\n")
    assert [found.field for found in suggest(rows, CASE)].count("worth") == 1
    assert [found.field for found in suggest(rows, CASE, given={"value": "worth"})] == [None, "worth"]
    assert [found.field for found in suggest(rows, CASE, without=["amount", "value"])] == [None, None]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20"], "integer"),
        (["1.5", "20"], "decimal"),
        (["1.054,00 €", "3,50 €"], "money"),
        (["12 %", "3.5%"], "percent"),
        (["2020-01-31", "2020-2-1"], "date"),
        (["2020年1月3日"], "date"),
        (["15 Apr, 2021 00:02:00", "1 May, 2021 10:00:00"], "datetime"),
        (["2011-10-11T11:45:40.276Z"], "datetime"),
        (["yes", "no"], "yes_no"),
        (["a@b.example", "c.d@e.example"], "email"),
        (["https://a.example/x", "www.b.example"], "url"),
        (["007", "012"], "text"),
        (["1234567890123456"], "text"),
        (["abc", "1"], "text"),
        (["x" * 400], "long_text"),
        (["", " "], "empty"),
    ],
)
def test_the_kind_of_a_column_fits_all_its_values(values: list[str], kind: str) -> None:
    text = "a;b\n" + "".join(f'"{value}";x\n' for value in values)
    assert profiled(text).columns[0].kind == kind


@pytest.mark.parametrize(
    ("values", "orders", "is_open"),
    [
        (["13/02/2020", "01/02/2020"], ("dmy",), False),
        (["02/13/2020", "01/02/2020"], ("mdy",), False),
        (["01/02/2020", "03/04/2020"], ("dmy", "mdy"), True),
        (["05/05/2020", "2020-01-31"], ("dmy", "mdy"), False),
        (["01.02.2020"], ("dmy", "mdy"), False),
        (["13/02/2020", "02/13/2020"], (), False),
    ],
)
def test_the_date_order_is_read_off_all_values_or_left_open(
    values: list[str], orders: tuple[str, ...], is_open: bool
) -> None:
    column = profiled("a;b\n" + "".join(f"{value};x\n" for value in values)).columns[0]
    assert (column.orders, column.is_order_open) == (orders, is_open)


@pytest.mark.parametrize(
    ("values", "mark", "is_open"),
    [
        (["1,054.00"], ".", False),
        (["1.054,00"], ",", False),
        (["1.054", "2.5"], ".", False),
        (["1.054"], None, True),
        (["1,054,000"], ".", False),
        (["12"], None, False),
    ],
)
def test_the_decimal_mark_is_read_off_all_values_or_left_open(
    values: list[str], mark: str | None, is_open: bool
) -> None:
    column = profiled("a;b\n" + "".join(f"{value};x\n" for value in values)).columns[0]
    assert (column.mark, column.is_mark_open) == (mark, is_open)


def created(name: str, values: list[str]) -> tuple[str, dict[str, object]]:
    column = profiled(f"{name};b\n" + "".join(f"{value};x\n" for value in values)).columns[0]
    client = make_object(key="client", label="Client")
    made = new_field(column, {"title"}, {"client": client, "case": CASE}, "case")
    return made.key, made.document


def test_a_column_becomes_a_field_of_the_type_that_takes_all_its_values() -> None:
    assert created("year_established", ["1996"]) == (
        "year_established",
        {"x-type": "integer", "x-label": {"en": "Year established"}},
    )
    assert created("sales_price", ["550", "4821"])[1]["x-type"] == "money"
    assert created("size", ["1.25", "2.5"])[1] == {
        "x-type": "decimal",
        "x-label": {"en": "Size"},
        "x-scale": 2,
    }
    assert created("客户等级", ["甲"])[1]["x-label"] == {"zh_Hans": "客户等级"}


def test_few_values_that_come_back_often_are_a_choice_and_names_are_not() -> None:
    key, document = created("sector", ["retail", "retail", "retail", "medical", "medical", "medical"])
    assert document["x-type"] == "choice"
    assert [option["key"] for option in document["x-options"]] == ["retail", "medical"]  # type: ignore[index,attr-defined]
    assert created("person", ["Ann", "Bob", "Eve", "Ann"])[1]["x-type"] == "text"
    assert key == "sector"


def test_a_column_named_like_an_object_refers_to_its_records() -> None:
    assert created("Client", ["Acme", "Beta"])[1]["x-target"] == "client"
    assert "x-target" not in created("case", ["Acme", "Beta"])[1]


@pytest.mark.parametrize(
    ("text", "key"),
    [("Office Location", "office_location"), ("2nd name", "field_2nd_name"), ("金额", "field_1"),
     ("title", "title_2"), ("Größe", "groe"), ("!!!", "field_1"), ("x" * 200, "x" * 58)],
)  # fmt: skip
def test_keys_are_made_of_letters_digits_and_low_lines(text: str, key: str) -> None:
    assert slug(text, {"title"}, "field") == key


def test_parts_of_an_address_are_found_by_their_usual_heads_and_a_field_of_its_own_goes_before() -> None:
    site = FieldDefinition(
        "site", "address", Label.of({"en": "Site", "zh_Hans": "地点"}), params={"parts": parts()}
    )
    definition = make_object(*CASE.fields.fields, site)
    heads = "BillingStreet,Billing Zip/Postal Code,City,Shipping City,State,Site: Country,Transport\n"
    found = suggest(profiled(heads + "a,1,b,c,d,DE,e\n"), definition)
    assert [each.field for each in found] == [
        "site.street", "site.postal_code", "city", "site.city", None, "site.country", None,
    ]  # fmt: skip
