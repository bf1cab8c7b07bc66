"""What every field type answers (part 3): one class per type knows all about its values.

A value has three shapes. *JSON*: how it stands in ``record.data``, exactly as the stored JSON Schema says.
*Typed*: the list of strings that a form control submits. *Text*: what people read (``text``) and what goes
into files (``export``). A type never raises anything but ``InvalidValue`` for what a person typed.

To add a type: a class here, its meta-schema in ``schemas/meta/fieldtypes/``, its line in ``registry``, and a
macro named after its ``widget`` in ``templates/components/fields.html`` (or an existing widget). To add one
without touching the core: ``docs/plug-ins.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol
from wtforms.fields.core import UnboundField

from builder.domain.duplicates import TraitKind
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import OPERATORS, Kind, Normal, is_empty, normal
from builder.domain.labels import Label
from builder.errors import N_, Invalid, Problem

# ECMAScript, Python and Rust agree on patterns that end so; a bare $ lets Python pass a final line feed.
END = r"(?!\n)$"
SLOT_LENGTH = 400
FILTERABLE_LENGTH = 255
UNSTORABLE = N_("The text holds a character that cannot be stored (NUL or half a surrogate pair). Remove it.")


Objects: TypeAlias = "Mapping[str, Mapping[str, Mapping[str, Any]]]"
"""What the Studio knows of all objects: object key → field key → field document."""


class InvalidValue(Invalid):
    """What a person typed, or a file holds, is no value of the field. Carries message key and values."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record or member that a typed name may mean; ``id`` in decimal."""

    id: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class FieldContext:
    """All that display and input depend on besides the definition and the value; made once per request.

    ``locale`` as Babel writes it (``zh_Hans``); ``time_zone`` of the reader; ``currency`` and ``region``
    are the workspace's defaults. ``record_names`` and ``member_names`` map ids (decimal text) to names for
    whatever the page shows. ``members`` are all members where there are at most 50, else ``None`` and the
    user field searches; ``list_members`` reads them when they are first asked for.
    ``find_records(object key, text)`` and ``find_members(text)`` resolve a typed name; ``search_url`` gives
    the address that suggestions come from; ``find_file(id)`` what is told of a file that the reader
    brought. ``marks``, ``date_order``: how a file writes numbers (decimal
    mark, thousands mark) and dates; without them the locale decides, and ambiguous dates are refused.
    """

    locale: str = "en"
    time_zone: str = "UTC"
    currency: str = "USD"
    region: str = "US"
    now: datetime | None = None
    member_id: str | None = None
    record_names: Mapping[str, str] = field(default_factory=dict)
    member_names: Mapping[str, str] = field(default_factory=dict)
    list_members: Callable[[], Sequence[Candidate] | None] | None = None
    find_file: Callable[[str], Mapping[str, Any] | None] | None = None
    find_records: Callable[[str, str], Sequence[Candidate]] | None = None
    find_members: Callable[[str], Sequence[Candidate]] | None = None
    search_url: Callable[[FieldDefinition], str] | None = None
    marks: tuple[str, str] | None = None
    date_order: Literal["ymd", "dmy", "mdy"] = "ymd"

    @cached_property
    def members(self) -> Sequence[Candidate] | None:
        return self.list_members() if self.list_members else None

    @property
    def number_marks(self) -> tuple[str, str]:
        """Decimal mark and thousands mark."""
        return self.marks or _marks(self.locale)


@lru_cache(maxsize=64)
def _marks(locale: str) -> tuple[str, str]:
    return get_decimal_symbol(locale), get_group_symbol(locale)


@lru_cache(maxsize=64)
def babel_locale(locale: str) -> Locale:
    return Locale.parse(locale)


