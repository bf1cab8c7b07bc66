"""The panel of one field: its name and settings as controls, read back as one edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from blueprints.languages import LANGUAGES, language
from blueprints.messages import named, told
from builder.domain.fields import FieldDefinition
from builder.domain.labels import Label
from builder.errors import FunnelwrightError, Problem
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.inputs import form_class
from builder.fieldtypes.registry import field_type
from builder.forms.field_settings import Setting, has_default, settings_of
from builder.forms.layout import FormField
from builder.forms.state import FieldState
from builder.metadata.compiler import field_set
from builder.metadata.editing.edit import LONGEST_LABEL, key_for
from builder.metadata.editing.fields import ChangeField
from builder.metadata.editing.sections import laid_out
from builder.metadata.lint.forms import ROLE_TYPES
from builder.queries.designs import Design

COLORS = ("blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal",
          "cyan", "gray")  # fmt: skip
MOST_OPTIONS = 500
_SPLIT = re.compile(r"[|｜]")
_NUMBER = re.compile(r"[0-9]{1,3}")


def codes() -> tuple[str, ...]:
    """The languages that names are written in, the reader's first."""
    return (language(), *(code for code in LANGUAGES if code != language()))


def texts_in(form: MultiDict[str, str] | None, part: str) -> dict[str, str]:
    """``part-en``, ``part-zh_Hans`` … of a sent form, by language; empty ones where nothing was sent."""
    return {code: form.get(f"{part}-{code}", "") if form is not None else "" for code in codes()}


def texts_of(label: Any) -> dict[str, str]:
    known = dict(Label.of(label).translations)
    return {code: known.get(code, "") for code in codes()}


@dataclass(frozen=True)
class OptionRow:
    """One option of a choice in the panel. ``is_published``: old records may hold it, so it is retired
    instead of removed.
    """

    number: int
    key: str
    label: Mapping[str, str]
    color: str = ""
    is_retired: bool = False
    is_published: bool = False

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"key": self.key, "label": {c: t for c, t in self.label.items() if t}}
        if self.color:
            document["color"] = self.color
        return document | ({"retired": True} if self.is_retired else {})


