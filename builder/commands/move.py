"""`move`: one record through the one door, from the command line (B1)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import open_workspace, print_json
from builder.errors import N_, Invalid

if TYPE_CHECKING:
    from builder.services.transitions import MoveRecord
    from builder.services.unit_of_work import UnitOfWork

REFUSED = 3
PARKED = 4
NO_ID = N_("“%(text)s” is no id of a record. It is the last part of the record's address.")


@click.command()
@click.argument("record")
@click.option("--to", "to_stage", required=True, metavar="STAGE", help="Key of the stage.")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--value", "values", multiple=True, metavar="FIELD=JSON", help="A field of the record.")
@click.option("--answer", "answers", multiple=True, metavar="FIELD=JSON", help="Feedback on the stage left.")
@click.option("--done", multiple=True, metavar="TASK", help="A task, or task/sub-task, that is done.")
@click.option("--marked", is_flag=True, help="The sign of the stage is there.")
@click.option("--reason", metavar="KEY", help="Why it is won, lost or invalid.")
@click.option("--note", default="", help="In your words.")
@click.option("--confirm", is_flag=True, help="Accept warnings.")
@click.option("--override", metavar="REASON", help="Set the gate aside, by right and with a reason.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def move(record: str, to_stage: str, workspace: str, as_json: bool, **said: Any) -> None:
    """Move RECORD (the id in its address). Ends with 0 applied, 3 refused, 4 waiting for approval."""
    from builder.domain.transitions import Refused
    from builder.services import transitions
    from builder.services.transitions import Waiting

    with open_workspace(workspace) as uow:
        result = transitions.move(uow, _command(uow, record, to_stage, said))
        if not isinstance(result, Refused):
            uow.commit()
    if isinstance(result, Refused):
        reasons = [_reason(item) for item in result.unmet]
        _tell({"result": "refused", "reasons": reasons}, as_json, [reason["message"] for reason in reasons])
        sys.exit(REFUSED)
    if isinstance(result, Waiting):
        _tell({"result": "parked"}, as_json, ["The move waits for approval."])
        sys.exit(PARKED)
    moved = {
        "result": "applied",
        "revision": result.revision,
        "from": result.planned.from_stage,
        "to": to_stage,
    }
    _tell(moved, as_json, [f"Moved from {result.planned.from_stage} to {to_stage}."])


def _command(uow: UnitOfWork, record: str, to_stage: str, said: dict[str, Any]) -> MoveRecord:
    """What was said, as the one door takes it. ``--done`` adds to the tasks that are ticked already."""
    from builder.db.ids import from_public
    from builder.queries.record import record_page
    from builder.services.transitions import MoveRecord

    try:
        record_id = from_public(record)
    except ValueError:
        raise Invalid(NO_ID, text=record[:80]) from None
    done = frozenset(said["done"])
    if done:
        stay = record_page(uow.session, uow.catalog, uow.actor, record_id).open_stay
        done |= frozenset(stay.tasks_done) if stay else frozenset()
    return MoveRecord(
        record_id,
        to_stage,
        values=_pairs(said["values"]),
        answers=_pairs(said["answers"]),
        done_tasks=done or None,
        is_marked=said["marked"] or None,
        reason_key=said["reason"],
        reason_note=said["note"],
        is_confirmed=said["confirm"],
        override_reason=said["override"],
    )


def _pairs(texts: tuple[str, ...]) -> dict[str, Any]:
    """``field=json``; what is no JSON is taken as text."""
    pairs: dict[str, Any] = {}
    for text in texts:
        key, _, value = text.partition("=")
        try:
            pairs[key] = json.loads(value)
        except ValueError:
            pairs[key] = value
    return pairs


def _reason(item: Any) -> dict[str, Any]:
    from builder.domain.labels import Label

    values = {
        name: value.text() if isinstance(value, Label) else value for name, value in item.values.items()
    }
    return {
        "kind": item.kind,
        "severity": item.severity,
        "field": item.field,
        "pointer": item.pointer,
        "message": item.message_key % values if values else item.message_key,
    }


def _tell(document: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    if as_json:
        print_json(document)
    else:
        for line in lines:
            click.echo(line)