class FieldType:
    """Base of all field types: subclasses say what differs.

    ``key`` is the ``x-type``; ``label`` and ``icon`` show it in the Studio; ``kind`` fixes comparison,
    operators and the normal form; ``slot`` says whether filterable fields live in a text (``"t"``) or
    number (``"n"``) slot, ``None`` when the type cannot be filtered; ``widget`` names the template macro of
    its input; ``takes_many`` is true when its control submits several strings. ``is_assigned``: the
    system gives the value to a new record, and nobody types it; ``is_file``: chosen from the
    reader's machine; ``is_figure``: numbers that
    columns align and can add up; ``is_wide``: takes a whole line of a form; ``is_group``: an object of parts
    (``params["parts"]``) that are fields themselves; ``inner_place``: the steps of a pointer from the field's
    document to the form inside it; ``match_kind``: how its values tell
    duplicates, ``None`` when they do not; ``default_word``: what a default says for a value of the moment
    (*today*, *now*, *me*). ``settings``: of a type that comes as a plug-in, its own settings by name, each a
    JSON Schema with ``title``, ``description`` and their Chinese twins; those of the house stand in files.
    """

    key: ClassVar[str]
    label: ClassVar[Label]
    icon: ClassVar[str]
    kind: ClassVar[Kind]
    slot: ClassVar[Literal["t", "n"] | None] = None
    widget: ClassVar[str] = "text"
    takes_many: ClassVar[bool] = False
    is_computed: ClassVar[bool] = False
    is_assigned: ClassVar[bool] = False
    is_file: ClassVar[bool] = False
    is_figure: ClassVar[bool] = False
    is_wide: ClassVar[bool] = False
    is_group: ClassVar[bool] = False
    inner_place: ClassVar[tuple[str, ...]] = ()
    match_kind: ClassVar[TraitKind | None] = None
    default_word: ClassVar[str] = ""
    settings: ClassVar[Mapping[str, Any] | None] = None

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        """The settings that a new field of this type, on the object of that key, cannot be without; the
        Studio fills them in so that people begin with something that works. Errors: Invalid, saying what
        must be there first.
        """
        return {}

    @property
    def has_texts(self) -> bool:
        """Whether a value is all said by its text, so that a field may become one of another such type."""
        is_made = self.is_computed or self.is_assigned or self.is_file
        return not (is_made or self.is_group or self.inner_place or self.kind in (Kind.PERSON, Kind.LINK))

    @property
    def operators(self) -> tuple[str, ...]:
        """Operators that conditions may use on fields of this type."""
        return OPERATORS[self.kind]

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """What ``FieldDefinition.params`` holds, read from a field of a document (checked by its meta-
        schema).
        """
        return {}

    def inner_form(self, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The form inside the field (columns of a table, fields of a group); ``None`` when it has none."""
        return None

    def with_inner_form(self, document: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
        """``document`` with ``form`` as the form inside the field: what ``inner_form`` gives back."""
        raise NotImplementedError

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        """What is wrong with a definition beyond its meta-schema; ``place`` is the key in the document."""
        return iter(())

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        """JSON Schema 2020-12 keywords that accept exactly the JSON values of the field."""
        raise NotImplementedError

    def form_field(self, definition: FieldDefinition) -> UnboundField:
        """The WTForms field of a form class; the same for every request (context comes at construction)."""
        from builder.fieldtypes.inputs import ValueInput  # which needs the types

        return ValueInput(definition=definition, type=self)

    def from_form(self, definition: FieldDefinition, typed: Sequence[str], ctx: FieldContext) -> JsonValue:
        """The JSON value of what a form control submitted; ``None`` when it is empty. Errors:
        InvalidValue.
        """
        return self.parse(definition, typed[0], ctx) if typed else None

    def is_same(
        self, definition: FieldDefinition, value: JsonValue, typed: Sequence[str], ctx: FieldContext
    ) -> bool:
        """Whether ``typed`` is what the control of ``value`` sends when nobody touches it."""
        return list(typed) == self.to_form(definition, value, ctx)

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        """What stands in the form control for a JSON value; ``from_form`` reads it back."""
        return [] if is_empty(value) else [str(value)]

    def pairs(
        self, definition: FieldDefinition, name: str, value: JsonValue, ctx: FieldContext
    ) -> list[tuple[str, str]]:
        """What a form sends for a stored value whose control is called ``name``."""
        return [(name, text) for text in self.to_form(definition, value, ctx)]

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """The JSON value of a text from a form or a file; ``None`` when it is empty. Errors: InvalidValue."""
        raise NotImplementedError

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """What people read, in the locale and zone of ``ctx``; empty text for an empty value."""
        return "" if is_empty(value) else str(value)

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """What goes into a file: not localised, and ``parse`` reads it back."""
        return "" if is_empty(value) else str(value)

    def written(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> tuple[str, ...]:
        """Every text by which an export may say ``value``: a cell with one of them was changed by nobody."""
        return (self.export(definition, value, ctx),)

    def long_text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """What people read where there is room for several lines."""
        return self.text(definition, value, ctx)

    def search_text(self, definition: FieldDefinition, value: JsonValue) -> str:
        """The words that a record is found by; the same for every reader."""
        return "" if is_empty(value) else str(value)

    def href(self, definition: FieldDefinition, value: JsonValue) -> str | None:
        """The address that the shown value links to, if it links anywhere outside (web, mail, telephone)."""
        return None

    def default(self, definition: FieldDefinition, ctx: FieldContext) -> JsonValue:
        """The value of a new record."""
        return definition.default

    def is_empty(self, value: JsonValue) -> bool:
        return is_empty(value)

    def normalise(self, value: JsonValue) -> Normal | None:
        """The normal form that conditions compare. Errors: ConditionError for a value of another shape."""
        return normal(self.kind, value)

    def slot_value(self, value: JsonValue) -> str | float | None:
        """What the slot column of a filterable field holds; ``None`` when empty."""
        form = self.normalise(value)
        if isinstance(form, frozenset):
            return f"|{'|'.join(sorted(form))}|"
        return form if form is None or isinstance(form, str) else float(form)


def no_start(message: str) -> Invalid:
    """Why a field of some type cannot be added yet."""
    return Invalid(message, problems=(Problem(message, "type"),))


def storable(text: str) -> str:
    """``text`` itself. Errors: InvalidValue for NUL and unpaired surrogates, which no database keeps."""
    if "\x00" in text or not is_unicode(text):
        raise InvalidValue(UNSTORABLE)
    return text


def is_unicode(text: str) -> bool:
    """Whether the text has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def stripped(text: str) -> str:
    """For everything but free text: surrounding white space means nothing."""
    return storable(text).strip()
