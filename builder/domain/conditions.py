"""The one condition language (idea 5, B11): grammar, parsing and the Python evaluator.

A condition document is one of ``{"all": […]}``, ``{"any": […]}``, ``{"not": c}`` or
``{"field": key, "op": name, "value": v}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field op value``; ``field`` is a field key, ``feedback.<key>`` or ``record.<column>``."""

    field: str
    op: str
    value: Any = None


Condition: TypeAlias = All | AnyOf | Not | Comparison

ALWAYS = All(())
