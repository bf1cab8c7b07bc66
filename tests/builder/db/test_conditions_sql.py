"""Both evaluators of the condition language agree on random conditions and records, on both databases
(B11).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select

from builder.db.base import from_micros
from builder.db.conditions_sql import compile_condition, is_filterable
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import All, AnyOf, Comparison, Condition, Not, evaluate, parse
from builder.domain.fields import FieldDefinition, Option
from builder.domain.kinds import OPERATORS, RECORD_COLUMNS, TIME_LIMIT, ConditionError, Kind, kind_of_type
from builder.domain.labels import Label
from builder.domain.overdue_stays import STANDINGS
from builder.domain.time_limits import TimeLimits
from builder.fieldtypes.registry import field_type
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.engines import engine_for

WORKSPACE = 77
NO_LABEL = Label(())
KEYS = ("a", "b", "A", "a_b", "ab", "x.y")
OPTIONS = tuple(Option(key, NO_LABEL) for key in KEYS)
FIELDS = {
    definition.key: definition
    for definition in (
        FieldDefinition("title", "text", NO_LABEL, slot="t01"),
        FieldDefinition("kind", "choice", NO_LABEL, slot="t02", options=OPTIONS),
        FieldDefinition("tags", "choices", NO_LABEL, slot="t03", options=OPTIONS),
        FieldDefinition("site", "address", NO_LABEL, slot="t06"),
        FieldDefinition("effort", "duration", NO_LABEL, slot="n06"),
        FieldDefinition("person", "user", NO_LABEL, slot="t04"),
        FieldDefinition("account", "reference", NO_LABEL, slot="t05"),
        FieldDefinition("size", "decimal", NO_LABEL, slot="n01"),
        FieldDefinition("count", "integer", NO_LABEL, slot="n02"),
        FieldDefinition("is_big", "yes_no", NO_LABEL, slot="n03"),
        FieldDefinition("due", "date", NO_LABEL, slot="n04"),
        FieldDefinition("met", "datetime", NO_LABEL, slot="n05"),
        FieldDefinition("boss", "user", NO_LABEL, role="owner"),
        FieldDefinition("closing", "date", NO_LABEL, role="expected_close"),
    )
}
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns")

# Few and awkward, so that comparisons are often met exactly: folding, marks of LIKE, neighbours, doubles.
TEXTS = st.sampled_from(
    [
        "",
        "a",
        "A",
        "ab",
        "Straße",
        "STRASSE",
        "İstanbul",
        "i\u0307stanbul",
        "ıstanbul",
        "istanbul",
        "华为",
        "华",
        "为",
        "李明",
        "100%",
        "100",
        "a_b",
        "axb",
        "a\\b",
        "%",
        "_",
        "\\",
        "e\u0301",
        "\u00e9",
        "ΌΣΟΣ",
        "όσος",
        "\U0001f600",
        "\U0010ffff",
        "a\U0010ffff",
        "'; --",
        "|a|",
        " ",
    ]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4)
DECIMALS = st.sampled_from(
    [
        "0",
        "-0",
        "0.1",
        "0.10",
        "0.2",
        "0.3",
        "-1",
        "1",
        "1.00",
        "99999999999999.9",
        "99999999999999.8",
        "0.000001",
    ]
)
DAYS = (
    st.dates(date(2011, 12, 28), date(2012, 1, 2))
    | st.dates(date(2018, 11, 1), date(2018, 11, 6))
    | st.dates(date(2026, 3, 27), date(2026, 4, 2))
)
MIDNIGHTS = DAYS.flatmap(
    lambda day: st.builds(
        lambda hours, micros: (
            datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours, microseconds=micros)
        ),
        st.integers(-14, 14),
        st.sampled_from([-1, 0, 1, 1_800_000_000, 60_000_000]),
    )
)
IDS = st.sampled_from(["1", "12", "2", "9223372036854775807"])


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "title": TEXTS.filter(bool),
    "kind": st.sampled_from(KEYS),
    "tags": st.lists(st.sampled_from(KEYS), unique=True, min_size=1),
    "site": st.fixed_dictionaries(
        {"city": TEXTS.filter(bool)}, optional={"street": TEXTS.filter(bool), "country": st.just("CN")}
    ),
    "effort": st.sampled_from([0, 60, 5400]),
    "person": IDS,
    "account": IDS,
    "size": DECIMALS,
    "count": st.integers(-3, 3),
    "is_big": st.booleans(),
    "due": DAYS.map(date.isoformat),
    "met": MIDNIGHTS.map(iso),
    "boss": IDS,
    "closing": DAYS.map(date.isoformat),
    "record.stage": st.sampled_from(["new", "won_1", "won"]),
    "record.outcome": st.sampled_from(["open", "won"]),
    "record.department": IDS,
    "record.closed_at": MIDNIGHTS.map(iso),
    "record.created_at": MIDNIGHTS.map(iso),
}
ALWAYS_THERE = "record.created_at"
records = st.fixed_dictionaries(
    {ALWAYS_THERE: VALUES[ALWAYS_THERE]},
    optional={name: values for name, values in VALUES.items() if name != ALWAYS_THERE},
)


def operand(name: str, op: str) -> st.SearchStrategy[Any]:
    single = TEXTS.filter(bool) if name == "site" else VALUES[name]
    if name == "tags":
        single = st.sampled_from(KEYS)
    if name in ("met", "record.created_at", "record.closed_at"):
        single = single | DAYS.map(date.isoformat)
    if op in ("in", "not_in", "has_any", "has_all"):
        return st.lists(single, max_size=3).map(tuple)
    if op == "between":
        return st.tuples(single, single)
    if op == "in_period":
        named = ["today", "yesterday", "this_week", "last_week", "next_month", "this_quarter", "this_year"]
        return st.sampled_from(named) | st.integers(1, 9).map(lambda days: f"last_n_days:{days}")
    return single


def kind_of_name(name: str) -> Kind:
    if name.startswith("record."):
        return RECORD_COLUMNS[name.removeprefix("record.")]
    return kind_of_type(FIELDS[name].type)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    name = draw(st.sampled_from(sorted(VALUES)))
    op = draw(st.sampled_from(OPERATORS[kind_of_name(name)]))
    if op in ("empty", "not_empty", "is_me"):
        return Comparison(name, op)
    return Comparison(name, op, draw(operand(name, op)))


conditions: st.SearchStrategy[Condition] = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=4,
)
contexts = st.builds(EvaluationContext, MIDNIGHTS, st.sampled_from(ZONES), st.sampled_from([None, 1, 12]))


def row(number: int, values: dict[str, Any]) -> dict[str, Any]:
    """A record as the projections write it."""
    columns: dict[str, Any] = {
        "workspace_id": WORKSPACE,
        "id": number,
        "object_key": "thing",
        "definition_version_id": 1,
        "name": "",
        "journey": "",
        "updated_at": from_micros(0),
        "is_loaded": False,
        "revision": 1,
        "data": {},
    }
    for key, definition in FIELDS.items():
        if definition.slot:
            columns[definition.slot] = field_type(definition.type).slot_value(values.get(key))
    names = ("created_at", "closed_at", "stage_entered_at")
    instants = {name: values.get(f"record.{name}") for name in names}
    instants["created_at"] = instants["created_at"] or "1970-01-01T00:00:00Z"
    return columns | {
        "owner_id": int(values["boss"]) if "boss" in values else None,
        "expected_close_on": date.fromisoformat(values["closing"]) if "closing" in values else None,
        "stage_key": values.get("record.stage"),
        "pipeline_key": values.get("record.pipeline"),
        "outcome": values.get("record.outcome"),
        "department_id": int(values["record.department"]) if "record.department" in values else None,
        **{name: datetime.fromisoformat(text) if text else None for name, text in instants.items()},
    }


@pytest.fixture
def engine(database_url: FreshDatabase) -> Any:
    made = engine_for(database_url.url)
    yield made
    made.dispose()


def matching(
    engine: Engine, things: list[dict[str, Any]], asked: list[tuple[Condition, EvaluationContext]]
) -> Any:
    """For each condition the numbers of the records that SQL finds."""
    found = []
    with WorkspaceSession(engine) as session:
        session.bind_workspace(WORKSPACE)
        session.begin_write()
        session.execute(insert(Record), [row(number, values) for number, values in enumerate(things, 1)])
        for condition, context in asked:
            where = compile_condition(condition, FIELDS, context)
            found.append(set(session.scalars(select(Record.id).where(where))))
        session.rollback()
    return found


def disagreements(engine: Engine, things: list[dict[str, Any]], asked: list[Any]) -> list[Any]:
    wrong = []
    for (condition, context), found in zip(asked, matching(engine, things, asked), strict=True):
        for number, values in enumerate(things, 1):
            if evaluate(condition, values, FIELDS, context) is not (number in found):
                wrong.append((condition, context, values, number in found))
    return wrong


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    things=st.lists(records, min_size=3, max_size=8),
    asked=st.lists(st.tuples(conditions, contexts), min_size=8, max_size=16),
)
def test_python_and_sql_agree(engine: Engine, things: list[dict[str, Any]], asked: list[Any]) -> None:
    assert disagreements(engine, things, asked) == []


def test_the_time_in_a_stage_is_asked_in_sql_as_in_python(engine: Engine) -> None:
    now = datetime(2026, 3, 29, 12, tzinfo=UTC)
    limits = {
        ("p", "new"): TimeLimits(2, 4, 6),
        ("p", "won"): TimeLimits(breach_days=3),
        ("q", "new"): TimeLimits(1),
    }
    context = EvaluationContext(now, "Europe/Berlin", 12, limits=limits)
    places = [
        ("p", "new", "open"),
        ("p", "won", "open"),
        ("q", "new", "won"),
        ("q", "new", "open"),
        ("p", "x", "open"),
    ]
    things: list[dict[str, Any]] = [
        {"record.pipeline": pipeline, "record.stage": stage, "record.outcome": outcome,
         "record.stage_entered_at": iso(now - timedelta(days=days, microseconds=micros))}
        for pipeline, stage, outcome in places for days in range(8) for micros in (-1, 0)
    ]  # fmt: skip
    asked = [
        (asked, context)
        for value in STANDINGS
        for plain in (
            Comparison(TIME_LIMIT, "eq", value),
            Comparison(TIME_LIMIT, "not_in", (value, "breach")),
        )
        for asked in (plain, Not(plain))
    ]
    asked += [(Comparison(TIME_LIMIT, op), context) for op in ("empty", "not_empty")]
    assert disagreements(engine, [{}, *things], asked) == []


def test_every_operator_is_tried_on_every_awkward_value(engine: Engine) -> None:
    """No chance involved: each kind's values against each operator with those values as operands."""
    context = EvaluationContext(datetime(2026, 3, 29, 12, tzinfo=UTC), "Europe/Berlin", 12)
    samples: dict[str, list[Any]] = {
        "title": [
            "a",
            "A",
            "ab",
            "Straße",
            "STRASSE",
            "İ",
            "i",
            "华为",
            "华",
            "100%",
            "100",
            "a_b",
            "axb",
            "a\\b",
            "|a|",
        ],
        "kind": list(KEYS),
        "tags": [["a"], ["A"], ["a", "b"], ["ab"], ["a_b", "x.y"]],
        "person": ["1", "12"],
        "size": ["0", "-0", "0.1", "0.2", "0.30", "99999999999999.9", "99999999999999.8"],
        "is_big": [True, False],
        "due": ["2026-03-28", "2026-03-29", "2026-03-30"],
        "met": [
            "2026-03-28T22:59:59.999999Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T21:59:59Z",
            "2026-03-29T22:00:00Z",
        ],
    }
    for name, values in samples.items():
        things: list[dict[str, Any]] = [{}, *({name: value} for value in values)]
        operands = sorted({key for value in values for key in value}) if name == "tags" else list(values)
        if name == "met":
            operands += ["2026-03-28", "2026-03-29", "2026-03-30"]
        asked: list[Any] = []
        for op in OPERATORS[kind_of_name(name)]:
            for value in operands:
                given_value: Any = value
                if op in ("in", "not_in", "has_any", "has_all"):
                    given_value = (value, operands[0])
                elif op == "between":
                    given_value = (operands[0], value)
                elif op == "in_period":
                    given_value = "today"
                elif op in ("empty", "not_empty", "is_me"):
                    given_value = None
                plain = Comparison(name, op, given_value)
                asked += [(plain, context), (Not(plain), context)]
        assert disagreements(engine, things, asked) == [], name


@pytest.mark.parametrize(
    ("field", "definition"),
    [
        ("memo", FieldDefinition("memo", "long_text", NO_LABEL)),
        ("title", FieldDefinition("title", "text", NO_LABEL)),
        ("feedback.title", FieldDefinition("title", "text", NO_LABEL, slot="t01")),
    ],
)
def test_a_field_without_a_slot_is_refused(field: str, definition: FieldDefinition) -> None:
    context = EvaluationContext(datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ConditionError):
        compile_condition(parse({"field": field, "op": "empty"}), {field: definition}, context)
    assert not is_filterable("memo", {"memo": FieldDefinition("memo", "long_text", NO_LABEL)})
    assert is_filterable("record.stage", {})
    assert not is_filterable("record.salary", {})
