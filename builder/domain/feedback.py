"""What a stage or a task asks to be reported: one version of a feedback form (S4, S35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.domain.fields import FieldSet
from builder.domain.labels import Label


@dataclass(frozen=True)
class Feedback:
    """A feedback form. Each stay pins the ``version_id`` that was live when it opened (B3)."""

    key: str
    label: Label
    object_key: str
    fields: FieldSet
    version_id: int
    number: int
    checksum: str
    # As it was written: what a role does not see is left out of it (S118).
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
