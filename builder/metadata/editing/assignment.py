"""Edits of *which process for whom*: rules in their order, the default, and departments (S6–S10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import N_
from builder.metadata.editing.edit import NO_RULE, Refused, key_for, patched, texts
from builder.metadata.grammar import Document

MOST_RULES = 100
CHOOSE = N_("Choose a process.")


def rules_of(document: Document) -> list[Document]:
    return list(document.get("processes", {}).get("rules", ()))


def _with(document: Document, **settings: Any) -> Document:
    """The document with these parts of its assignment; empty ones go, and all of it where nothing is left."""
    kept = patched(document.get("processes", {}), {name: part or None for name, part in settings.items()})
    return patched(document, {"processes": kept or None})


@dataclass(frozen=True)
class PutRule:
    """A rule in the place of the one of that key, or behind the last. ``known``: keys of processes.

    A rule is asked without a name as well; its condition tells it then.
    """

    label: Mapping[str, str]
    when: Document
    pipeline_key: str
    known: Collection[str]
    key: str | None = None

    def apply(self, document: Document) -> Document:
        rules = rules_of(document)
        if self.pipeline_key not in self.known:
            raise Refused(CHOOSE, "rule-pipeline")
        made = {"label": texts(self.label, "label") or None, "when": self.when, "pipeline": self.pipeline_key}
        if self.key is not None:
            place = _place(rules, self.key)
            rules[place] = patched(rules[place], made)
        else:
            if len(rules) >= MOST_RULES:
                raise Refused(N_("There is room for %(limit)s rules."), limit=MOST_RULES)
            taken = {each["key"] for each in rules}
            rules.append(patched({"key": key_for(texts(self.label), taken, "rule")}, made))
        return _with(document, rules=rules)


@dataclass(frozen=True)
class RemoveRule:
    key: str

    def apply(self, document: Document) -> Document:
        rules = rules_of(document)
        del rules[_place(rules, self.key)]
        return _with(document, rules=rules)


@dataclass(frozen=True)
class SwitchRule:
    """Have a rule asked, or keep it without asking it."""

    key: str
    is_on: bool

    def apply(self, document: Document) -> Document:
        rules = rules_of(document)
        place = _place(rules, self.key)
        rules[place] = patched(rules[place], {"off": None if self.is_on else True})
        return _with(document, rules=rules)


@dataclass(frozen=True)
class StepRule:
    """One place up (-1) or down (1); at the end it stays."""

    key: str
    step: int

    def apply(self, document: Document) -> Document:
        rules = rules_of(document)
        place = _place(rules, self.key)
        there = min(max(place + self.step, 0), len(rules) - 1)
        rules.insert(there, rules.pop(place))
        return _with(document, rules=rules)


@dataclass(frozen=True)
class OrderRules:
    """All rules in this order. Errors: Refused unless it names exactly those that are there."""

    keys: tuple[str, ...]

    def apply(self, document: Document) -> Document:
        rules = {each["key"]: each for each in rules_of(document)}
        if sorted(self.keys) != sorted(rules):
            raise Refused(NO_RULE)
        return _with(document, rules=[rules[key] for key in self.keys])


@dataclass(frozen=True)
class SetDefault:
    """The process where no rule decides; none for the empty text."""

    pipeline_key: str
    known: Collection[str]

    def apply(self, document: Document) -> Document:
        if self.pipeline_key and self.pipeline_key not in self.known:
            raise Refused(CHOOSE, "default")
        return _with(document, default=self.pipeline_key)


@dataclass(frozen=True)
class AssignDepartments:
    """The departments of one process; none opens it to everybody. ``known``: ids of departments.

    What is gone since (a department that was removed) goes with the next edit.
    """

    pipeline_key: str
    departments: tuple[int, ...]
    known: Collection[int]
    pipelines: Collection[str]

    def apply(self, document: Document) -> Document:
        if self.pipeline_key not in self.pipelines:
            raise Refused(CHOOSE)
        assigned = dict(document.get("processes", {}).get("departments", {}))
        ids = [str(each) for each in sorted(set(self.departments) & set(self.known))]
        assigned.pop(self.pipeline_key, None)
        if ids:
            assigned[self.pipeline_key] = ids
        return _with(document, departments=assigned)


def _place(rules: list[Document], key: str) -> int:
    for place, each in enumerate(rules):
        if each["key"] == key:
            return place
    raise Refused(NO_RULE)
