"""Single values: JSON to the strings of a control and back; options; which control a schema asks for."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from builder.errors import N_
from builder.forms.schema_form.merging import CHOICES, Merger, types
from builder.forms.schema_form.nodes import ABSENT

NOT_A_NUMBER = N_("This is not a number.")
NOT_WHOLE = N_("This is not a whole number.")
YES, NO = N_("Yes"), N_("No")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
_WHOLE = re.compile(r"[+-]?[0-9]{1,300}\Z")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?\Z", re.ASCII)
_REST = '"*"'
_FORMATS = {
    "email": "email",
    "idn-email": "email",
    "uri": "url",
    "iri": "url",
    "date": "date",
    "date-time": "datetime-local",
    "time": "time",
    "color": "color",
    "data-url": "file",
}
_WIDGETS = {
    "password": "password",
    "email": "email",
    "uri": "url",
    "url": "url",
    "date": "date",
    "datetime": "datetime-local",
    "date-time": "datetime-local",
    "time": "time",
    "color": "color",
    "range": "range",
    "updown": "number",
    "text": "text",
}


class Unread(ValueError):
    """What was typed is no value; the message key says why."""


def constants(schema: Mapping[str, Any], merger: Merger) -> list[tuple[Any, str]] | None:
    """The values to choose from with their titles (empty: the value itself), where a schema lists them."""
    if "enum" in schema:
        return [(value, "") for value in schema["enum"]]
    if "const" in schema:
        return [(schema["const"], "")]
    for _, options in schema.get(CHOICES, ()):
        found = [_constant(merger.effective(option, ABSENT)[0]) for option in options]
        if all(found):
            return [pair for pair in found if pair]
    return None


def _constant(schema: Mapping[str, Any]) -> tuple[Any, str] | None:
    if "const" in schema:
        return schema["const"], schema.get("title", "")
    if len(schema.get("enum", ())) == 1:
        return schema["enum"][0], schema.get("title", "")
    return None


def first_constant(schema: Mapping[str, Any], merger: Merger) -> Any:
    """What a schema with ``const`` begins with: it, or that of the first alternative."""
    if "const" in schema:
        return schema["const"]
    for _, options in schema.get(CHOICES, ()):
        found = [merger.effective(option, ABSENT)[0] for option in options]
        if all("const" in option for option in found):
            return found[0]["const"]
    return ABSENT


def kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types that a value may have: as named, else as the other words of the schema suggest."""
    named = types(schema)
    if named:
        return named
    for kind, words in _HINTS:
        if any(word in schema for word in words):
            return [kind]
    return []


