"""What an edit was refused for: each fault at its control and in the summary."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from blueprints.messages import message, named, told
from builder.errors import FunnelwrightError

# What the rows and controls are about whose faults do not say it themselves, by the head of their place.
PARTS = {
    "label": lazy_gettext("Name"),
    "description": lazy_gettext("Description"),
    "definition": lazy_gettext("Definition"),
    "goal": lazy_gettext("Goal"),
    "marker": lazy_gettext("Sign that it is done"),
    "actions": lazy_gettext("Key actions"),
    "tasks": lazy_gettext("Tasks"),
    "indicators": lazy_gettext("Indicators"),
}
# Controls of which several may be refused in the same words.
ALIKE = {
    "target_days": lazy_gettext("Target (days)"),
    "warning_days": lazy_gettext("Warning (days)"),
    "breach_days": lazy_gettext("Breach (days)"),
    "feedback": lazy_gettext("The feedback form"),
    "tasks": lazy_gettext("The tasks"),
}


def lines(error: FunnelwrightError, *forms: Any) -> list[tuple[str, str]]:
    """What the summary of a refused form lists: (control id, text).

    Each control of ``forms`` that a fault is about is marked with it. Places are those of
    ``metadata.editing``: ``label-en``, and of rows ``tasks-2-label-en`` for the third.
    """
    typed = [form for form in forms if form is not None]
    found = []
    marked: dict[str, list[str]] = {}
    for problem in error.problems:
        text = told(problem)
        control = next((one for form in typed if (one := control_at(form, problem.place)) is not None), None)
        if control is not None:
            # Whatever WTForms said of it is said better by the edit.
            control.errors = marked.setdefault(control.id, [])
            control.errors.append(text)
        anchor = control.id if control is not None else "" if typed else problem.place.replace("-", "_")
        found.append((anchor, _about(problem.place, text)))
    return found or [("", message(error.message_key, error.values))]


def control_at(form: Any, place: str) -> Any:
    """The control of ``form`` that a place names, or None."""
    head, _, rest = place.partition("-")
    if head in form and hasattr(form[head], "entries"):  # a list of rows
        number, _, rest = rest.partition("-")
        rows = form[head].entries
        is_there = number.isdecimal() and int(number) < len(rows)
        return control_at(rows[int(number)].form, rest) if is_there else None
    name = place.replace("-", "_")
    return form[name] if name in form else None  # noqa: SIM401 - forms have no get


def _about(place: str, text: str) -> str:
    """The text with the part in front that it is about, and the number of a row."""
    head, *rest = place.split("-")
    if not rest and head in ALIKE:
        return named(ALIKE[head], text)
    if head not in PARTS or not rest:
        return text
    name = str(PARTS[head])
    return named(f"{name} {int(rest[0]) + 1}" if rest[0].isdecimal() else name, text)
