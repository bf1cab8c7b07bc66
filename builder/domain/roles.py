"""Roles are data: what a person may do and whose records the person sees (part 8, S48)."""

from __future__ import annotations

from dataclasses import dataclass

from builder.domain.labels import Label
from builder.domain.permissions import Visibility


@dataclass(frozen=True)
class Role:
    """``rights`` are names of ``permissions.RIGHTS``."""

    key: str
    label: Label
    rights: frozenset[str]
    visibility: Visibility
    checksum: str
    description: Label = Label(())