_HINTS = (
    ("object", ("properties", "patternProperties", "additionalProperties", "required", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")),
    ("string", ("pattern", "minLength", "maxLength", "format", "x-format")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)


def widget(ui: Mapping[str, Any]) -> str:
    """The widget that uiSchema names, in small letters without ``Widget``."""
    named = option(ui, "widget")
    name = named.lower().removesuffix("widget") if isinstance(named, str) else ""
    return {"checkbox": "", "select": "select", "hidden": "hidden"}.get(name, name)


def option(ui: Mapping[str, Any], name: str) -> Any:
    """A word of uiSchema, written as ``ui:name`` or inside ``ui:options``."""
    if f"ui:{name}" in ui:
        return ui[f"ui:{name}"]
    options = ui.get("ui:options")
    return options.get(name) if isinstance(options, Mapping) else None


def input_type(schema: Mapping[str, Any], kind: str, ui: Mapping[str, Any]) -> str:
    """The type of the input for a text or number."""
    chosen = option(ui, "inputType")
    if chosen in ("tel", "email", "url", "search", "text", "password", "number", "color", "month", "week"):
        return str(chosen)
    if widget(ui) in _WIDGETS:
        return _WIDGETS[widget(ui)]
    if kind in ("integer", "number"):
        return "number"
    return _FORMATS.get(str(schema.get("format") or schema.get("x-format")), "text")


def limits(schema: Mapping[str, Any], kind: str) -> dict[str, str]:
    """``min``, ``max`` and ``step`` of a number."""
    found = {"step": "any" if kind == "number" else "1"}
    for name, word in (("min", "minimum"), ("max", "maximum"), ("step", "multipleOf")):
        if word in schema:
            found[name] = shown_number(schema[word])
    return found


def shown_number(number: Any) -> str:
    return json.dumps(number)


def key_of(value: Any) -> str:
    """What the browser sends for an option: JSON of its value, so that it means the same in every version."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def mark_of(value: Any) -> str:
    """The same for equal values: ``2`` and ``2.0`` are one number."""
    return key_of(int(value) if isinstance(value, float) and value.is_integer() else value)


def title_of(value: Any, say: Any) -> str:
    if isinstance(value, bool):
        return str(say(YES if value else NO, {}))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {title_of(inner, say)}" for name, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def to_text(value: Any, kind: str, input_kind: str) -> str:
    """The string in a control."""
    if value is ABSENT or value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if input_kind == "datetime-local":
        return _local(value)
    return value


def from_text(text: str, kind: str, input_kind: str) -> Any:
    """The JSON value of a typed string that is not empty. Errors: Unread."""
    if kind == "integer":
        return _whole(text.strip())
    if kind == "number":
        return _number(text.strip())
    if input_kind == "datetime-local" and _LOCAL.match(text):
        return (text if len(text) > 16 else f"{text}:00") + "Z"
    return text.replace("\r\n", "\n")


def _whole(text: str) -> int:
    if _WHOLE.match(text):
        return int(text)
    number = _number(text)
    if number != int(number):
        raise Unread(NOT_WHOLE)
    return int(number)


def _number(text: str) -> int | float:
    if not _NUMBER.match(text) or len(text) > 400:
        raise Unread(NOT_A_NUMBER)
    if _WHOLE.match(text):
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise Unread(NOT_A_NUMBER)
    return number


def _local(text: str) -> str:
    """A date-time as its control shows it, in UTC; as it stands where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return text


def is_readable(text: str, input_kind: str) -> bool:
    """Whether the browser's own control can show the text; else a plain line does."""
    if not text:
        return input_kind != "color"  # an empty colour would be sent as black
    patterns = {
        "date": r"\d{4}-\d\d-\d\d\Z",
        "datetime-local": _LOCAL.pattern,
        "time": r"\d\d:\d\d(:\d\d(\.\d+)?)?\Z",
        "color": r"#[0-9a-fA-F]{6}\Z",
        "number": _NUMBER.pattern,
        "range": _NUMBER.pattern,
    }
    return input_kind not in patterns or re.match(patterns[input_kind], text, re.ASCII) is not None


def as_data_url(name: str, media_type: str, content: bytes) -> str:
    """A file as react-jsonschema-form writes it: ``data:text/plain;name=a.txt;base64,…``."""
    safe = re.sub(r"[^\w.-]", "_", name) or "file"
    media = media_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type) else "application/octet-stream"
    return f"data:{media};name={safe};base64,{base64.b64encode(content).decode()}"


def file_name(data_url: Any) -> str:
    """The name in such a text, for reading; the text's beginning where it has none."""
    if not isinstance(data_url, str):
        return str(data_url)[:40]
    found = re.search(r";name=([^;,]{1,80})", data_url[:400])
    return found.group(1) if found else data_url[:40]


def file_size(data_url: str) -> int:
    try:
        return len(base64.b64decode(data_url.partition(",")[2], validate=True))
    except binascii.Error:
        return len(data_url)


def ordered(values: Sequence[tuple[Any, str]], wanted: Any) -> Iterator[tuple[Any, str]]:
    """Options in the order of ``ui:enumOrder``, where ``*`` stands for the others."""
    if not isinstance(wanted, list):
        yield from values
        return
    marks = dict.fromkeys(mark_of(word) for word in wanted)
    by_mark = {mark_of(value): (value, title) for value, title in values}
    others = [pair for pair in values if mark_of(pair[0]) not in marks]
    for mark in marks:
        if mark == _REST:
            yield from others
            others = []
        elif mark in by_mark:
            yield by_mark[mark]
