"""What the names in a file mean: records for reference fields, members for owners and users.

Names are looked up once for many rows. A name is matched, in this order, by the key from an earlier import,
by the record's name, by the name without regard to case, and by the name without spaces and punctuation when
only one record is called so (``GTXPro`` is *GTX Pro*). Two records of one name are nobody's guess: refused,
unless the key of an export stands behind the name (``queries.record_keys``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from builder.db.people import Member
from builder.db.records import Record
from builder.domain.fields import FieldDefinition
from builder.domain.roles import Role
from builder.errors import N_, Conflict, Invalid
from builder.exchange.mapping import plain
from builder.queries.record_keys import id_behind
from builder.queries.visibility import visible
from builder.services.people import PersonFacts
from builder.services.people import add as add_person
from builder.services.records import NewRecord, Refusal, create_many
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import CHUNK

SEVERAL = N_("Several are called “%(value)s”, so it is not clear which is meant.")
NO_ROLE = N_("No role of this workspace suits people who own records, so nobody can be created.")
# Up to so many records all their names are held in memory; beyond, only those that a batch names.
HELD = 20_000


class _Index:
    """Ids by name, from the most exact reading to the loosest."""

    def __init__(self) -> None:
        self._readings: tuple[dict[str, set[int]], ...] = tuple(defaultdict(set) for _ in range(4))

    def add(self, record_id: int, name: str, key: str | None = None) -> None:
        exact, same, folded, loose = self._readings
        if key:
            exact[key].add(record_id)
        if name:
            same[name].add(record_id)
            folded[name.casefold()].add(record_id)
            loose[plain(name)].add(record_id)

    def add_key(self, record_id: int, key: str) -> None:
        """A further key, unless it is the own one of another record."""
        self._readings[0].setdefault(key, {record_id})

    def find(self, text: str) -> int | None:
        """Errors: Invalid when several are called so under the first reading that finds any."""
        for reading, form in zip(self._readings, (text, text, text.casefold(), plain(text)), strict=True):
            found = reading.get(form) if form else None
            if not found:
                continue
            if len(found) > 1:
                raise Invalid(SEVERAL, value=text[:80])
            return next(iter(found))
        return None


class RecordNames:
    """Records of one object by name, as far as the actor sees them."""

    def __init__(self, uow: UnitOfWork, object_key: str, made: set[int]) -> None:
        self._uow = uow
        self._made = made
        self._object_key = object_key
        self._index = _Index()
        self._known: set[str] = set()
        self._created: dict[int, str] = {}
        self._is_whole = False

    def forget_some(self) -> None:
        """Before a batch: do not let a long file fill the memory with the names that it has used so far.

        What was made here stays known, whether or not the actor would see it.
        """
        if self._is_whole or len(self._known) <= HELD:
            return
        self._index, self._known = _Index(), set()
        for record_id, name in self._created.items():
            self._index.add(record_id, name)

    def ensure(self, texts: Iterable[str]) -> None:
        """Read what ``texts`` may mean: everything once for a small object, else just these names."""
        wanted = {text for text in texts if text} - self._known
        if self._is_whole or not wanted:
            return
        if not self._known and self._is_small():
            self._read(None)
            self._is_whole = True
            return
        self._known |= wanted
        names = sorted(wanted)
        for start in range(0, len(names), CHUNK):
            self._read(names[start : start + CHUNK])

    def find(self, text: str) -> str | None:
        found = id_behind(text) or self._index.find(text)
        return None if found is None else str(found)

    def create(self, texts: Collection[str]) -> None:
        """Create a record with nothing but its name for each text. What is refused stays unknown."""
        definition = self._uow.catalog.object(self._object_key)
        name = definition.fields.by_role.get("name")
        if name is None or not texts:
            return
        news = [NewRecord({name.key: text}) for text in sorted(texts)]
        for new, result in zip(news, create_many(self._uow, self._object_key, news), strict=True):
            if not isinstance(result, Refusal):
                self._index.add(new.id, new.values[name.key])
                self._created[new.id] = new.values[name.key]
                self._made.add(new.id)

    def _is_small(self) -> bool:
        ids = select(Record.id).where(Record.object_key == self._object_key, Record.deleted_at.is_(None))
        count = self._uow.session.scalar(select(func.count()).select_from(ids.limit(HELD + 1).subquery()))
        return (count or 0) <= HELD

    def _read(self, names: Collection[str] | None) -> None:
        statement = select(Record.id, Record.name, Record.external_key).where(
            Record.object_key == self._object_key, Record.deleted_at.is_(None)
        )
        rule = visible(self._uow.actor, (self._object_key,))
        if rule is not None:
            statement = statement.where(rule)
        if names is not None:
            statement = statement.where(or_(Record.name.in_(names), Record.external_key.in_(names)))
        for record_id, name, key in self._uow.session.execute(statement):
            self._index.add(record_id, name, key)
        self._read_merged(names)

    def _read_merged(self, names: Collection[str] | None) -> None:
        """Keys of records that were merged mean the records that they were merged into."""
        merged: Any = aliased(Record)
        statement = (
            select(Record.id, merged.external_key)
            .join(merged, merged.merged_into_id == Record.id)
            .where(
                Record.object_key == self._object_key,
                Record.deleted_at.is_(None),
                merged.external_key.is_not(None),
            )
        )
        rule = visible(self._uow.actor, (self._object_key,))
        if rule is not None:
            statement = statement.where(rule)
        if names is not None:
            statement = statement.where(merged.external_key.in_(names))
        for record_id, key in self._uow.session.execute(statement):
            self._index.add_key(record_id, key)


class MemberNames:
    """Members of the workspace by e-mail address or name, those who left included."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._index = _Index()
        for member_id, name, email in uow.session.execute(select(Member.id, Member.name, Member.email)):
            self._index.add(member_id, name, email)
            if email:
                self._index.add(member_id, email)

    def find(self, text: str) -> str | None:
        found = id_behind(text) or self._index.find(text)
        return None if found is None else str(found)

    def create(self, texts: Iterable[str]) -> None:
        """Add a colleague without a sign-in for each name. Errors: Forbidden, Invalid."""
        for text in sorted(set(texts)):
            if self.find(text) is None:
                role = owning_role(self._uow.catalog.roles.values())
                person = add_person(self._uow, PersonFacts(text[:200], role.key))
                self._index.add(person.member_id, text)


