"""The audit log: who did what, when, from where, before and after; with a filter and as a file (S119)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response as FileResponse
from flask import make_response, render_template, stream_with_context, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.admin.area import admin
from blueprints.admin.audit_words import KINDS, Teller
from blueprints.forms import chosen_id
from blueprints.messages import told
from blueprints.scope import Scope, scope
from builder.db.ids import to_public
from builder.exchange.harmless import harmless
from builder.queries import audit as queries
from builder.queries.audit import AuditFilter
from builder.queries.people import active_members
from builder.services.people import EDIT_PEOPLE


@dataclass(frozen=True)
class Choice:
    """What the filter says, as it was typed."""

    member: str
    kind: str
    object_key: str
    first: str
    last: str

    @property
    def args(self) -> dict[str, Any]:
        typed = {
            "who": self.member,
            "kind": self.kind,
            "object": self.object_key,
            "from": self.first,
            "to": self.last,
        }
        return {name: text for name, text in typed.items() if text}


@admin.get("/audit")
def audit_log() -> Response:
    """A page of the log, the latest first."""
    here = scope()
    here.require(EDIT_PEOPLE)
    choice = _choice()
    page = queries.audit(
        here.session, here.actor, _filter(here, choice), before=request.args.get("before", "")
    )
    facts = {
        "lines": list(Teller(here, page.events).lines()),
        "choice": choice,
        "people": [(to_public(person.id), person.name) for person in active_members(here.session)],
        "kinds": [(kind, KINDS.get(kind, kind)) for kind in queries.kinds(here.session)],
        "objects": [(key, known.label_plural) for key, known in here.catalog.objects.items()],
        "next": url_for("admin.audit_log", **choice.args, before=page.next) if page.next else "",
        "problem": told(page.problem) if page.problem else "",
        "file": url_for("admin.audit_file", **choice.args),
        "most": queries.MOST_EXPORTED,
    }
    return make_response(render_template("pages/admin/audit.html", **facts))


@admin.get("/audit.csv")
def audit_file() -> Response:
    """What the filter leaves, as a file; spreadsheets run nothing of it."""
    here = scope()
    here.require(EDIT_PEOPLE)
    wanted = _filter(here, _choice())
    headings = (
        gettext("When (UTC)"),
        gettext("Who"),
        gettext("What"),
        gettext("About"),
        gettext("From which address"),
        gettext("Before and after"),
    )

    def rows() -> Iterator[str]:
        yield "\ufeff"
        yield _csv(headings)
        for event in queries.audit_rows(here.session, here.actor, wanted):
            told_as = (
                event.recorded_at.isoformat(timespec="seconds"),
                event.actor_name or gettext("Funnelwright"),
                str(KINDS.get(event.kind, event.kind)),
                event.record_name,
                event.origin or gettext("on the server"),
                json.dumps(dict(event.data), ensure_ascii=False),
            )
            yield _csv(harmless(text) for text in told_as)

    answer = FileResponse(stream_with_context(rows()), mimetype="text/csv")
    day = here.workspace.day_of(here.clock.now()).isoformat()
    answer.headers.set("Content-Disposition", "attachment", filename=f"audit {day}.csv")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _csv(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _choice() -> Choice:
    def typed(name: str) -> str:
        return request.args.get(name, "").replace("\0", "")[:80]

    return Choice(typed("who"), typed("kind"), typed("object"), _day(typed("from")), _day(typed("to")))


def _day(text: str) -> str:
    """A day as a browser writes it; anything else is none."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        return ""


def _filter(here: Scope, choice: Choice) -> AuditFilter:
    zone = here.workspace.zone

    def begins(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    first = date.fromisoformat(choice.first) if choice.first else None
    last = date.fromisoformat(choice.last) if choice.last else None
    return AuditFilter(
        member_id=chosen_id(choice.member),
        kind=choice.kind,
        object_key=choice.object_key,
        start=begins(first) if first else None,
        end=begins(last + timedelta(days=1)) if last and last < date.max else None,
    )
