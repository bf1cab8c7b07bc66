"""The rules of a form: when fields are shown, required, locked, or limited in their options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builder.errors import N_
from builder.metadata.editing.edit import NO_RULE, Refused
from builder.metadata.editing.sections import with_form
from builder.metadata.grammar import Document

MOST_RULES = 200
EFFECTS = ("show", "require", "read_only", "options")


@dataclass(frozen=True)
class PutRule:
    """A rule in the place of the one of that number (0 is first), or at the end."""

    effect: str
    fields: tuple[str, ...]
    when: Document
    options: tuple[str, ...] = ()
    number: int | None = None

    def apply(self, document: Document) -> Document:
        form = document["fields"]
        rules = list(form.get("x-rules", ()))
        made = self._made(form)
        if self.number is None:
            if len(rules) >= MOST_RULES:
                raise Refused(N_("A form has room for %(limit)s rules."), limit=MOST_RULES)
            rules.append(made)
        elif 0 <= self.number < len(rules):
            rules[self.number] = made
        else:
            raise Refused(NO_RULE)
        return with_form(document, {**form, "x-rules": rules})

    def _made(self, form: Document) -> Document:
        if self.effect not in EFFECTS:
            raise Refused(N_("Choose what the rule does."), "effect")
        if not self.fields or any(key not in form["properties"] for key in self.fields):
            raise Refused(N_("Choose the fields that the rule acts on."), "fields")
        made: dict[str, Any] = {"effect": self.effect, "fields": list(self.fields), "when": self.when}
        if self.effect == "options":
            if not self.options:
                raise Refused(N_("Choose the options that are offered."), "options")
            made["options"] = list(self.options)
        return made


@dataclass(frozen=True)
class RemoveRule:
    number: int

    def apply(self, document: Document) -> Document:
        form = document["fields"]
        rules = list(form.get("x-rules", ()))
        if not 0 <= self.number < len(rules):
            raise Refused(NO_RULE)
        del rules[self.number]
        return with_form(document, {**form, "x-rules": rules})