def owning_role(roles: Iterable[Role]) -> Role:
    """The role with the fewest rights among those that may move records on: what a salesperson needs.

    Errors: Conflict when no role may.
    """
    able = [role for role in roles if {"move", "record.edit"} <= role.rights]
    if not able:
        raise Conflict(NO_ROLE)
    return min(able, key=lambda role: (len(role.rights), role.key))


class Names:
    """All lookups of one import, kept over its batches. ``made``: the records that it created for names."""

    def __init__(self, uow: UnitOfWork, *, create_users: bool, create_references: bool) -> None:
        self._uow = uow
        self.made: set[int] = set()
        self._records: dict[str, RecordNames] = {}
        self.members = MemberNames(uow)
        self._create_users = create_users
        self._create_references = create_references

    def resolve(self, field: FieldDefinition, text: str) -> str | None:
        """The id that ``text`` means in a user or reference field."""
        if field.type == "user":
            return self.members.find(text)
        return self.of_object(str(field.params["target"])).find(text)

    def of_object(self, object_key: str) -> RecordNames:
        if object_key not in self._records:
            self._records[object_key] = RecordNames(self._uow, object_key, self.made)
        return self._records[object_key]

    def forget_some(self) -> None:
        """Before a batch: keep no more names than ``RecordNames`` holds."""
        for records in self._records.values():
            records.forget_some()

    def prepare(self, field: FieldDefinition, texts: Collection[str]) -> None:
        """Read what the texts of a column mean, and create what is missing where the plan says so."""
        names = {text.strip() for text in texts} - {""}
        if field.type == "user":
            self.prepare_members(names, create=self._create_users)
            return
        records = self.of_object(str(field.params["target"]))
        records.ensure(names)
        if self._create_references:
            records.create({text for text in names if _is_unknown(records, text)})

    def prepare_members(self, texts: Collection[str], *, create: bool) -> None:
        if create:
            self.members.create(text for text in texts if _is_unknown(self.members, text))

    def can_create(self, field: FieldDefinition) -> bool:
        return self._create_users if field.type == "user" else self._create_references


def _is_unknown(names: RecordNames | MemberNames, text: str) -> bool:
    """Whether nothing is called so; of several, none is unknown."""
    try:
        return names.find(text) is None
    except Invalid:
        return False