@dataclass
class FieldPanel:
    """What the panel of a field shows: what is stored, or what was sent (``sent``)."""

    design: Design
    key: str
    context: FieldContext
    sent: MultiDict[str, str] | None = None
    problems: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.document: dict[str, Any] = self.design.form["properties"][self.key]
        self.type = field_type(self.document["x-type"])
        self.settings: list[Setting] = []
        self._values: dict[str, Any] = {}
        for blank in settings_of(self.type.key, language()):
            if self.sent is None:
                self.settings.append(blank.holding(self.document.get(blank.name)))
            else:
                shown, value = blank.read(self.sent.getlist(blank.id))
                self.settings.append(shown)
                self._values[blank.name] = value
                if shown.problem:
                    self.problems.append((shown.id, named(shown.title, told(shown.problem))))
        self.options = self._options()

    @cached_property
    def label(self) -> dict[str, str]:
        return texts_in(self.sent, "label") if self.sent is not None else texts_of(self.document["x-label"])

    @cached_property
    def help(self) -> dict[str, str]:
        return texts_in(self.sent, "help") if self.sent is not None else texts_of(self.document.get("x-help"))

    def ticked(self, name: str) -> bool:
        """Whether one of the boxes required, read-only, filterable is ticked."""
        if self.sent is not None:
            return name in self.sent
        if name == "required":
            return self.key in self.design.form.get("required", ())
        return bool(self.document.get(f"x-{name}"))

    def chosen(self, name: str) -> str:
        return self.sent.get(name, "") if self.sent is not None else str(self.document.get(f"x-{name}", ""))

    @property
    def is_published(self) -> bool:
        return self.key in self.design.live_fields

    @property
    def inside(self) -> list[tuple[str, str, str]] | None:
        """The fields inside it in their order (key, name, type); ``None`` where it holds none."""
        form = self.type.inner_form(self.document)
        if form is None:
            return None
        keys = [key for section in laid_out(form)["x-sections"] for key in section["fields"]]
        found = [(key, form["properties"][key]) for key in keys]
        return [(key, Label.of(one["x-label"]).text(language()) or key, one["x-type"]) for key, one in found]

    @property
    def takes_input(self) -> bool:
        return not (self.type.is_computed or self.type.is_assigned)

    @property
    def may_filter(self) -> bool:
        return self.type.slot is not None and self.design.is_of_record

    @property
    def roles(self) -> list[str]:
        """Parts in the process that the field may have and no other has."""
        if not self.design.is_of_record:
            return []
        others = {one.get("x-role") for key, one in self.design.form["properties"].items() if key != self.key}
        return [role for role, types in ROLE_TYPES.items() if self.type.key in types and role not in others]

    @property
    def has_options(self) -> bool:
        return "x-options" in self.document

    @cached_property
    def default(self) -> FormField | None:
        """The control of the type itself, holding the default."""
        if not has_default(self.type.key) or self.type.default_word or not self.takes_input:
            return None
        try:
            alone = field_set({"type": "object", "properties": {self.key: _checked(self.document)}})
        except (FunnelwrightError, KeyError, TypeError, ValueError):
            return None  # a setting of it is wrong, which is told beside it
        definition: FieldDefinition = replace(
            alone.fields[0], key="default", is_required=False, is_read_only=False, role=None,
            label=Label.of(gettext("Default")), params={**alone.fields[0].params, "layout": "select"},
        )  # fmt: skip
        made = form_class("Default", {"default": self.type.form_field(definition)})
        control = made(
            self.sent, prefix="d-", data={"default": self.document.get("x-default")}, context=self.context
        )["default"]
        problems = [control.problem] if control.problem else []
        offered = tuple(option.key for option in definition.options if not option.is_retired) or None
        return FormField(control, FieldState(options=offered), self.context, problems, 1)

    @property
    def default_word(self) -> str:
        return self.type.default_word if has_default(self.type.key) else ""

    def _options(self) -> list[OptionRow]:
        live = {one["key"] for one in self.design.live_fields.get(self.key, {}).get("x-options", ())}
        if self.sent is None:
            return [
                OptionRow(
                    number, one["key"], texts_of(one["label"]), one.get("color", ""),
                    bool(one.get("retired")), one["key"] in live,
                )
                for number, one in enumerate(self.document.get("x-options", ()))
            ]  # fmt: skip
        rows: list[OptionRow] = []
        for number in dict.fromkeys(int(n) for n in self.sent.getlist("option") if _NUMBER.fullmatch(n)):
            name = f"o-{number}"
            key = self.sent.get(f"{name}-key", "")
            if f"{name}-removed" in self.sent and key not in live:
                continue
            color = self.sent.get(f"{name}-color", "")
            label = {code: text.strip() for code, text in texts_in(self.sent, name).items()}
            rows.append(
                OptionRow(
                    number, key, label, color if color in COLORS else "", f"{name}-retired" in self.sent,
                    key in live,
                )
            )  # fmt: skip
        return self._with_new(self._stepped(rows))

    def _stepped(self, rows: list[OptionRow]) -> list[OptionRow]:
        """With one option moved up or down, where one of its buttons was pressed."""
        assert self.sent is not None
        verb, _, key = self.sent.get("_action", "").partition(":")
        step = {"option-up": -1, "option-down": 1}.get(verb, 0)
        place = next((index for index, row in enumerate(rows) if row.key == key), None)
        if step and place is not None:
            other = min(max(place + step, 0), len(rows) - 1)
            rows[place], rows[other] = rows[other], rows[place]
        return rows

    def _with_new(self, rows: list[OptionRow]) -> list[OptionRow]:
        """With what was typed as new options, one a line: ``Hot | 热`` names both languages."""
        assert self.sent is not None
        taken = {row.key for row in rows} | {one["key"] for one in self.document.get("x-options", ())}
        for line in self.sent.get("new-options", "").splitlines()[:MOST_OPTIONS]:
            parts = [part.strip()[:LONGEST_LABEL] for part in _SPLIT.split(line)]
            label = {code: text for code, text in zip(codes(), parts, strict=False) if text}
            if label:
                key = key_for(label, taken, "option")
                taken.add(key)
                number = max((row.number for row in rows), default=-1) + 1
                rows.append(OptionRow(number, key, {**dict.fromkeys(codes(), ""), **label}))
        return rows

    def edit(self) -> ChangeField | None:
        """What was sent as one edit; ``None`` when something cannot be read (``problems`` says what)."""
        assert self.sent is not None
        settings = dict(self._values)
        if self.has_options:
            self._read_options(settings)
        if self.takes_input:
            settings["x-read-only"] = True if "read-only" in self.sent else None
            self._read_default(settings)
        if self.may_filter:
            settings["x-filterable"] = True if "filterable" in self.sent else None
        if self.design.is_of_record:
            role = self.sent.get("role", "")
            settings["x-role"] = role if role in (*self.roles, self.document.get("x-role")) and role else None
        settings["x-hidden"] = "clear" if self.sent.get("hidden") == "clear" else None
        if self.problems:
            return None
        is_required = self.takes_input and "required" in self.sent
        return ChangeField(self.key, self.label, self.help, is_required, settings)

    def _read_options(self, settings: dict[str, Any]) -> None:
        for row in self.options:
            if not any(row.label.values()):
                self.problems.append((f"o-{row.number}-{codes()[0]}", gettext("An option needs a name.")))
            elif any(len(text) > LONGEST_LABEL for text in row.label.values()):
                text = gettext("At most %(limit)s characters fit here.", limit=LONGEST_LABEL)
                self.problems.append((f"o-{row.number}-{codes()[0]}", text))
        settings["x-options"] = [row.document for row in self.options]

    def _read_default(self, settings: dict[str, Any]) -> None:
        assert self.sent is not None
        if self.default_word:
            wanted = self.sent.get("default-word", "")
            settings["x-default"] = (
                wanted if wanted in (self.default_word, self.document.get("x-default")) else None
            )
            settings["x-default"] = settings["x-default"] or None
        elif self.default is not None:
            problems = [*self.default.problems]
            settings["x-default"] = self.default.control.data
            self.problems += [("d-default", named(gettext("Default"), told(one))) for one in problems]

    def add_problems(self, problems: tuple[Problem, ...]) -> None:
        """What the edit itself refused, at its controls."""
        self.problems += [(problem.place, told(problem)) for problem in problems]

    def wrong(self, control: str) -> list[str]:
        """What is wrong with one control."""
        return [text for place, text in self.problems if place == control]


def _checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The field without what only the record around it can answer."""
    return {
        key: value for key, value in document.items() if key not in ("x-role", "x-filterable", "x-default")
    }
