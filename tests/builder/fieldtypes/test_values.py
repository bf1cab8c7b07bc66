"""Every field type: what people type, what is stored, what is shown and exported; strings meant to break
things.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.domain import kinds
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import OPERATORS, ConditionError
from builder.errors import Invalid
from builder.fieldtypes import registry
from builder.fieldtypes.base import Candidate, FieldContext, InvalidValue
from builder.fieldtypes.reference import SeveralFound
from builder.fieldtypes.registry import all_types, field_type, register
from builder.fieldtypes.table import total
from builder.fieldtypes.text import Text
from builder.metadata.record_schema import compile_fields
from builder.metadata.record_validation import validate

HOSTILE = Path(__file__).parents[4] / "shared" / "data" / "hostile"
L = {"en": "A field"}
OPTIONS = [
    {"key": "a", "label": {"en": "Alpha", "zh_Hans": "甲"}},
    {"key": "b", "label": {"en": "Beta", "zh_Hans": "乙"}},
    {"key": "old", "label": {"en": "Old"}, "retired": True},
]
OWN: dict[str, dict[str, Any]] = {
    "choice": {"x-options": OPTIONS},
    "choices": {"x-options": OPTIONS},
    "reference": {"x-target": "account"},
    "formula": {"x-formula": "integer * 2"},
    "percent": {"x-range": "0_to_100"},
    "table": {
        "items": {"type": "object", "properties": {"price": {"x-type": "money", "x-label": L}}},
        "x-totals": ["price"],
    },
    "auto_number": {"x-format": "Q-{year}-{number:5}"},
    "rollup": {"x-from": "thing", "x-by": "of", "x-function": "count"},
    "money_rollup": {"x-from": "thing", "x-by": "of", "x-function": "sum", "x-of": "worth"},
    "sub_form": {
        "properties": {
            "days": {"x-type": "integer", "x-label": {"en": "Days", "zh_Hans": "天数"}},
            "fee": {"x-type": "money", "x-label": {"en": "Fee", "zh_Hans": "费用"}},
        }
    },
}
KEYS = [kind.key for kind in all_types()]
FIELDSET = compile_fields(
    {"type": "object", "properties": {key: {"x-type": key, "x-label": L, **OWN.get(key, {})} for key in KEYS}}
)
ACCOUNTS = (Candidate("7", "Acme"), Candidate("8", "Acme Two"), Candidate("9", "华为"))


def find(object_key: str, text: str) -> list[Candidate]:
    assert object_key == "account"
    return [account for account in ACCOUNTS if text.casefold() in account.name.casefold()]


CONTEXT = FieldContext(
    locale="en",
    time_zone="Asia/Shanghai",
    currency="CNY",
    region="CN",
    now=datetime(2026, 11, 21, 20, 0, tzinfo=UTC),
    member_id="3",
    record_names={account.id: account.name for account in ACCOUNTS},
    list_members=lambda: (Candidate("3", "李明"), Candidate("4", "Ann")),
    find_records=find,
)
CHINESE = replace(CONTEXT, locale="zh_Hans")
GERMAN = replace(CONTEXT, locale="de", currency="EUR", time_zone="Europe/Berlin")


def definition(key: str) -> FieldDefinition:
    return FIELDSET.by_key[key]


def parse(key: str, text: str, context: FieldContext = CONTEXT) -> JsonValue:
    return field_type(key).parse(definition(key), text, context)


def show(key: str, value: JsonValue, context: FieldContext = CONTEXT) -> str:
    return field_type(key).text(definition(key), value, context)


@pytest.mark.parametrize(
    ("key", "typed", "stored"),
    [
        ("text", " a ", " a "),
        ("text", "", None),
        ("text", "  ", None),
        ("text", "🎉\u202e", "🎉\u202e"),
        ("long_text", "a\r\nb\n", "a\nb\n"),
        ("integer", "1,234", 1234),
        ("integer", "－５", -5),
        ("integer", "5.0", 5),
        ("decimal", "1,234,567.50", "1234567.50"),
        ("decimal", "(5)", "-5.0"),
        ("decimal", "-0", "0.0"),
        ("decimal", "１２．５", "12.5"),
        ("decimal", ".5", "0.5"),
        ("percent", "12.5%", "12.5"),
        ("percent", "100 ％", "100.0"),
        ("money", "1234.5", "1234.50"),
        ("money", "¥1,234.5", "1234.50"),
        ("money", "CNY 5", "5.00"),
        ("money", "5元", "5.00"),
        ("money", "-¥5", "-5.00"),
        ("yes_no", "是", True),
        ("yes_no", "NO", False),
        ("yes_no", "", None),
        ("date", "2026-11-21", "2026-11-21"),
        ("date", "2026/1/2", "2026-01-02"),
        ("date", "2026年1月2日", "2026-01-02"),
        ("date", "21.11.2026", "2026-11-21"),
        ("date", "2026-11-21T00:00:00", "2026-11-21"),
        ("datetime", "2026-11-21 08:30", "2026-11-21T00:30:00Z"),
        ("datetime", "2026-11-21T08:30:15Z", "2026-11-21T08:30:15Z"),
        ("datetime", "2026-11-21T08:30:15.5+0100", "2026-11-21T07:30:15.500000Z"),
        ("choice", "a", "a"),
        ("choice", "ALPHA", "a"),
        ("choice", "乙", "b"),
        ("choice", "old", "old"),
        ("choices", "b; Alpha", ["a", "b"]),
        ("choices", "", None),
        ("email", " A@Example.com ", "A@Example.com"),
        ("phone", "138 0013 8000", "+8613800138000"),
        ("phone", "+1 (212) 555-0100 ext. 12", "+12125550100;ext=12"),
        ("url", "https://例子.公司/路径", "https://例子.公司/路径"),
        ("user", "ann", "4"),
        ("user", "李明", "3"),
        ("reference", "ACME", "7"),
        ("reference", "华为", "9"),
        ("formula", "99", None),
        ("table", '[{"price": "1.00"}]', [{"price": "1.00"}]),
        ("table", "", None),
        ("duration", "1:30", 5400),
        ("duration", "90", 5400),
        ("duration", "1 h 30 min", 5400),
        ("duration", "1.5 hrs", 5400),
        ("duration", "2 days, 3 hours", 183600),
        ("duration", "1小时30分钟", 5400),
        ("duration", "PT1H30M5S", 5405),
        ("duration", "0:00:07", 7),
        ("duration", "0", 0),
        ("rating", "4", 4),
        ("rating", "4/5", 4),
        ("rating", "4.0", 4),
        ("rating", "★★★", 3),
        ("rating", "★★★☆☆", 3),
        ("address", "Main Street 1\r\nBuilding 4", {"street": "Main Street 1\nBuilding 4"}),
        ("address", '{"city": "Köln", "country": "germany"}', {"city": "Köln", "country": "DE"}),
        ("address", '{"city": "上海", "country": "中国"}', {"city": "上海", "country": "CN"}),
        ("sub_form", '{"days": 30}', {"days": 30}),
        ("sub_form", "{}", None),
        ("auto_number", " Q-7 ", "Q-7"),
        ("rollup", "7", None),
        ("file", " ", None),
        ("money_rollup", "7", None),
    ],
)
def test_what_is_typed_becomes_this_value(key: str, typed: str, stored: JsonValue) -> None:
    value = parse(key, typed)
    assert value == stored
    if key not in ("formula",) and value is not None and value != "old":
        assert validate(FIELDSET, {key: value}) == []


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("text", "a\nb"),
        ("text", "\x00"),
        ("text", "\ud800"),
        ("long_text", "a\x00"),
        ("integer", "1.5"),
        ("integer", "12,34"),
        ("integer", "1e3"),
        ("integer", "1" * 16),
        ("integer", "inf"),
        ("integer", "٣"),
        ("decimal", "1.234"),
        ("decimal", "1.2.3"),
        ("decimal", "1,23,456"),
        ("decimal", "--1"),
        ("decimal", "1" * 14),
        ("percent", "101"),
        ("percent", "-1"),
        ("percent", "5%%"),
        ("money", "$5"),
        ("money", "1.23456"),
        ("money", "USD 5"),
        ("yes_no", "maybe"),
        ("date", "2026-02-30"),
        ("date", "03/04/2026"),
        ("date", "0001-01-01"),
        ("date", "tomorrow"),
        ("datetime", "2026-11-21"),
        ("datetime", "2026-11-21 25:00"),
        ("choice", "gamma"),
        ("choices", "a;gamma"),
        ("email", "a@b"),
        ("email", "a@@b.co"),
        ("phone", "12"),
        ("phone", "call me"),
        ("url", "javascript:alert(1)"),
        ("url", "www.x.y"),
        ("url", "https://x y"),
        ("user", "nobody"),
        ("reference", "nothing"),
        ("reference", "acm"),
        ("table", "{}"),
        ("table", "[1]"),
        ("table", "[" * 100_000),
        ("duration", "1:75"),
        ("duration", "1:2:3:4"),
        ("duration", "-5"),
        ("duration", "5 parsecs"),
        ("duration", "5 min 1 h"),
        ("duration", "5 min 6 min"),
        ("duration", "0.01"),
        ("duration", "P"),
        ("duration", "PT"),
        ("duration", "P9999999D"),
        ("rating", "0"),
        ("rating", "6"),
        ("rating", "4/10"),
        ("rating", "4.5"),
        ("rating", "★★★★★★"),
        ("rating", "☆☆☆☆☆"),
        ("address", '{"planet": "Mars"}'),
        ("address", '{"country": "Atlantis"}'),
        ("address", "x" * 161),
        ("address", "{" * 100_000),
        ("sub_form", "[]"),
        ("auto_number", "a\tb"),
        ("file", "a.pdf"),
        ("image", "5"),
        ("auto_number", "9" * 61),
        ("sub_form", "thirty"),
    ],
)
def test_what_is_no_value_is_refused_with_a_message(key: str, typed: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse(key, typed)
    assert caught.value.message_key % caught.value.values


def test_german_numbers_and_dates_as_hinted() -> None:
    assert parse("decimal", "1.234,50", GERMAN) == "1234.50"
    assert parse("decimal", "1\u00a0234", FieldContext(marks=(",", " "))) == "1234.0"
    with pytest.raises(InvalidValue):
        parse("decimal", "1,234.50", GERMAN)
    assert parse("date", "03/04/2026", FieldContext(date_order="dmy")) == "2026-04-03"
    assert parse("date", "03/04/2026", FieldContext(date_order="mdy")) == "2026-03-04"


def test_a_wall_clock_time_that_does_not_exist_is_refused_and_a_double_one_is_the_first() -> None:
    with pytest.raises(InvalidValue):
        parse("datetime", "2026-03-29 02:30", GERMAN)
    assert parse("datetime", "2026-10-25 02:30", GERMAN) == "2026-10-25T00:30:00Z"


@pytest.mark.parametrize(
    ("key", "value", "english", "chinese"),
    [
        ("integer", 1234567, "1,234,567", "1,234,567"),
        ("decimal", "1234.50", "1,234.50", "1,234.50"),
        ("percent", "12.5", "12.5%", "12.5%"),
        ("money", "1234.50", "CN¥1,234.50", "¥1,234.50"),
        ("yes_no", True, "Yes", "是"),
        ("date", "2026-11-21", "Nov 21, 2026", "2026年11月21日"),
        ("choice", "a", "Alpha", "甲"),
        ("choices", ["a", "b"], "Alpha, Beta", "甲、乙"),
        ("choice", "old", "Old", "Old"),
        ("phone", "+8613800138000", "+86 138 0013 8000", "+86 138 0013 8000"),
        ("user", "3", "李明", "李明"),
        ("reference", "7", "Acme", "Acme"),
        ("reference", "70", "#70", "#70"),
        ("text", None, "", ""),
        ("duration", 5400, "1 hr 30 min", "1小时30分钟"),
        ("duration", 176_405, "49 hr 5 sec", "49小时5秒"),
        ("duration", 0, "0 min", "0分钟"),
        ("rollup", "1234.50", "1,234.50", "1,234.50"),
        ("file", {"id": "1", "name": "a.pdf", "media_type": "application/pdf", "size": 5}, "a.pdf", "a.pdf"),
        ("money_rollup", {"CNY": "1234.5", "JPY": "7"}, "CN¥1,234.50 · ¥7", "¥1,234.50 · JP¥7"),
        ("rating", 4, "★★★★☆", "★★★★☆"),
        ("sub_form", {"days": 30, "fee": "5.00"}, "Days: 30, Fee: CN¥5.00", "天数：30，费用：¥5.00"),
    ],
)
def test_values_are_shown_in_the_language_of_the_reader(
    key: str, value: Any, english: str, chinese: str
) -> None:
    assert show(key, value) == english
    assert show(key, value, CHINESE) == chinese


def test_a_moment_is_shown_in_the_zone_of_the_reader() -> None:
    assert "4:30" in show("datetime", "2026-11-21T20:30:00Z").replace("\u202f", " ")
    assert "22" in show("datetime", "2026-11-21T20:30:00Z")


STORED: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00\n\r"), min_size=1, max_size=50
    ),
    "long_text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), min_size=1),
    "integer": st.integers(-(10**15) + 1, 10**15 - 1),
    "decimal": st.decimals(-(10**12), 10**12, places=2).map(lambda number: format(number, "f")),
    "percent": st.decimals(0, 100, places=2).map(lambda number: format(number, "f")),
    "money": st.decimals(-(10**12), 10**12, places=2).map(lambda number: format(number, "f")),
    "yes_no": st.booleans(),
    "date": st.dates(date(1000, 1, 1), date(2999, 12, 31)).map(lambda day: day.isoformat()),
    "datetime": st.datetimes(datetime.fromisoformat("1001-01-01"), datetime.fromisoformat("2999-01-01")).map(
        lambda at: at.isoformat() + "Z"
    ),
    "choice": st.sampled_from(["a", "b"]),
    "choices": st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True).map(sorted),
    "email": st.sampled_from(["a@b.co", "李明@例子.公司"]),
    "phone": st.sampled_from(["+8613800138000", "+12125550100;ext=12", "+442071838750"]),
    "url": st.sampled_from(["http://x", "https://例子.公司/?a=b#c"]),
    "user": st.sampled_from(["3", "4"]),
    "reference": st.sampled_from(["7", "9"]),
    "table": st.lists(st.just({"price": "1.00"}), min_size=1, max_size=3),
    "duration": st.integers(0, 10**9),
    "auto_number": st.sampled_from(["Q-2026-00017", "合同 7"]),
    "rating": st.integers(1, 5),
    "address": st.fixed_dictionaries(
        {"country": st.sampled_from(["CN", "DE", "US"])},
        optional={"street": st.sampled_from(["Main 1\nc/o Ann", "{"]), "postal_code": st.just("050")},
    ),
    "sub_form": st.fixed_dictionaries({"days": st.integers(0, 9)}, optional={"fee": st.just("1.00")}),
}
GROUPS = ("table", "address", "sub_form")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(STORED)).flatmap(lambda key: st.tuples(st.just(key), STORED[key])))
def test_a_stored_value_survives_the_form_and_the_file(pair: tuple[str, Any]) -> None:
    key, value = pair
    kind, field = field_type(key), definition(key)
    if isinstance(value, str) and value.isspace():
        return
    again = kind.parse(field, kind.export(field, value, CONTEXT), CONTEXT)
    assert again == value or (key == "decimal" and float(str(again)) == float(value))
    if key not in (*GROUPS, "datetime"):
        typed = kind.to_form(field, value, CONTEXT)
        bound = kind.from_form(field, typed, CONTEXT)
        assert bound == value or (
            key in ("decimal", "percent", "money") and float(str(bound)) == float(value)
        )
    assert kind.text(field, value, CHINESE) != ""
    kind.normalise(value)


def hostile_lines() -> list[str]:
    lines: list[str] = []
    for path in sorted(HOSTILE.rglob("*")):
        if path.is_file():
            raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            lines += raw.decode("utf-8", "replace").split("\n")
    return [*dict.fromkeys(lines), "\x00", "\ud800", "a" * 100_000, "9" * 100_000, "[" * 10_000, "%s%(x)s{0}"]


@pytest.mark.slow
@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the hostile strings are not on this machine")
@pytest.mark.parametrize("key", KEYS)
def test_hostile_strings_are_values_or_refused_and_never_altered(key: str) -> None:
    kind, field = field_type(key), definition(key)
    for line in hostile_lines():
        try:
            value = kind.parse(field, line, CONTEXT)
        except InvalidValue as error:
            str(error)  # the message can be told
            continue
        if value is None:
            continue
        if key in ("text", "long_text"):
            assert value == line.replace("\r\n", "\n")
        for context in (CONTEXT, CHINESE):
            kind.text(field, value, context)
        kind.href(field, value)
        kind.normalise(value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KEYS), st.text() | st.text("0123456789.,-+%¥$eE:/ T年月日@", max_size=20))
def test_any_text_is_a_valid_value_or_refused(key: str, typed: str) -> None:
    try:
        value = parse(key, typed)
    except InvalidValue:
        return
    # Lengths and rows are judged with the whole record; everything else is right once it was read.
    if value is not None and key not in ("text", "long_text", "url", "table", "sub_form"):
        assert validate(FIELDSET, {key: value}) == []


def test_links_lead_to_the_web_to_mail_and_to_telephones_only() -> None:
    assert field_type("url").href(definition("url"), "https://x.y") == "https://x.y"
    assert field_type("url").href(definition("url"), "javascript:alert(1)") is None
    assert field_type("email").href(definition("email"), "a@b.co") == "mailto:a@b.co"
    assert field_type("phone").href(definition("phone"), "+8613800138000") == "tel:+8613800138000"
    assert field_type("text").href(definition("text"), "https://x.y") is None


def test_a_typed_name_with_several_meanings_offers_them() -> None:
    with pytest.raises(SeveralFound) as caught:
        field_type("reference").from_form(definition("reference"), ["7", "Acme", "acm"], CONTEXT)
    assert [candidate.id for candidate in caught.value.candidates] == ["7", "8"]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (["9", "华为", "华为"], "9"),
        (["9", "华为", ""], None),
        (["9", "华为", "Acme"], "7"),
        (["", "", ""], None),
        (["8", "acm", "acm"], "8"),
        (["4"], "4"),
        ([], None),
    ],
)
def test_the_three_controls_of_a_reference_without_javascript(typed: list[str], stored: JsonValue) -> None:
    assert field_type("reference").from_form(definition("reference"), typed, CONTEXT) == stored


def test_defaults_today_now_and_me_are_worked_out_for_the_reader() -> None:
    asked = {"date": "today", "datetime": "now", "user": "me"}
    found = {
        key: field_type(key).default(FieldDefinition(key, key, definition(key).label, default=word), CONTEXT)
        for key, word in asked.items()
    }
    assert found == {"date": "2026-11-22", "datetime": "2026-11-21T20:00:00Z", "user": "3"}


@pytest.mark.parametrize(
    ("value", "english", "chinese", "german"),
    [
        (
            {
                "street": "世纪大道1号",
                "city": "上海",
                "region": "上海",
                "postal_code": "200120",
                "country": "CN",
            },
            "世纪大道1号, 200120 上海, 上海, China",
            "中国上海世纪大道1号 200120",
            "世纪大道1号, 200120 上海, 上海, China",
        ),
        (
            {"street": "1 Main Road\nHall 3", "city": "Shanghai", "postal_code": "200120", "country": "CN"},
            "1 Main Road, Hall 3, 200120 Shanghai, China",
            "中国 Shanghai 1 Main Road Hall 3 200120",
            "1 Main Road, Hall 3, 200120 Shanghai, China",
        ),
        (
            {
                "street": "1 Main St",
                "city": "Austin",
                "region": "TX",
                "postal_code": "78701",
                "country": "US",
            },
            "1 Main St, Austin, TX 78701, United States",
            "1 Main St, Austin, TX 78701, 美国",
            "1 Main St, Austin, TX 78701, Vereinigte Staaten",
        ),
        (
            {"street": "Ring 1\nHof", "city": "Köln", "postal_code": "50667", "country": "DE"},
            "Ring 1, Hof, 50667 Köln, Germany",
            "Ring 1, Hof, 50667 Köln, 德国",
            "Ring 1, Hof, 50667 Köln, Deutschland",
        ),
        ({"city": "Oslo"}, "Oslo", "Oslo", "Oslo"),
    ],
)
def test_an_address_is_written_as_is_the_custom(value: Any, english: str, chinese: str, german: str) -> None:
    assert show("address", value) == english
    assert show("address", value, CHINESE) == chinese
    assert show("address", value, GERMAN) == german


def test_an_address_is_found_by_its_country_in_both_languages() -> None:
    words = field_type("address").search_text(definition("address"), {"city": "Köln", "country": "DE"})
    assert words == "Köln DE Germany 德国"


def test_lengths_of_time_in_the_language_of_the_reader() -> None:
    for context in (CONTEXT, CHINESE, GERMAN):
        for seconds in (0, 1, 59, 60, 3599, 3600, 86_400, 5_000_000, 123_456_789):
            assert parse("duration", show("duration", seconds, context), context) == seconds


def test_a_column_is_added_up_exactly() -> None:
    rows: Any = [{"price": "0.10"}, {"price": "0.20"}, {}]
    assert total(definition("table"), "price", rows) == "0.30"
    assert total(definition("table"), "price", []) is None


def test_slots_hold_normal_forms() -> None:
    assert field_type("text").slot_value("STRASSE") == field_type("text").slot_value("Straße") == "strasse"
    assert field_type("choices").slot_value(["b", "a"]) == "|a|b|"
    assert field_type("yes_no").slot_value(False) == 0.0
    assert field_type("date").slot_value("1970-01-01") == 719163.0
    assert field_type("datetime").slot_value("1970-01-01T00:00:01Z") == 1_000_000.0
    assert field_type("money").slot_value("0.10") == 0.1
    assert field_type("duration").slot_value(5400) == 5400.0
    place = field_type("address").slot_value({"country": "DE", "city": "KÖLN"})
    assert place == "köln\nde"
    assert all(kind.slot_value(None) is None for kind in all_types())


def test_types_declare_the_operators_of_their_kind() -> None:
    assert all(kind.operators == OPERATORS[kind.kind] for kind in all_types())


def test_a_new_type_is_registered_once_and_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_TYPES", dict(registry._TYPES))
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))

    class Colour(Text):
        key = "test_colour"

    register(Colour())
    assert field_type("test_colour").widget == "text"
    with pytest.raises(ValueError, match="registered already"):
        register(Colour())
    with pytest.raises(Invalid):
        field_type("nonsense")


def test_a_value_of_another_shape_is_not_compared() -> None:
    with pytest.raises(ConditionError):
        field_type("date").normalise("soon")
