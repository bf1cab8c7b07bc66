"""Roles are data: what a person may do and whose records the person sees (part 8, S48)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.domain.labels import Label
from builder.domain.permissions import Visibility

# Parts in the process whose fields cannot be hidden: a record is known by its name, its owner says who sees
# it, and amounts mean nothing without their currency.
NEVER_HIDDEN = ("name", "owner", "currency")


@dataclass(frozen=True, slots=True)
class FieldRights:
    """The fields of one object that a role hides, and those that it only shows (S118), by key."""

    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Role:
    """``rights`` are names of ``permissions.RIGHTS``; ``fields``: by object, and by
    feedback form (``permissions.FEEDBACK_MARK`` and its key), what is hidden or only shown."""

    key: str
    label: Label
    rights: frozenset[str]
    visibility: Visibility
    checksum: str
    description: Label = Label(())
    fields: Mapping[str, FieldRights] = field(default_factory=dict)
