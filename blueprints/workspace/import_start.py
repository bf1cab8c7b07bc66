"""Where the mapping of a file starts from: the names of its columns, or how another product writes files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from blueprints.messages import local
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Invalid
from builder.exchange.presets import presets, recognised
from builder.exchange.profile import TableProfile
from builder.services.import_presets import find_preset, first_choices, preset_choices
from builder.services.import_setup import Choices
from builder.services.unit_of_work import UnitOfWork

_PRESET = "preset"


@dataclass(frozen=True)
class StartPage:
    """What can be started from: ``groups`` of (title, [(value, label, is chosen)]); ``chosen`` is in use,
    ``recognised`` the label of the preset that the headers tell, if any.
    """

    groups: tuple[tuple[str, tuple[tuple[str, Any, bool], ...]], ...]
    chosen: str
    recognised: Any = None


def begun(
    uow: UnitOfWork, profile: TableProfile, definition: ObjectDefinition, wanted: str | None
) -> tuple[str, Choices]:
    """Where to start from and what that proposes; without a wish, the preset that the headers tell.

    Errors: Invalid for a start that there is not.
    """
    if wanted is None:
        known = recognised(profile)
        wanted = f"{_PRESET}:{known.key}" if known else ""
    kind, _, key = wanted.partition(":")
    if kind == _PRESET:
        return wanted, preset_choices(uow, find_preset(key), profile, definition)
    if wanted:
        raise Invalid(N_("There is nothing of this name to start from."))
    return "", first_choices(uow, profile, definition)


def start_page(uow: UnitOfWork, profile: TableProfile, job: Any, chosen: str) -> StartPage:
    """What the page offers, with what is in use."""
    known = recognised(profile)
    listed = [("", gettext("the names of the columns"), not chosen)]
    listed += [
        (value, local(preset.label), value == chosen)
        for preset in presets().values()
        if (value := f"{_PRESET}:{preset.key}")
    ]
    return StartPage(
        groups=(("", tuple(listed)),),
        chosen=chosen,
        recognised=local(known.label) if known else None,
    )
