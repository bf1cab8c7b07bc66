"""One record with everything that its page shows: stays, answers, pending moves and shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, func, select
from sqlalchemy.orm import aliased

from builder.db.engine import PREPARED
from builder.db.ledger import MoveRequestRow, StayRow
from builder.db.people import Department, Member
from builder.db.records import Record, RecordShare
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import N_, Forbidden, NotFound
from builder.metadata.catalog import Catalog
from builder.queries.related import RelatedList, related_lists
from builder.queries.row import (
    FULL,
    FULL_WIDTH,
    REFERENCE,
    USER,
    FullRecord,
    full_of,
    names_of_members,
    names_of_records,
    pointed_at,
)
from builder.queries.veils import answered_as_seen, as_seen

WAITING = "waiting"
READ_ONLY = N_("This record was shared with you for reading. Ask its owner to let you change it.")


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A record that the actor sees. ``is_shared``: with them. ``may_change``: not only for reading; whether
    the actor has the rights for it is another question. ``whole``: with the values that the actor's role
    hides, by which moves are judged; never to be shown.
    """

    record: FullRecord
    department_name: str
    is_shared: bool
    may_change: bool
    whole: FullRecord


@dataclass(frozen=True, slots=True)
class StayView:
    """One visit to a stage, with the feedback given (``answers`` under ``feedback_version_id``).

    ``seconds`` is null while the record is still there or a time is unknown; ``left_via`` null: still there.
    ``tasks_done`` holds the ticked tasks and sub-tasks of the stage by key.
    """

    id: int
    sequence: int
    pipeline_key: str
    pipeline_version_id: int
    stage_key: str
    stage_kind: str
    entered_at: datetime | None
    left_at: datetime | None
    entered_via: str
    left_via: str | None
    seconds: float | None
    next_stage_key: str | None
    skipped: tuple[str, ...]
    is_loaded: bool
    feedback_key: str | None
    feedback_version_id: int | None
    answers: Mapping[str, Any]
    tasks_done: Mapping[str, Any]
    is_marked: bool
    reason_key: str | None
    reason_note: str | None
    override_reason: str | None
    entered_by: int | None
    entered_by_name: str
    left_by: int | None
    left_by_name: str

    @property
    def is_open(self) -> bool:
        return self.left_via is None


@dataclass(frozen=True, slots=True)
class PendingMove:
    """A parked move that waits for a decision."""

    id: int
    stay_id: int | None
    from_stage_key: str
    to_stage_key: str
    round: int
    command: Mapping[str, Any]
    approver_id: int | None
    approver_role: str | None
    requested_by: int | None
    requested_by_name: str
    requested_at: datetime
    comment: str | None


@dataclass(frozen=True, slots=True)
class Share:
    member_id: int
    member_name: str
    can_edit: bool


@dataclass(frozen=True)
class RecordPage:
    """``stays`` in order, the open one last; ``merged_stays``: those of records merged into it.
    ``names`` and ``members``: what the values point at, by id. ``unseen_answers``: feedback of the open one
    that the reader's role hides, by which moves are judged; never to be shown.
    """

    opened: OpenedRecord
    stays: tuple[StayView, ...]
    pending: tuple[PendingMove, ...]
    shares: tuple[Share, ...]
    related: tuple[RelatedList, ...]
    names: Mapping[int, str]
    members: Mapping[int, str]
    merged_stays: tuple[StayView, ...] = ()
    unseen_answers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> FullRecord:
        return self.opened.record

    @property
    def open_stay(self) -> StayView | None:
        return next((stay for stay in reversed(self.stays) if stay.is_open), None)


