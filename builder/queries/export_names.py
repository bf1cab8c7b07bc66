"""Names of what records point at, for a file: read for a whole batch at once and kept for the next ones.

A name reads back as the same record or person: where several are called so, or whoever exports could not
find it by its name, its key stands behind it (``queries.record_keys``). The import looks for the external
key, then for the name; so does this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import or_, select

from builder.db.people import Department, Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.queries.record_keys import id_behind, with_key
from builder.queries.visibility import visible

# Names that are kept at most; beyond, those of earlier batches are read again when they come again.
KEPT = 100_000


class RecordTexts:
    """Texts for records of one object by id (decimal text): ``texts`` holds those that were read."""

    def __init__(self, session: WorkspaceSession, actor: Actor, object_key: str) -> None:
        self._session = session
        self._actor = actor
        self._object_key = object_key
        self.texts: dict[str, str] = {}

    def read(self, ids: Iterable[str]) -> None:
        """Read what is not known yet: two statements."""
        if len(self.texts) > KEPT:
            self.texts.clear()
        wanted = {int(text) for text in ids if text not in self.texts}
        if not wanted:
            return
        names = dict(
            self._session.execute(select(Record.id, Record.name).where(Record.id.in_(sorted(wanted)))).all()
        )
        meant = self._meant(set(names.values()))
        for record_id, name in names.items():
            is_sure = _is_sure(name, record_id, meant)
            self.texts[str(record_id)] = name if is_sure else with_key(name, record_id)

    def _meant(self, names: set[str]) -> Mapping[str, set[int]]:
        """The records that an import by the same person would find under each name."""
        by_key: dict[str, set[int]] = defaultdict(set)
        by_name: dict[str, set[int]] = defaultdict(set)
        statement = select(Record.id, Record.name, Record.external_key).where(
            Record.object_key == self._object_key,
            Record.deleted_at.is_(None),
            or_(Record.name.in_(sorted(names)), Record.external_key.in_(sorted(names))),
        )
        rule = visible(self._actor, (self._object_key,))
        for record_id, name, key in self._session.execute(
            statement if rule is None else statement.where(rule)
        ):
            by_name[name].add(record_id)
            if key:
                by_key[key].add(record_id)
        return {name: by_key.get(name) or by_name.get(name) or set() for name in names}


def member_texts(session: WorkspaceSession) -> dict[str, str]:
    """Texts for all people of the workspace by id, those who left included: one statement."""
    rows = session.execute(select(Member.id, Member.name, Member.email))
    people = [(row.id, row.name, row.email) for row in rows]
    emails, names = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for member_id, name, email in people:
        names[name].add(member_id)
        if email:
            emails[email].add(member_id)
    meant = {text: emails.get(text) or names.get(text) or set() for text in {*names, *emails}}
    found: dict[str, str] = {}
    for member_id, name, email in people:
        sure = (text for text in (name, email or "") if _is_sure(text, member_id, meant))
        found[str(member_id)] = next(sure, None) or with_key(name, member_id)
    return found


def department_names(session: WorkspaceSession) -> dict[int, str]:
    """Names of all departments, those of the past included."""
    return {row.id: row.name for row in session.execute(select(Department.id, Department.name))}


def _is_sure(text: str, own_id: int, meant: Mapping[str, set[int]]) -> bool:
    return bool(text) and text == text.strip() and meant.get(text) == {own_id} and id_behind(text) is None
