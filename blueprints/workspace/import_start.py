"""Where the mapping of a file starts from: the names of its columns, a preset, a mapping that was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from blueprints.forms import chosen_id
from blueprints.messages import local
from builder.db.ids import to_public
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Invalid
from builder.exchange.presets import presets, recognised
from builder.exchange.profile import TableProfile
from builder.queries.import_mappings import MappingRow, mappings
from builder.services.import_choices import Choices
from builder.services.import_mappings import columns_key, mapping_choices
from builder.services.import_presets import find_preset, first_choices, preset_choices
from builder.services.unit_of_work import UnitOfWork

_PRESET, _SAVED = "preset", "saved"


@dataclass(frozen=True)
class StartPage:
    """What can be started from: ``groups`` of (title, [(value, label, is chosen)]); ``chosen`` is in use,
    ``recognised`` the label of the preset that the headers tell, ``saved`` the name of the mapping in use.
    """

    groups: tuple[tuple[str, tuple[tuple[str, Any, bool], ...]], ...]
    chosen: str
    recognised: Any = None
    saved: str = ""


def begun(
    uow: UnitOfWork, profile: TableProfile, definition: ObjectDefinition, wanted: str | None
) -> tuple[str, Choices]:
    """Where to start from and what that proposes; without a wish, the mapping that was last saved for these
    headers, else the preset that they tell.

    Errors: Invalid, NotFound for a start that there is not.
    """
    if wanted is None:
        wanted = _best(uow, profile, definition)
    kind, _, key = wanted.partition(":")
    if kind == _PRESET:
        return wanted, preset_choices(uow, find_preset(key), profile, definition)
    if kind == _SAVED:
        return wanted, mapping_choices(uow, chosen_id(key) or 0, profile, definition)
    if wanted:
        raise Invalid(N_("There is nothing of this name to start from."))
    return "", first_choices(uow, profile, definition)


def _best(uow: UnitOfWork, profile: TableProfile, definition: ObjectDefinition) -> str:
    saved = _fitting(uow, profile, definition.key)
    if saved:
        return f"{_SAVED}:{to_public(max(saved, key=lambda row: (row.updated_at, row.id)).id)}"
    known = recognised(profile)
    return f"{_PRESET}:{known.key}" if known else ""


def _fitting(uow: UnitOfWork, profile: TableProfile, object_key: str) -> list[MappingRow]:
    """Mappings that were made for these headers."""
    key = columns_key(profile.headers)
    return [row for row in mappings(uow.session, object_key) if row.columns_key == key]


def start_page(uow: UnitOfWork, profile: TableProfile, job: Any, chosen: str) -> StartPage:
    """What the page offers, with what is in use."""
    known = recognised(profile)
    listed = [("", gettext("the names of the columns"), not chosen)]
    listed += [
        (value, local(preset.label), value == chosen)
        for preset in presets().values()
        if (value := f"{_PRESET}:{preset.key}")
    ]
    saved = [
        (value, row.name, value == chosen)
        for row in _fitting(uow, profile, job.object_key)
        if (value := f"{_SAVED}:{to_public(row.id)}")
    ]
    groups: list[tuple[str, tuple[tuple[str, Any, bool], ...]]] = [("", tuple(listed))]
    if saved:
        groups.append((gettext("Saved for these headers"), tuple(saved)))
    return StartPage(
        groups=tuple(groups),
        chosen=chosen,
        recognised=local(known.label) if known else None,
        saved=next((name for _, name, is_chosen in saved if is_chosen), ""),
    )
