"""Trying the drafts of a process on its own past before they are published (B8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import show_form
from blueprints.insights.words import money, number
from blueprints.messages import local, message
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from builder.domain.pipeline import Pipeline
from builder.domain.simulation import VERDICTS, Cause
from builder.errors import Invalid
from builder.queries.drafts import drafts_count
from builder.queries.row import names_of_visible
from builder.services.definitions import EDIT
from builder.services.simulation import SIZES, Simulation, simulate

MOST_CAUSES = 40
WORDS = {
    "passes": (lazy_gettext("go through"), "green"),
    "asks": (lazy_gettext("go through after a warning"), "yellow"),
    "parked": (lazy_gettext("wait for an approval"), "azure"),
    "set_aside": (lazy_gettext("go through by an override"), "orange"),
    "refused": (lazy_gettext("are refused"), "red"),
    "gone": (lazy_gettext("lead from or to a stage that goes"), "gray"),
}


@dataclass(frozen=True)
class CauseLine:
    """What the drafts ask for that nobody asked for before, in words."""

    text: str
    way: str
    verdict: str
    colour: str
    count: int
    examples: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, pipeline: Pipeline, cause: Cause, seen: Mapping[int, str]) -> CauseLine:
        """``seen``: the names of the records that the reader sees."""
        stages = [
            local(pipeline.by_key[key].label) if key in pipeline.by_key else key
            for key in (cause.from_stage, cause.to_stage)
        ]
        words, colour = WORDS[cause.verdict]
        text = message(cause.unmet.message_key, cause.unmet.values)
        examples = tuple((record_id, seen[record_id]) for record_id in cause.examples if record_id in seen)
        return cls(text, " → ".join(stages), str(words), colour, cause.count, examples)


@studio.get("/processes/<pipeline_key>/trial")
def trial(pipeline_key: str) -> Response:
    """``?last=``: on how many records; nothing is written."""
    here = scope()
    here.require(EDIT)
    last = request.args.get("last", str(SIZES[1]))
    size = int(last) if last in map(str, SIZES) else 0
    pipeline = here.catalog.pipeline(pipeline_key)
    page: dict[str, Any] = {
        "pipeline": pipeline,
        "last": size,
        "sizes": SIZES,
        "fragment": "fragments/process/trial.html",
    }
    try:
        found = simulate(here.unit_of_work(), pipeline_key, size)
    except Invalid as error:
        problem = message(error.message_key, error.values)
        return show_form("pages/studio/trial.html", status=422, found=None, problem=problem, **page)
    compared = found.comparison
    causes = compared.causes[:MOST_CAUSES]
    examples = {record_id for cause in causes for record_id in cause.examples}
    seen = names_of_visible(here.session, here.actor, examples)
    return show_form(
        "pages/studio/trial.html",
        found=found,
        draft_count=drafts_count(here.session),
        verdicts=[(*WORDS[key], compared.now[key], compared.then[key]) for key in VERDICTS],
        causes=[CauseLine.of(pipeline, each, seen) for each in causes],
        further=max(0, len(compared.causes) - MOST_CAUSES),
        forecast=_money_lines(found) if _sees_amounts(here, pipeline) else [],
        number=number,
        **page,
    )


def _sees_amounts(here: Scope, pipeline: Pipeline) -> bool:
    veil = here.actor.veils.get(pipeline.object_key)
    return veil is None or "amount" not in veil.parts


def _money_lines(found: Simulation) -> list[tuple[str, str, str]]:
    """Weighted amount now, with the drafts, and the difference, by currency."""
    return [
        (money(now, code), money(then, code), ("+" if then > now else "") + money(then - now, code))
        for code, (now, then) in sorted(found.forecast.items())
    ]
