"""Who manages whom after somebody has handed over their place (S117)."""

from __future__ import annotations

from collections.abc import Mapping


def new_managers(managers: Mapping[int, int | None], leaver: int, successor: int) -> dict[int, int | None]:
    """The managers that change: whoever reported to ``leaver`` reports to ``successor``.

    ``managers`` is everybody's manager by member; nobody is above themselves. A successor who stood
    below the leaver takes the leaver's place under the leaver's own manager, so that nobody comes to stand
    above themselves.
    """
    changed: dict[int, int | None] = {
        member: successor for member, manager in managers.items() if manager == leaver and member != successor
    }
    if _is_below(managers, successor, leaver):
        changed[successor] = managers.get(leaver)
    return {member: manager for member, manager in changed.items() if managers.get(member) != manager}


def _is_below(managers: Mapping[int, int | None], member: int, above: int) -> bool:
    seen: set[int] = set()
    current = managers.get(member)
    while current is not None and current not in seen:
        if current == above:
            return True
        seen.add(current)
        current = managers.get(current)
    return False
