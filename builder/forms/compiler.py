"""From a ``FieldSet`` to a WTForms class: made once per checksum and process, never per request."""

from __future__ import annotations

from dataclasses import dataclass

from builder.domain.fields import FieldSet
from builder.fieldtypes.inputs import FieldForm, form_class
from builder.fieldtypes.registry import type_of
from builder.forms.state import watched
from builder.metadata.cache import ProcessCache


@dataclass(frozen=True, slots=True)
class CompiledForm:
    """``form``: the WTForms class; ``watched``: the fields after whose change the form asks the server."""

    form: type[FieldForm]
    watched: frozenset[str]


_forms: ProcessCache[str, CompiledForm] = ProcessCache(1024)


def compiled_form(fieldset: FieldSet) -> CompiledForm:
    """The compiled form of a field set, from the cache when its checksum is known."""
    return _forms.get(fieldset.checksum, lambda: _compile(fieldset))


def _compile(fieldset: FieldSet) -> CompiledForm:
    fields = {definition.key: type_of(definition).form_field(definition) for definition in fieldset}
    return CompiledForm(form_class("RecordFields", fields), watched(fieldset))
