"""Who may do what, and whose records one sees (rights and row visibility of part 8, S48)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Visibility: TypeAlias = Literal["own", "department", "subtree", "all"]

RIGHTS = (
    "record.create",
    "record.edit",
    "record.delete",
    "record.restore",
    "record.erase",
    "record.export",
    "record.reassign",
    "record.share",
    "move",
    "move.override",
    "import",
    "load_history",
    "definitions.edit",
    "members.edit",
    "insights.view",
    "view.share",
)


# Before the key of a feedback form among objects; no key of an object has a point.
FEEDBACK_MARK = "feedback."


@dataclass(frozen=True, slots=True)
class Veil:
    """What a reader's role hides of the records of one object, or of one feedback form (S118).

    ``fields``: keys of hidden fields, of all that is computed from them too. ``parts``: the parts in the
    process that those fields have (*amount*, *expected_close* …), whose typed columns are hidden as well.
    ``read_only``: keys of fields that the role sees and does not change. ``answers``: of an object, the
    hidden keys of all its feedback forms, for where history no more tells which form was answered.
    """

    fields: frozenset[str]
    parts: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or job on behalf of a person) that acts in one workspace.

    ``member_id`` is the person's id in this workspace; ``department_ids`` the departments of today;
    ``visible_department_ids`` those whose records the visibility opens (with descendants for
    *subtree*). ``open_objects``: keys of the objects without an owner field, whose records are the whole
    company's (``Catalog.open_objects``). ``veils``: what the role hides or only shows, by object
    (``Catalog.veils_of``); objects of which nothing is hidden have none. ``is_system``: the product itself
    (demo generator, migrations of data). ``has_shares``: whether single records may be shared with the
    person; false only where it was just read that none are.
    """

    member_id: int
    name: str
    role_key: str
    rights: frozenset[str]
    visibility: Visibility
    department_ids: tuple[int, ...] = ()
    visible_department_ids: tuple[int, ...] = ()
    manager_id: int | None = None
    is_system: bool = False
    open_objects: frozenset[str] = frozenset()
    veils: Mapping[str, Veil] = field(default_factory=dict)
    has_shares: bool = True

    def can(self, right: str) -> bool:
        return self.is_system or right in self.rights

    def hides(self, object_key: str, part: str) -> bool:
        """Whether the field of that part in the process (*amount* …) is hidden from the actor."""
        veil = self.veils.get(object_key)
        return veil is not None and part in veil.parts

    def feedback_veil(self, form_key: str | None) -> Veil | None:
        """What the role hides or only shows of a feedback form."""
        return self.veils.get(FEEDBACK_MARK + form_key) if form_key else None

    @property
    def sees_all_imports(self) -> bool:
        """Whose files and results one may look at: one's own, or everybody's where one keeps the people."""
        return self.can("members.edit")

    def sees_all_of(self, object_key: str) -> bool:
        """Whether no record of the object is hidden: row visibility is about objects with an owner field."""
        return self.is_system or self.visibility == "all" or object_key in self.open_objects

    def can_see(
        self, object_key: str, owner_id: int | None, department_id: int | None, *, is_shared: bool = False
    ) -> bool:
        """Row visibility of a record: the company's and one's own always; department and subtree by the
        record's department; shared adds.
        """
        if self.sees_all_of(object_key) or is_shared or owner_id == self.member_id:
            return True
        if self.visibility in ("department", "subtree"):
            return department_id is not None and department_id in self.visible_department_ids
        return False
