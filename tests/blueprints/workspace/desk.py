"""What tests of the workspace start from: addresses, and records made through the services."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.domain.permissions import RIGHTS, Actor
from builder.services import records
from builder.services.entries import Entry
from builder.services.records import NewRecord, SaveRecord
from tests.fixtures.town import Town

CLIENTS, MATTERS = "/w/acme/o/client", "/w/acme/o/matter"
NOBODY = "AAAAAAAAAAA"


def page_of(record_id: int, part: str = "", workspace: str = "acme") -> str:
    return f"/w/{workspace}/r/{to_public(record_id)}{part}"


def actor(town: Town, name: str) -> Actor:
    return Actor(town.ids[name], name, "admin", frozenset(RIGHTS), "all")


def make(
    town: Town,
    object_key: str,
    values: dict[str, Any],
    flow: str | None = None,
    *,
    owner: str = "",
    at: str = "acme",
) -> int:
    """A record of ``owner`` (nobody's by default), in the first stage of ``flow``."""
    uow = town.work(at)
    if owner:
        uow.actor = actor(town, owner)
    entry = Entry(flow) if flow else None
    made = records.create(uow, object_key, NewRecord(values, entry)).record_id
    uow.commit()
    uow.session.close()
    return made


def matter(
    town: Town, title: str = "Fence", flow: str | None = "flow", owner: str = "Rita", **values: Any
) -> int:
    return make(town, "matter", {"title": title, **values}, flow, owner=owner)


def change(town: Town, record_id: int, who: str, **values: Any) -> None:
    """Somebody saves values while another has the form open."""
    uow = town.work()
    uow.actor = actor(town, who)
    records.save(uow, SaveRecord(record_id, values))
    uow.commit()
    uow.session.close()


def stored(town: Town, record_id: int, workspace: str = "acme") -> Any:
    """The record as a row of plain values."""
    uow = town.work(workspace)
    try:
        return uow.session.execute(
            select(
                Record.name, Record.data, Record.revision, Record.deleted_at, Record.pipeline_key, Record.stage_key,
                Record.outcome,
            ).where(Record.id == record_id)
        ).one_or_none()  # fmt: skip
    finally:
        uow.session.close()


def present_stay(town: Town, record_id: int) -> Any:
    uow = town.work()
    try:
        return uow.session.execute(
            select(StayRow.id, StayRow.answers, StayRow.tasks_done, StayRow.is_marked).where(
                StayRow.record_id == record_id, StayRow.left_via.is_(None)
            )
        ).one()
    finally:
        uow.session.close()


class _Form(HTMLParser):
    """The successful controls of one form, as a browser without scripts would send them."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.pairs: list[tuple[str, str]] = []
        self._is_inside = False
        self._select: str | None = None
        self._first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = known.get("id") == self.form_id
        if not self._is_inside:
            return
        if tag == "input" and known.get("name"):
            if known.get("type") not in ("checkbox", "radio") or "checked" in known:
                self.pairs.append((known["name"], known.get("value", "")))
        elif tag == "select":
            self._select, self._first = known.get("name"), True
        elif tag == "option" and self._select:
            if self._first:
                self.pairs.append((self._select, known.get("value", "")))
            elif "selected" in known:
                self.pairs[-1] = (self._select, known.get("value", ""))
            self._first = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = None


def sent_by(html: str, form_id: str) -> list[tuple[str, str]]:
    """Names and values that submitting the form of that id would send (its buttons apart)."""
    form = _Form(form_id)
    form.feed(html)
    return form.pairs
