"""Nodes of single values: which control, what stands in it, and what was typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from builder.errors import N_, Invalid
from builder.forms.schema_form import scalars
from builder.forms.schema_form.date_parts import DATE_PARTS, date_of, parts_of, range_of
from builder.forms.schema_form.merging import TOO_LARGE, Effective, Merger, same
from builder.forms.schema_form.nodes import ABSENT, Control, DatePart, Offer
from builder.forms.schema_form.posted import Posted

MAX_FILE = 1_000_000
MAX_TEXT = 3_000_000
FILE_TOO_LARGE = N_("This file is too large; at most 1 MB fits here.")
_HELP_IN_UTC = N_("In UTC.")


class Controls:
    """Makes the controls of one walk."""

    def __init__(
        self, merger: Merger, posted: Posted | None, say: Callable[[str, Mapping[str, Any]], str]
    ) -> None:
        self.merger = merger
        self.posted = posted
        self.say = say
        self.spent = 0

    def spend(self, characters: int) -> None:
        """Count what the page will hold: references may repeat a long text or list of options very often.

        Errors: Invalid beyond ``MAX_TEXT``.
        """
        self.spent += characters
        if self.spent > MAX_TEXT:
            raise Invalid(TOO_LARGE)

    def help(self, merged: Effective, here: Any) -> str:
        """Description and help, as one text."""
        parts = [scalars.option(here.ui, "description") or merged.get("description")]
        parts.append(scalars.option(here.ui, "help"))
        text = "\n".join(part for part in parts if isinstance(part, str) and part)
        self.spend(len(text) + len(here.label))
        return text

    def is_one_control(self, merged: Effective, ui: Mapping[str, Any]) -> bool:
        """Whether a list is one control: a choice of several options, or several files."""
        items = merged.get("items")
        if not isinstance(items, Mapping) or "prefixItems" in merged:
            return False
        inner = self.merger.effective(items, ABSENT)[0]
        if inner.get("format") == "data-url":
            return True
        return bool(merged.get("uniqueItems")) and scalars.constants(inner, self.merger) is not None

    def control(self, merged: Effective, offered: Any, value: Any, here: Any) -> Control:
        """The control of a value that is not an object, nor a list of rows."""
        names = [name for name in scalars.kinds(merged) if name != "null"]
        kind = names[0] if names else ("null" if not offered else "")
        facts = {
            "path": here.path,
            "name": here.name,
            "label": here.label,
            "help": self.help(merged, here),
            "is_required": here.is_required,
            "is_read_only": bool(scalars.option(here.ui, "readonly") or merged.get("readOnly")),
            "is_disabled": bool(scalars.option(here.ui, "disabled")),
        }
        if kind == "array" and offered is None:
            return self._several(merged, value, here, facts)
        if offered is None and kind == "boolean" and scalars.widget(here.ui) in ("radio", "select"):
            offered = [(True, ""), (False, "")]
        if offered is not None and scalars.widget(here.ui) != "hidden":
            return self._one_of(merged, offered, value, here, facts)
        if kind == "null":
            is_there = value is None or here.is_required or self._had(here.name)
            is_there = is_there and (self.posted is None or here.is_required or self._had(here.name))
            return Control(
                **facts, kind="nothing", value=None if is_there else ABSENT, was="null" if is_there else ""
            )
        if kind == "boolean" and scalars.widget(here.ui) != "hidden":
            return self._tick(value, here, facts)
        if scalars.widget(here.ui) in ("alt-date", "alt-datetime"):
            return self._date_parts(value, here, facts)
        return self._line(merged, kind, value, here, facts)

    # Options

    def _one_of(
        self, merged: Effective, offered: Any, value: Any, here: Any, facts: dict[str, Any]
    ) -> Control:
        sent = self._sent(here.name)
        if sent is not None:
            text = sent[0] if sent else ""
            value = _by_key(offered).get(text, ABSENT)
            if value is ABSENT and text:  # no option, kept so that the error can be understood
                value = _json(text, text)
        is_radio = scalars.widget(here.ui) == "radio"
        offers = self._offers(offered, [] if value is ABSENT else [value], here.ui)
        placeholder = scalars.option(here.ui, "placeholder")
        return Control(
            **facts,
            kind="radio" if is_radio else "select",
            value=value,
            typed=() if value is ABSENT else (scalars.key_of(value),),
            offers=offers,
            has_blank="default" not in merged,
            attributes={"placeholder": placeholder} if isinstance(placeholder, str) else {},
            is_inline=True,
        )

    def _several(self, merged: Effective, value: Any, here: Any, facts: dict[str, Any]) -> Control:
        items = self.merger.effective(merged["items"], ABSENT)[0]
        sent = self._sent(here.name)
        if items.get("format") == "data-url":
            return self._files(sent, value, here, facts)
        offered = scalars.constants(items, self.merger) or []
        if sent is not None:
            known = _by_key(offered)
            value = [known[text] for text in sent if text in known]
            if not value and not self._had(here.name):
                value = ABSENT
        if value is ABSENT and here.is_required:
            value = []
        chosen = value if isinstance(value, list) else []
        inner_ui = here.ui.get("items")
        ui = {**(inner_ui if isinstance(inner_ui, Mapping) else {}), **here.ui}
        return Control(
            **facts,
            kind="checkboxes" if scalars.widget(here.ui) == "checkboxes" else "multiple",
            value=value,
            typed=tuple(scalars.key_of(each) for each in chosen),
            offers=self._offers(offered, chosen, ui),
            was="[]" if value == [] else "",
        )

    def _offers(self, offered: Any, chosen: list[Any], ui: Mapping[str, Any]) -> tuple[Offer, ...]:
        names = scalars.option(ui, "enumNames")
        disabled = scalars.option(ui, "enumDisabled")
        titled = []
        for at, (value, title) in enumerate(offered):
            named = None
            if isinstance(names, list) and at < len(names):
                named = names[at]
            elif isinstance(names, Mapping):
                named = names.get(value if isinstance(value, str) else json.dumps(value))
            titled.append((value, named if isinstance(named, str) else title))
        marks = {scalars.mark_of(each) for each in chosen}
        off = {scalars.mark_of(each) for each in disabled} if isinstance(disabled, list) else set()
        result = []
        for value, title in scalars.ordered(titled, scalars.option(ui, "enumOrder")):
            is_chosen = scalars.mark_of(value) in marks
            label, key = title or scalars.title_of(value, self.say), scalars.key_of(value)
            self.spend(len(label) + len(key) + 40)
            is_off = scalars.mark_of(value) in off and not is_chosen
            result.append(Offer(key, label, value, is_chosen, is_off))
        known = {scalars.mark_of(value) for value, _ in offered}
        for value in chosen:  # what is no option stays there, so that the error can be understood
            if scalars.mark_of(value) not in known:
                result.append(Offer(scalars.key_of(value), scalars.title_of(value, self.say), value, True))
        return tuple(result)

    def _tick(self, value: Any, here: Any, facts: dict[str, Any]) -> Control:
        sent = self._sent(here.name)
        if sent is not None:
            value = True if sent else (False if here.is_required or self._had(here.name) else ABSENT)
            former = _json(self._former(here.name), True)
            value = former if sent and former else value  # what is no yes at all stays until it is changed
        return Control(
            **facts,
            kind="checkbox",
            value=value,
            typed=("true",) if value is not ABSENT and value else (),
            was="" if value is ABSENT else json.dumps(value, ensure_ascii=False),
        )

    # Text

    def _line(self, merged: Effective, kind: str, value: Any, here: Any, facts: dict[str, Any]) -> Control:
        widget = scalars.widget(here.ui)
        input_kind = scalars.input_type(merged, kind, here.ui)
        self.spend(sum(len(str(each)) for each in merged.get("examples", ())))
        if input_kind == "file" or widget == "file":
            return self._files(self._sent(here.name), value, here, facts, is_single=True)
        is_nullable = "null" in scalars.kinds(merged)
        sent = self._sent(here.name)
        unread = ""
        if sent is None:
            typed = scalars.to_text(value, kind, input_kind)
            self.spend(len(typed))
        else:
            typed = sent[0] if sent else ""
            value, unread = self._read(typed, kind, input_kind, is_nullable, here)
        if input_kind == "datetime-local":
            facts["help"] = "\n".join(part for part in (facts["help"], self.say(_HELP_IN_UTC, {})) if part)
        control_kind = "area" if widget == "textarea" else "hidden" if widget == "hidden" else "line"
        shown = input_kind if scalars.is_readable(typed, input_kind) else "text"
        return Control(
            **facts,
            kind=control_kind,
            input_type=shown,
            value=value,
            typed=(typed,),
            attributes=self._attributes(merged, kind, shown, here.ui),
            examples=tuple(
                str(each) for each in merged.get("examples", ()) if isinstance(each, (str, int, float))
            ),
            rows=_rows(here.ui),
            was=self._was(value, typed, kind, input_kind, is_told="ui:emptyValue" in here.ui),
            unread=unread,
        )

    def _read(self, typed: str, kind: str, input_kind: str, is_nullable: bool, here: Any) -> tuple[Any, str]:
        """The value of what was typed, and what is wrong with it."""
        assert self.posted is not None
        former = _json(self._former(here.name), ABSENT)
        if former is not ABSENT and scalars.to_text(former, kind, input_kind) == typed:
            return former, ""
        if typed == "":
            if "ui:emptyValue" in here.ui and former is not ABSENT:
                return here.ui["ui:emptyValue"], ""
            return (None if is_nullable and here.is_required else ABSENT), ""
        try:
            return scalars.from_text(typed, kind, input_kind), ""
        except scalars.Unread as error:
            return typed, str(error)

    def _was(self, value: Any, typed: str, kind: str, input_kind: str, *, is_told: bool) -> str:
        """JSON of a value that its text does not give back: an empty text, null, a moment in another zone.

        ``is_told``: of any value, because emptying it means something else than leaving it empty.
        """
        if value is ABSENT:
            return ""
        if is_told:
            return json.dumps(value, ensure_ascii=False)
        try:
            again = scalars.from_text(typed, kind, input_kind) if typed else ABSENT
        except scalars.Unread:
            again = ABSENT
        if again is not ABSENT and same(again, value) and type(again) is type(value):
            return ""
        return json.dumps(value, ensure_ascii=False)

    def _attributes(self, merged: Effective, kind: str, shown: str, ui: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        placeholder = scalars.option(ui, "placeholder")
        if isinstance(placeholder, str):
            found["placeholder"] = placeholder
        if shown in ("number", "range"):
            found |= scalars.limits(merged, kind)
        if shown == "datetime-local":
            found["step"] = "1"
        return found

    def _files(
        self, sent: list[str] | None, value: Any, here: Any, facts: dict[str, Any], *, is_single: bool = False
    ) -> Control:
        """Files are kept in the form as data URLs; a new one takes the place of a single one."""
        given = value if isinstance(value, list) else [] if value is ABSENT else [value]
        unread = ""
        if sent is not None:
            given = [text for text in sent if text]
            fitting = [text for text in given if scalars.file_size(text) <= MAX_FILE]
            unread = FILE_TOO_LARGE if len(fitting) < len(given) else ""
            given = fitting
            given = given[-1:] if is_single else given
            value = (given[0] if given else ABSENT) if is_single else given
            if not given and not is_single and not here.is_required and not self._had(here.name):
                value = ABSENT
        accept = scalars.option(here.ui, "accept")
        return Control(
            **facts,
            kind="file" if is_single else "files",
            input_type="file",
            value=value,
            typed=tuple(text for text in given if isinstance(text, str)),
            offers=tuple(Offer(str(text), scalars.file_name(text)) for text in given),
            attributes={"accept": accept} if isinstance(accept, str) else {},
            was="[]" if value == [] else "",
            unread=unread,
        )

    # Dates in parts

    def _date_parts(self, value: Any, here: Any, facts: dict[str, Any]) -> Control:
        has_time = scalars.widget(here.ui) == "alt-datetime"
        names = list(DATE_PARTS)[: 6 if has_time else 3]
        if self.posted is not None and self.posted.has(f"{here.name}.year"):
            typed = [self.posted.first(f"{here.name}.{name}") or "" for name in names]
            value = date_of(typed)
        shown = parts_of(value, has_time)
        years = scalars.option(here.ui, "yearsRange")
        parts = []
        for at, name in enumerate(names):
            chosen = shown[at]
            texts = range_of(name, years)
            texts = texts if not chosen or chosen in texts else [*texts, chosen]
            offers = tuple(Offer(text, text, text, text == chosen) for text in texts)
            parts.append(DatePart(f"{here.name}.{name}", self.say(DATE_PARTS[name], {}), offers))
        return Control(**facts, kind="date_parts", value=value, typed=tuple(shown), parts=tuple(parts))

    # What was posted

    def _sent(self, name: str) -> list[str] | None:
        """The texts of a control that was on the page."""
        return self.posted.texts(name) if self.posted is not None and self.posted.has(name) else None

    def _former(self, name: str) -> str:
        return (self.posted.first(f"{name}.was") or "") if self.posted is not None else ""

    def _had(self, name: str) -> bool:
        return self.posted is not None and self.posted.has(f"{name}.was")


def _json(text: str, otherwise: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return otherwise


def _by_key(offered: Any) -> dict[str, Any]:
    return {scalars.key_of(value): value for value, _ in offered}


def _rows(ui: Mapping[str, Any]) -> int:
    rows = scalars.option(ui, "rows")
    return rows if isinstance(rows, int) and 1 <= rows <= 40 else 4
