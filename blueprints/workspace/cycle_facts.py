"""How long a record has been on its way, against the average cycle of its product or process (S13)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.area import record_address
from builder.domain.cycle import CycleAge, cycle_age
from builder.domain.pipeline import Pipeline
from builder.queries.cycles import product_cycles
from builder.queries.record import RecordPage
from builder.queries.reminders import reminders
from builder.queries.row import names_of_records


@dataclass(frozen=True, slots=True)
class ShownCycle:
    """``text``: “day 38 of 45”; ``source``: whose average it is; ``tone``: over, near, or nothing."""

    text: str
    source: str
    tone: str


def shown_cycle(here: Scope, page: RecordPage) -> ShownCycle | None:
    """Nothing for a record in no process, or where no cycle is known.

    The process counts as it is now, whatever version the record is on: an average describes all of them.
    """
    record = page.record
    pipeline = here.catalog.pipelines.get(record.pipeline_key or "")
    if pipeline is None or record.started_at is None:
        return None
    day_of = here.workspace.day_of
    age = cycle_age(
        day_of(record.started_at),
        day_of(record.closed_at or here.clock.now()),
        pipeline.average_cycle_days,
        product_cycles(here.session, here.catalog, here.actor, record.object_key, record.data),
        pipeline.reminder_days,
    )
    if age is None:
        return None
    text = (
        gettext("%(age)s days, on average %(days)s", age=age.age, days=age.days)
        if record.closed_at
        else gettext("day %(age)s of %(days)s", age=age.age, days=age.days)
    )
    return ShownCycle(text, _source(here, page, pipeline, age), _tone(age))


@dataclass(frozen=True, slots=True)
class ShownReminder:
    """An own record near the end of its average cycle, or beyond it, on Today."""

    address: str
    name: str
    cycle: ShownCycle


def shown_reminders(here: Scope) -> list[ShownReminder]:
    """The reader's reminders, the most urgent first; with the products that the averages belong to."""
    found = reminders(here.session, here.catalog, here.workspace, here.actor, here.clock.now())
    names = names_of_records(here.session, {one.age.product_id for one in found if one.age.product_id})
    shown = []
    for one in found:
        text = gettext("day %(age)s of %(days)s", age=one.age.age, days=one.age.days)
        process = str(local(here.catalog.pipelines[one.pipeline_key].label))
        source = names.get(one.age.product_id or 0, process)
        shown.append(
            ShownReminder(record_address(one.id), one.name, ShownCycle(text, source, _tone(one.age)))
        )
    return shown


def _tone(age: CycleAge) -> str:
    if age.is_over:
        return "over"
    return "near" if age.is_near else ""


def _source(here: Scope, page: RecordPage, pipeline: Pipeline, age: CycleAge) -> str:
    """The product or process that the average belongs to."""
    if age.product_id is None:
        return str(local(pipeline.label))
    known = page.names.get(age.product_id)
    return known or names_of_records(here.session, (age.product_id,)).get(age.product_id, "")
