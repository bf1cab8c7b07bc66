"""Plug-ins: what installed packages add through entry points, without a change of the core (S24)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

FIELD_TYPES = "funnelwright.field_types"
REPORTS = "funnelwright.reports"


class BrokenPlugIn(Exception):
    """A plug-in cannot be loaded. It is named: the program does not start without what somebody counts on."""


@cache
def plugged(group: str) -> tuple[Any, ...]:
    """What the entry points of a group make, in the order of their names: each is called without arguments.

    Errors: BrokenPlugIn.
    """
    made = []
    for entry in sorted(entry_points(group=group), key=lambda each: each.name):
        # code of others may fail in any way
        try:
            made.append(entry.load()())
        except Exception as error:
            owner = entry.dist.name if entry.dist else "?"
            raise BrokenPlugIn(f"the plug-in {entry.value} of the package {owner}: {error!r}") from error
    return tuple(made)
