"""One service call, one transaction: what every write works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, select

from builder.clock import Clock
from builder.db.ids import new_id
from builder.db.ledger import EventRow
from builder.db.people import Workspace
from builder.db.rows import JsonText, insert_rows
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Forbidden
from builder.metadata.catalog import Catalog
from builder.queries.definitions import load_catalog
from builder.queries.taken import TakenRecord, take_record

_STAMP = select(Workspace.__table__.c.definitions_stamp).where(
    Workspace.__table__.c.id == bindparam("workspace", type_=BigInteger)
)
_WITH_OTHERS = _STAMP.with_for_update(read=True, key_share=True)
_ALONE = _STAMP.with_for_update()


@dataclass
class UnitOfWork:
    """A session bound to a workspace, the actor, the workspace's live definitions and the time.

    A service begins the write (``begin``), changes rows, logs events; the caller commits once, or
    leaves without committing, which rolls everything back. Not shared between threads. ``batch_id``: what
    is logged from here on is a part of that batch, which can be undone as a whole (B24). ``origin``: the
    network address that the request came from. ``is_beside``: made by ``beside``.
    ``folds_later``: whoever holds it folds the roll-up where ``is_fold_due`` says so afterwards.
    """

    session: WorkspaceSession
    workspace: WorkspaceInfo
    actor: Actor
    catalog: Catalog
    clock: Clock
    request_id: str | None = None
    batch_id: int | None = None
    origin: str | None = None
    is_beside: bool = False
    folds_later: bool = False
    is_fold_due: bool = False
    _events: list[dict[str, Any]] = field(default_factory=list)
    _writing: Any = None
    _taken: TakenRecord | None = None
    _deferred: list[tuple[Callable[[UnitOfWork, list[Any]], None], Any]] = field(default_factory=list)

    def begin(self, *, alone: bool = False, on: int | None = None) -> None:
        """Start writing. Reads from here on see what they will change, and ``catalog`` is the live one.

        ``on``: the record that the write is about to load (``load_standing``); it is read and locked in the
        same statement.

        A write by definitions that somebody replaced since they were read would leave wrong copies and sums.
        So every write shares a lock on its workspace, and what changes definitions or recomputes copies asks
        for it ``alone`` (SQLite has one writer anyway): it waits for running writes, and later ones for it.
        """
        self.session.begin_write()
        running = self.session.get_transaction()
        if running is self._writing and not alone:
            return
        self._writing = running
        self._taken = None if on is None or alone else take_record(self.session, on)
        if self._taken is None:
            self._renew(_ALONE if alone else _WITH_OTHERS)
        else:
            self._go_on_with(self._taken.stamp)

    def taken(self, record_id: int) -> TakenRecord | None:
        """The record that the write began on, once: whoever asks again may have changed it."""
        taken = self._taken
        if taken is None or taken.record["id"] != record_id or not self.session.is_writing:
            return None
        self._taken = None
        return taken

    def _renew(self, statement: Select[int]) -> None:
        self._go_on_with(
            self.session.connection().execute(statement, {"workspace": self.workspace.id}).scalar()
        )

    def _go_on_with(self, stamp: int | None) -> None:
        if stamp is not None and stamp != self.workspace.definitions_stamp:
            self.workspace = replace(self.workspace, definitions_stamp=stamp)
            self.renew_catalog()

    def renew_catalog(self) -> None:
        """Go on with the definitions of the workspace's stamp, by which the actor sees records as well."""
        self.catalog = load_catalog(self.session, self.workspace)
        veils = {} if self.actor.is_system else self.catalog.veils_of(self.actor.role_key)
        self.actor = replace(self.actor, open_objects=self.catalog.open_objects, veils=veils)

    @property
    def shown(self) -> Catalog:
        """The definitions as the actor sees them (S118): what is shown, asked for, exported or brought by a
        file. ``catalog`` is the whole truth, by which records are written and moves are judged.
        """
        return self.catalog.seen_by(self.actor.role_key) if self.actor.veils else self.catalog

    def begin_snapshot(self) -> None:
        """Start reading one state of the database, whatever others write; ``catalog`` is that of then."""
        self.session.begin_snapshot()
        self._renew(_STAMP)

    @contextmanager
    def beside(self) -> Iterator[UnitOfWork]:
        """Another unit of work of the same actor: for a thread that reads while this one writes, or for what
        follows when it is done."""
        with closing(WorkspaceSession(self.session.get_bind(), expire_on_commit=False)) as session:
            session.bind_workspace(self.workspace.id)
            yield UnitOfWork(session, self.workspace, self.actor, self.catalog, self.clock, is_beside=True)

    def pause(self) -> None:
        """Enough was read for now. A unit of work that reads beside another lets go of the state that it has
        seen: as long as SQLite keeps one for a reader, its log of writes only grows.
        """
        if self.is_beside:
            self.session.commit()

    def require(self, right: str) -> None:
        """Raise Forbidden unless the actor has the right."""
        if not self.actor.can(right):
            raise Forbidden(
                N_("Your role does not include the right “%(right)s”. Ask an admin."), right=right
            )

    def log(
        self,
        kind: str,
        *,
        record_id: int | None = None,
        object_key: str | None = None,
        data: Mapping[str, Any] | None = None,
        effective_at: datetime | None = None,
    ) -> None:
        """Append an event; it is written with the commit, in the order of the calls. ``data`` is as it is
        now; parts of it may be written already.
        """
        now = self.clock.now()
        self._events.append(
            {
                "workspace_id": self.workspace.id,
                "id": new_id(),
                "kind": kind,
                "effective_at": effective_at or now,
                "recorded_at": now,
                "actor_id": None
                if self.actor.is_system and not self.actor.member_id
                else self.actor.member_id,
                "object_key": object_key,
                "record_id": record_id,
                "data": JsonText.of_parts(data or {}),
                "request_id": self.request_id,
                "batch_id": self.batch_id,
                "origin": self.origin,
            }
        )

    def has_logged(self, kind: str, record_id: int) -> bool:
        """Whether this unit of work has logged such an event that is not written yet."""
        return any(event["kind"] == kind and event["record_id"] == record_id for event in self._events)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is undone by itself when it raises; what went before it in the transaction stays."""
        logged, deferred = len(self._events), len(self._deferred)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self._events[logged:]
            del self._deferred[deferred:]
            raise

    def defer(self, settle: Callable[[UnitOfWork, list[Any]], None], item: Any) -> None:
        """Have ``settle`` called once before the commit, with all items deferred to it, in their order."""
        self._deferred.append((settle, item))

    def settle(self) -> None:
        """Carry out what was deferred, and what that defers."""
        while self._deferred:
            waiting: dict[Callable[[UnitOfWork, list[Any]], None], list[Any]] = {}
            for settle, item in self._deferred:
                waiting.setdefault(settle, []).append(item)
            self._deferred = []
            for settle, items in waiting.items():
                settle(self, items)

    def flush(self) -> None:
        """Write pending rows and events now, within the transaction."""
        self.session.flush()
        if self._events:
            insert_rows(self.session, EventRow, self._events)
            self._events = []

    def commit(self) -> None:
        self.settle()
        self.flush()
        self.session.commit()

    def rollback(self) -> None:
        self._taken = None
        self._events = []
        self._deferred = []
        self.session.rollback()
