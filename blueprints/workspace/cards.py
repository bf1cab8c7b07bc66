"""Cards and column heads of a board as a reader sees them.

A board shows hundreds of cards: addresses, dates, amounts and words are made once and reused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import format_date, get_locale, gettext, ngettext
from markupsafe import Markup, escape

from blueprints.avatars import initials, tint
from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.amounts import whole_amount
from blueprints.workspace.area import has_endpoint, record_address
from blueprints.workspace.card_fields import AGE, USUAL_ROLES, usual
from blueprints.workspace.cells import cell_markup
from blueprints.workspace.limit_words import shown_limit
from blueprints.workspace.shown import Reader, columns_of
from builder.db.ids import to_public
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.time_limits import NO_LIMITS, whole_days
from builder.queries.board import Card, CardNames
from builder.queries.board_heads import ColumnHead

_AVATAR = Markup(
    '<span class="person person-sm person-{tint}" role="img" aria-label="{name}" title="{name}">'
    "{initials}</span>"
)
_LIMIT = Markup('{age} <b class="limit limit-{tone}" title="{limits}">{word}</b>')
_LINE = Markup("<div><dt>{}</dt><dd>{}</dd></div>")


@dataclass(frozen=True, slots=True)
class CardView:
    """What a card shows. Everything is HTML already, escaped where a person wrote it: the template of cards
    escapes nothing, because escaping each of thousands of values is a third of the cost of a board.

    ``due``: the expected close, ``is_late`` when it is past and the record open. ``move`` leads to the choice
    of a stage. ``age``: the days in the stage, and the limit of the stage that they passed. ``owner``: the
    mark of the owner, or nothing. ``lines``: the other fields that somebody chose.
    """

    id: str
    name: str
    href: str
    move: str
    revision: int
    account: str
    amount: str
    due: str
    is_late: bool
    age: str
    owner: str
    lines: str = ""


@dataclass(frozen=True, slots=True)
class HeadView:
    """Figures of a column, an amount and a weighted amount (``""``: hidden from the reader) per currency."""

    stage_key: str
    count: int
    sums: tuple[tuple[str, str], ...]


class CardReader:
    """Turns cards into views for one request. ``query``: of the board that shows them, and to which moves
    come back. ``shown``: the lines that somebody chose; ``None`` for the usual ones.
    """

    def __init__(
        self,
        here: Scope,
        pipeline: Pipeline,
        found: CardNames,
        query: str,
        shown: Sequence[str] | None = None,
    ) -> None:
        definition = here.catalog.object(pipeline.object_key)
        by_role = definition.fields.by_role
        wanted = usual(definition) if shown is None else shown
        self._has = {role: role in by_role and by_role[role].key in wanted for role in USUAL_ROLES}
        self._has_age = AGE in wanted
        placed = {AGE, *(by_role[role].key for role in USUAL_ROLES if role in by_role)}
        others = [name for name in wanted if name not in placed]
        reader = Reader(here, found.records, found.members) if others else None
        self._columns = columns_of(here, definition.key, others, reader) if reader is not None else []
        self._stages = pipeline.by_key
        self._locale = language()
        self._names = found.records
        self._now = here.clock.now()
        self._today = here.workspace.day_of(self._now)
        self._account = by_role["account"].key if self._has["account"] else ""
        self._move = url_for("moves.choose", record_id=0).replace(to_public(0), "{}", 1)
        self._move += "?" + urlencode({"board": board_mark(pipeline.key, query)})
        self._has_pages = has_endpoint("workspace.record")
        self._days: dict[date, str] = {}
        self._ages: dict[tuple[str, int], str] = {}
        self._owners: dict[str, str] = {}

    def views(self, cards: Iterable[Card]) -> list[CardView]:
        return [self.view(card) for card in cards]

    def view(self, card: Card) -> CardView:
        public = to_public(card.id)
        stage = self._stages.get(card.stage_key)
        is_open = stage is None or stage.is_open
        has = self._has
        due = card.expected_close_on if has["expected_close"] else None
        return CardView(
            id=public,
            name=escape(card.name or card.number or "–"),
            href=record_address(card.id) if self._has_pages else "",
            move=self._move.replace("{}", public, 1),
            revision=card.revision,
            account=escape(self._account_of(card)),
            amount=""
            if card.amount_minor is None or not has["amount"]
            else whole_amount(card.amount_minor, card.currency, self._locale),
            due=self._day(due) if due is not None else "",
            is_late=is_open and due is not None and due < self._today,
            age=self._age(card) if self._has_age else "",
            owner=self._owner(card.owner_name) if card.owner_name and has["owner"] else "",
            lines=self._lines(card) if self._columns else "",
        )

    def _lines(self, card: Card) -> Markup:
        """The chosen fields that are filled, each with its name."""
        row: Any = card
        cells = ((column.label, column.read(row)) for column in self._columns)
        return Markup("").join(_LINE.format(label, cell_markup(cell)) for label, cell in cells if cell)

    def _account_of(self, card: Card) -> str:
        value = card.data.get(self._account)
        if not isinstance(value, str):
            return ""
        return self._names.get(int(value), "") if value.isdecimal() else value

    def _day(self, day: date) -> str:
        if day not in self._days:
            skeleton = "MMMd" if day.year == self._today.year else "yMMMd"
            self._days[day] = escape(_short_day(day, skeleton))
        return self._days[day]

    def _age(self, card: Card) -> str:
        if card.stage_entered_at is None:
            return ""
        key = card.stage_key, whole_days((self._now - card.stage_entered_at).total_seconds())
        if key not in self._ages:
            self._ages[key] = self._age_text(*key)
        return self._ages[key]

    def _age_text(self, stage_key: str, days: int) -> str:
        """The days, and what they are against the limits of the stage where one is passed."""
        age = ngettext("%(num)d day", "%(num)d days", days)
        stage = self._stages.get(stage_key)
        told = shown_limit(days, stage.limits if stage is not None and stage.is_open else NO_LIMITS)
        if told is None or not told.word:
            return escape(age)
        return _LIMIT.format(age=age, tone=told.tone, limits=told.limits, word=told.word)

    def _owner(self, name: str) -> str:
        if name not in self._owners:
            self._owners[name] = _AVATAR.format(name=name, initials=initials(name), tint=tint(name))
        return self._owners[name]


def board_mark(pipeline_key: str, query: str) -> str:
    """How a move says which board it came from: the pipeline and the board's query string."""
    return f"{pipeline_key}?{query}"