def find_record(
    session: WorkspaceSession, actor: Actor, record_id: int, *, with_deleted: bool = False
) -> OpenedRecord | None:
    """The record when it exists and the actor sees it, in one statement; otherwise nothing."""
    share: Any = aliased(RecordShare)
    statement = (
        FULL.add_columns(Department.name, share.id, share.can_edit)
        .outerjoin(Department, Department.id == Record.department_id)
        .outerjoin(share, and_(share.record_id == Record.id, share.member_id == actor.member_id))
        .where(Record.id == record_id)
        .execution_options(**PREPARED)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    record = full_of(row)
    department_name, share_id, may_edit = row[FULL_WIDTH:]
    is_shared = share_id is not None
    if record.deleted_at is not None and not with_deleted:
        return None
    place = (record.object_key, record.owner_id, record.department_id)
    if not actor.can_see(*place, is_shared=is_shared):
        return None
    may_change = bool(may_edit) or actor.can_see(*place)
    shown = as_seen(record, actor.veils.get(record.object_key))
    return OpenedRecord(shown, department_name or "", is_shared, may_change, record)


def get_record(
    session: WorkspaceSession, actor: Actor, record_id: int, *, with_deleted: bool = False
) -> OpenedRecord:
    """As ``find_record``. Errors: NotFound, the same whether it is absent or another's."""
    opened = find_record(session, actor, record_id, with_deleted=with_deleted)
    if opened is None:
        raise NotFound()
    return opened


def require_change(opened: OpenedRecord) -> None:
    """Errors: Forbidden when the record was shared with the actor for reading only."""
    if not opened.may_change:
        raise Forbidden(READ_ONLY)


def record_page(
    session: WorkspaceSession, catalog: Catalog, actor: Actor, record_id: int, *, with_deleted: bool = False
) -> RecordPage:
    """Everything the page of a record shows but its timeline; at most six statements. Errors: NotFound."""
    opened = get_record(session, actor, record_id, with_deleted=with_deleted)
    record = opened.record
    definition = catalog.object(record.object_key)
    stays, pending = stays_of(session, record_id) if record.pipeline_key else ((), ())
    unseen = {} if not actor.veils else _unseen(stays, actor)
    keys = tuple(definition.fields.by_key)
    known = {record.owner_id: record.owner_name} if record.owner_id is not None else {}
    referred = pointed_at(definition, (record,), keys, REFERENCE)
    if record.converted_from_id is not None:
        referred.add(record.converted_from_id)
    people = pointed_at(definition, (record,), keys, USER)
    people |= {member for member in (record.created_by, record.updated_by) if member}
    return RecordPage(
        opened=opened,
        stays=tuple(_as_seen(stay, actor) for stay in stays),
        unseen_answers=unseen,
        pending=pending,
        shares=shares_of(session, record_id),
        related=related_lists(session, catalog, actor, record),
        names=names_of_records(session, referred),
        members=known | names_of_members(session, people - known.keys()),
        merged_stays=tuple(
            _as_seen(stay, actor) for one in record.merged_ids or () for stay in stays_of(session, one)[0]
        ),
    )


def _as_seen(stay: StayView, actor: Actor) -> StayView:
    """The visit without the answers that the reader's role hides (S118)."""
    veil = actor.feedback_veil(stay.feedback_key)
    if veil is None or not veil.fields:
        return stay
    return replace(stay, answers=answered_as_seen(stay.answers, veil.fields))


def _unseen(stays: Sequence[StayView], actor: Actor) -> Mapping[str, Any]:
    """The hidden answers of the visit that lasts."""
    stay = next((one for one in stays if one.is_open), None)
    veil = actor.feedback_veil(stay.feedback_key) if stay else None
    if stay is None or veil is None:
        return {}
    return {key: value for key, value in stay.answers.items() if key in veil.fields}


def stays_of(
    session: WorkspaceSession, record_id: int
) -> tuple[tuple[StayView, ...], tuple[PendingMove, ...]]:
    """All stays of a record in order, and the moves that wait for a decision: one statement."""
    entered_by: Any = aliased(Member)
    left_by: Any = aliased(Member)
    requested_by: Any = aliased(Member)
    request: Any = MoveRequestRow
    names = [name for name in _STAY if name not in ("entered_by_name", "left_by_name")]
    statement = (
        select(
            *(getattr(StayRow, name) for name in names),
            func.coalesce(entered_by.name, "").label("entered_by_name"),
            func.coalesce(left_by.name, "").label("left_by_name"),
            *(getattr(request, name).label(f"request_{name}") for name in _PENDING),
            func.coalesce(requested_by.name, "").label("request_requested_by_name"),
        )
        .outerjoin(entered_by, entered_by.id == StayRow.entered_by)
        .outerjoin(left_by, left_by.id == StayRow.left_by)
        .outerjoin(
            request,
            and_(
                request.record_id == StayRow.record_id,
                request.stay_id == StayRow.id,
                request.status == WAITING,
                # What was asked for on an earlier visit is not waited for any more.
                StayRow.left_via.is_(None),
            ),
        )
        .outerjoin(requested_by, requested_by.id == request.requested_by)
        .where(StayRow.record_id == record_id)
        .order_by(StayRow.sequence)
    )
    stays: dict[int, StayView] = {}
    pending: dict[int, PendingMove] = {}
    for row in session.execute(statement).mappings():
        stays[row["id"]] = _stay(row)
        if row["request_id"] is not None:
            pending[row["request_id"]] = PendingMove(
                requested_by_name=row["request_requested_by_name"],
                **{name: row[f"request_{name}"] for name in _PENDING},
            )
    return tuple(stays.values()), tuple(pending.values())


_STAY = tuple(StayView.__dataclass_fields__)
_PENDING = tuple(name for name in PendingMove.__dataclass_fields__ if name != "requested_by_name")


def _stay(row: RowMapping) -> StayView:
    values = {name: row[name] for name in _STAY}
    values["skipped"] = tuple(values["skipped"] or ())
    values["answers"] = values["answers"] or {}
    values["tasks_done"] = values["tasks_done"] or {}
    return StayView(**values)


def shares_of(session: WorkspaceSession, record_id: int) -> tuple[Share, ...]:
    """Whom the record was shared with, by name."""
    rows = session.execute(
        select(RecordShare.member_id, Member.name, RecordShare.can_edit)
        .join(Member, Member.id == RecordShare.member_id)
        .where(RecordShare.record_id == record_id)
        .order_by(Member.name, Member.id)
    )
    return tuple(Share(*row) for row in rows)
