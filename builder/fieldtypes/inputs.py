"""The WTForms fields behind all field types: they keep what was typed and ask the type what it means.

The form's ``meta.context`` is the ``FieldContext`` of the request. What cannot be read stays in ``typed`` and
appears again in the form, with ``problem`` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wtforms import Field
from wtforms.fields.core import UnboundField
from wtforms.form import BaseForm
from wtforms.meta import DefaultMeta

from builder.domain.fields import FieldDefinition, JsonValue
from builder.errors import Problem
from builder.fieldtypes.base import Candidate, FieldContext, FieldType, InvalidValue


class ContextMeta(DefaultMeta):  # type: ignore[misc]
    """Forms whose fields read ``meta.context``; CSRF is checked for the whole request, not per form."""

    csrf = False

    def __init__(self, context: FieldContext) -> None:
        self.context = context


class FieldForm(BaseForm):  # type: ignore[misc]
    """A WTForms form over fields that admins named: they are items (``form["data"]``), never attributes.

    Subclasses hold the unbound fields; an instance binds them to one request.
    """

    unbound: ClassVar[Mapping[str, UnboundField]] = {}

    def __init__(
        self, formdata: Any, *, prefix: str, data: Mapping[str, JsonValue], context: FieldContext
    ) -> None:
        super().__init__(self.unbound, prefix=prefix, meta=ContextMeta(context))
        # Every key is given: WTForms passes a marker of its own for those that are missing.
        self.process(formdata, data={key: data.get(key) for key in self.unbound})


def form_class(name: str, fields: Mapping[str, UnboundField]) -> type[FieldForm]:
    """A form class with these fields; made once per definition, used by every request."""
    return type(name, (FieldForm,), {"unbound": dict(fields)})


class ValueInput(Field):  # type: ignore[misc]
    """One value: ``data`` is its JSON form or ``None``.

    ``is_submitted`` tells a control that was on the page from one that was not: a value that was not on
    the page is never touched. A value whose text was not changed is kept exactly as it was stored.
    """

    definition: FieldDefinition
    type: FieldType

    def __init__(self, *, definition: FieldDefinition, type: FieldType, **kwargs: Any) -> None:
        super().__init__(label="", **kwargs)
        self.definition = definition
        self.type = type
        self._typed: list[str] | None = None
        self.problem: Problem | None = None
        self.is_submitted = False
        self.candidates: Sequence[Candidate] = ()

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read the control out of ``formdata``; without it show ``data``. ``_has`` marks controls that
        may be empty.
        """
        self.process_errors: list[str] = []
        self.problem = None
        self.data: JsonValue = data
        self.object_data = data
        context = self.meta.context
        self.is_submitted = formdata is not None and self.is_in(formdata)
        if not self.is_submitted:
            self._typed = None
            return
        self._typed = self.submitted(formdata)
        if not self.type.is_same(self.definition, data, self._typed, context):
            self._read(self._typed)

    @property
    def typed(self) -> list[str]:
        """The strings in the control: as they were sent, or what stands for the stored value. That may take
        names to be read, so it is made when it is shown first.
        """
        if self._typed is None:
            self._typed = self.type.to_form(self.definition, self.object_data, self.meta.context)
        return self._typed

    def is_in(self, formdata: Any) -> bool:
        return self.name in formdata or self.name in formdata.getlist("_has")

    def submitted(self, formdata: Any) -> list[str]:
        typed: list[str] = formdata.getlist(self.name)
        return [] if all(text == "" for text in typed) else typed

    def _read(self, typed: Sequence[str]) -> None:
        try:
            self.data = self.type.from_form(self.definition, typed, self.meta.context)
        except InvalidValue as error:
            self.data = None
            self.candidates = getattr(error, "candidates", ())
            self.problem = Problem(error.message_key, self.definition.key, error.values)

    @property
    def unread(self) -> list[Problem]:
        """Everything in the control that could not be read, with its place in the form."""
        own = [self.problem] if self.problem is not None else []
        return [*own, *self.problems]

    @property
    def problems(self) -> Sequence[Problem]:
        """What could not be read in controls inside this one."""
        return ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What the control sends: names and typed strings."""
        return [(self.name, text) for text in self.typed] or [("_has", self.name)]

    def anchor(self, place: Sequence[str]) -> str:
        """The id of the control that a place inside the value is about; its own where there is none."""
        return str(self.name)

    def show_computed(self, value: JsonValue) -> None:
        """Put computed values of ``value`` into the controls inside this one."""

    def populate_obj(self, obj: Any, name: str) -> None:
        raise TypeError("values leave a form through builder.forms.binding")
