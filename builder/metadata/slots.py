"""Which slot column of ``record`` holds which filterable field (design.md §4): 20 for text, 20 for
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from builder.domain.fields import FieldDefinition
from builder.errors import N_, Invalid
from builder.fieldtypes.registry import type_of
from builder.metadata.grammar import DefinitionProblem, pointer

SLOTS_PER_KIND = 20
SLOTS = {kind: tuple(f"{kind}{number:02}" for number in range(1, SLOTS_PER_KIND + 1)) for kind in "tn"}

UNSOUND = N_("The fields cannot be used as they are.")
NO_SLOT_LEFT = N_("“%(field)s” cannot be filtered: the object already has %(limit)s such fields.")


def assign_slots(
    fields: Sequence[FieldDefinition], before: Mapping[str, str], found: list[DefinitionProblem] | None = None
) -> dict[str, str]:
    """The slot column of every filterable field: the one it had before, else a free one.

    Slots that never belonged to anyone are given out first, because old values may linger in the others until
    the records are projected again. Errors: Invalid (or an entry in ``found``) naming the field for which
    no slot of its kind is left; there are 20 for text and 20 for numbers.
    """
    wanted = [definition for definition in fields if definition.is_filterable and type_of(definition).slot]
    given = {
        definition.key: before[definition.key]
        for definition in wanted
        if before.get(definition.key, " ")[0] == type_of(definition).slot
    }
    complaints_here: list[DefinitionProblem] = [] if found is None else found
    for definition in wanted:
        if definition.key in given:
            continue
        taken = set(given.values())
        free = [slot for slot in SLOTS[str(type_of(definition).slot)] if slot not in taken]
        free.sort(key=lambda slot: slot in before.values())
        if free:
            given[definition.key] = free[0]
        else:
            values = {"field": definition.key, "limit": SLOTS_PER_KIND}
            place = pointer("properties", definition.key, "x-filterable")
            complaints_here.append(DefinitionProblem(NO_SLOT_LEFT, place, values))
    if found is None and complaints_here:
        raise Invalid(UNSOUND, problems=tuple(complaints_here))
    return given