def _short_day(day: date, skeleton: str) -> str:
    """Day and month, and the year only where it is another one."""
    locale = get_locale()
    pattern = locale.datetime_skeletons.get(skeleton) if locale else None
    return format_date(day, pattern.pattern) if pattern is not None else format_date(day, "medium")


def head_view(stage_key: str, head: ColumnHead) -> HeadView:
    pairs = ((each.currency, each.amount_minor, each.weighted_minor) for each in head.sums)
    return HeadView(stage_key, head.count, _sums(pairs))


def _sums(pairs: Iterable[tuple[str, int, int | None]]) -> tuple[tuple[str, str], ...]:
    locale = language()
    return tuple(
        (
            whole_amount(amount, currency, locale),
            "" if weighted is None else whole_amount(weighted, currency, locale),
        )
        for currency, amount, weighted in pairs
    )


def total_of(pipeline: Pipeline, heads: Mapping[str, ColumnHead]) -> HeadView:
    """The head over all open stages."""
    open_heads = [heads[stage.key] for stage in pipeline.open_stages if stage.key in heads]
    amounts: dict[str, tuple[int, int | None]] = {}
    for each in (one for head in open_heads for one in head.sums):
        amount, weighted = amounts.get(each.currency, (0, 0))
        more = each.weighted_minor
        both = None if weighted is None or more is None else weighted + more
        amounts[each.currency] = (amount + each.amount_minor, both)
    pairs = ((currency, amount, weighted) for currency, (amount, weighted) in sorted(amounts.items()))
    return HeadView("", sum(head.count for head in open_heads), _sums(pairs))


def stage_title(stage: Stage | None, key: str) -> str:
    """The name of a column; a stage of an older version that is gone shows its key."""
    return str(local(stage.label)) if stage is not None else gettext("%(stage)s (no longer used)", stage=key)
