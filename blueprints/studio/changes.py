"""What is drafted and what was published: differences, what they touch, publishing, taking back (B7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done, show_form
from blueprints.messages import local, message, told
from blueprints.revisions import NO_REVISION
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.change_words import (
    KINDS,
    SOURCES,
    ChangeLine,
    change_lines,
    concern_words,
    problem_line,
)
from blueprints.studio.migration_choice import bring_over, count_later, migration_choices
from builder.domain.labels import Label
from builder.errors import Conflict, FunnelwrightError, Invalid, Malformed
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.impact import concerns
from builder.queries import drafts as queries
from builder.queries.counting import countings
from builder.queries.definitions import live_documents
from builder.queries.impact import Touched, impact
from builder.queries.row import names_of_visible
from builder.services import drafts as services
from builder.services.definitions import EDIT

MOST_LINES = 60


@dataclass(frozen=True)
class ChangeCard:
    """What changes of one definition. ``what``: new, changed or gone; ``further``: lines not listed;
    ``draft`` where it is not published yet.
    """

    kind: str
    label: Label
    what: str
    lines: Sequence[ChangeLine]
    further: int
    draft: queries.Draft | None = None

    @classmethod
    def of(
        cls,
        here: Scope,
        kind: str,
        before: Document | None,
        after: Document | None,
        draft: queries.Draft | None = None,
    ) -> ChangeCard:
        lines = change_lines(here, kind, before, after)
        label = Label.of((after or before or {}).get("label"))
        what = "gone" if after is None else ("new" if before is None else "changed")
        further = max(0, len(lines) - MOST_LINES)
        return cls(str(KINDS[kind]), label, what, lines[:MOST_LINES], further, draft)


@studio.get("/changes")
def changes() -> Response:
    """All drafts with what they change, what is wrong with them, and what they touch."""
    scope().require(EDIT)
    return _show_changes()


@studio.post("/changes")
def publish_changes() -> Response:
    """Publish all drafts; open records come over as chosen, in the background."""
    here = scope()
    here.require(EDIT)
    uow = here.unit_of_work()
    try:
        seen = _sent("seen")
        found = queries.drafts(uow.session)
        published = services.publish_drafts(
            uow, note=request.form.get("note", ""), seen=seen, counts_later=True
        )
        count_later(uow, here, published)
        bring_over(uow, here, published, found)
    except (Conflict, Invalid) as error:
        uow.rollback()
        return _show_changes(_lines(error), status=error.status)
    uow.commit()
    house.queue().committed()
    return done(url_for("studio.history"), gettext("Published. It is in force from now on."))


@studio.post("/changes/<kind>/<key>/discard")
def discard_draft(kind: str, key: str) -> Response:
    """Throw one draft away."""
    uow = scope().unit_of_work()
    services.discard(uow, kind, key, _sent("checksum"))
    uow.commit()
    return done(url_for("studio.changes"), gettext("The draft is gone. What is published stays."))


@studio.post("/changes/<kind>/<key>/update")
def update_draft(kind: str, key: str) -> Response:
    """Put one draft upon what was published since it was begun."""
    uow = scope().unit_of_work()
    stays = request.form.get("stays", "")
    side = {"ours": "ours", "theirs": "theirs"}.get(stays)
    services.bring_up_to_date(uow, kind, key, side, seen=_sent("draft"))  # type: ignore[arg-type]
    uow.commit()
    return done(url_for("studio.changes"), gettext("The draft now stands upon what is published."))


@studio.get("/history")
def history() -> Response:
    """What was published, newest first."""
    here = scope()
    here.require(EDIT)
    before = request.args.get("before", "")
    found = queries.change_sets(here.session, int(before) if _is_number(before) else None)
    last = found[-1].number if found else 1
    return show_form(
        "pages/studio/history.html",
        fragment="fragments/changes/history.html",
        entries=found,
        kinds=KINDS,
        sources=SOURCES,
        drafts_count=queries.drafts_count(here.session),
        countings=countings(here.session, here.catalog.pipelines.values()),
        next=url_for("studio.history", before=last) if last > 1 else "",
    )


@studio.get("/history/<int:number>")
def change_set(number: int) -> Response:
    """What one publish changed."""
    scope().require(EDIT)
    return _show_change_set(number)


@studio.post("/history/<int:number>/roll-back")
def roll_back(number: int) -> Response:
    """Take a publish back."""
    scope().require(EDIT)
    uow = scope().unit_of_work()
    try:
        note = request.form.get("note", "")
        count_later(uow, scope(), services.roll_back(uow, number, note, counts_later=True))
    except (Conflict, Invalid) as error:
        uow.rollback()
        return _show_change_set(number, _lines(error), status=error.status)
    uow.commit()
    house.queue().committed()
    return done(url_for("studio.history"), gettext("Taken back. What was before is in force again."))


def _lines(error: FunnelwrightError) -> list[tuple[str, str]]:
    """What the summary of a refused form lists."""
    return [("", told(each)) for each in error.problems] or [("", message(error.message_key, error.values))]


def _sent(name: str) -> str:
    """What the person saw. Errors: Malformed when it was not sent: nothing is written unseen."""
    text = request.form.get(name, "")
    if not text:
        raise Malformed(NO_REVISION)
    return text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _show_changes(problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    here = scope()
    uow = here.unit_of_work()
    found = queries.drafts(here.session)
    documents = {
        **{
            f"{kind}/{key}.json": one
            for (kind, key), one in live_documents(here.session, here.workspace).items()
        },
        **{f"{each.kind}/{each.key}.json": each.document for each in found},
    }
    judged = services.problems_of(uow, found)
    touched = impact(
        here.session,
        [one for each in found if not each.is_removal for one in concerns(each.live, each.document)],
    )
    return show_form(
        "pages/studio/changes.html",
        fragment="fragments/changes/drafts.html",
        cards=[
            ChangeCard.of(here, each.kind, each.live, None if each.is_removal else each.document, each)
            for each in found
        ],
        digest=queries.digest(found),
        digest_of=lambda draft: queries.digest([draft]),
        errors=[_located(each, documents) for each in judged if each.is_error],
        warnings=[_located(each, documents) for each in judged if not each.is_error],
        touched=[(concern_words(each), _visible(here, each)) for each in touched],
        choices=migration_choices(found, touched),
        is_behind=any(each.is_behind for each in found),
        problems=problems,
        typed=request.form if request.method == "POST" else ImmutableMultiDict(),
        status=status,
    )


def _located(problem: DefinitionProblem, documents: Mapping[str, Document]) -> str:
    """A problem with the definition and the place in it at which it stands."""
    document = documents.get(problem.file)
    text = problem_line(problem, document)
    return f"{local(Label.of(document.get('label')))} › {text}" if document else text


def _visible(here: Scope, touched: Touched) -> list[tuple[int, str]]:
    """Those of the examples that the reader may see."""
    names = names_of_visible(here.session, here.actor, {record_id for record_id, _ in touched.examples})
    return [(record_id, name) for record_id, name in touched.examples if record_id in names]


def _show_change_set(number: int, problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    here = scope()
    facts, changed = queries.change_set(here.session, number)
    can_be_undone = all(each.live_id == (None if each.after is None else each.version_id) for each in changed)
    return show_form(
        "pages/studio/change_set.html",
        fragment="fragments/changes/change_set.html",
        facts=facts,
        cards=[ChangeCard.of(here, each.kind, each.before, each.after) for each in changed],
        sources=SOURCES,
        can_be_undone=can_be_undone,
        problems=problems,
        note=request.form.get("note", ""),
        status=status,
    )
